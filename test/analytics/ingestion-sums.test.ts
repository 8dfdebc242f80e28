import fc from 'fast-check';
import { NOTHING_COUNTED, withFile } from '../../src/analytics/reconciliation/landing-count';
import { addFile, addTallies, settledAt, takeRuns } from '../../src/analytics/reconciliation/page';
import { balanceOf, HOUR_MS, noCounts } from '../../src/domain/ingestion';
import { createAcceptedCounts } from '../../src/gateway/accepted-counts';
import { type AcceptedBook } from '../../src/store/ingestion/accepted-writer';
import { type PageDocument, type RunDocument } from '../../src/store/ingestion/documents';
import { logger } from '../store/store.support';
import { buildReading } from '../support/readings';

const buildPage = (): PageDocument => ({
  ...{ id: 'page', key: 'hour:0000:x', files: {}, tenants: {}, unreadable: 0, ttl: 1 },
  settled: { landed: false, curated: false },
});

describe('a partition’s chain of files, as it is counted', () => {
  it('remembers the files that are missing, until each has come, in whatever order they come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (lengths, random) => {
          let next = 0;
          const files = lengths.map((length) => {
            const firstSequence = next;
            next += length;
            return { firstSequence, lastSequence: next - 1, hour: 0 };
          });
          // The first is always there; of the rest some come late.
          const [first, ...rest] = files;
          const late = rest.filter(() => random.next().value! % 3 === 0);
          const inTime = [first!, ...rest.filter((each) => !late.includes(each))];
          let life = inTime.reduce((before, file) => withFile(before, file, 1), NOTHING_COUNTED);
          const missing = (): number => life.holes.reduce((sum, { from, to }) => sum + to - from + 1, 0);
          const behind = (): number => next - 1 - life.sequence;
          const gone = (of: typeof files): number =>
            of.reduce((sum, file) => sum + file.lastSequence - file.firstSequence + 1, 0);
          expect(missing() + behind()).toBe(gone(late));
          late.sort((a, b) => a.firstSequence - b.firstSequence);
          for (const file of late) life = withFile(life, file, 1);
          expect([missing(), behind()]).toEqual([0, 0]);
        },
      ),
    );
  });
});

describe('a page', () => {
  const file = (firstSequence: number, landed: number) => ({
    ...{ incarnation: '1-1', firstSequence, lastSequence: firstSequence },
    counts: new Map([['ten_a', { landed, tooLate: 1, dead: { VALUE_OUT_OF_RANGE: 2 } }]]),
  });

  it('counts each file, tally and run once, however often and in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 30 }), (order) => {
        const page = buildPage();
        for (const each of order) addFile(page, file(each, each + 1));
        const files = [...new Set(order)];
        const tenant = page.tenants.ten_a ?? noCounts();
        expect(tenant.landed).toBe(files.reduce((sum, each) => sum + each + 1, 0));
        expect(tenant.tooLate).toBe(files.length);
        expect(tenant.dead.VALUE_OUT_OF_RANGE ?? 0).toBe(2 * files.length);
      }),
    );
    const page = buildPage();
    const row = { incarnation: '1-1', partition: 0, hour: 7, curated: 5, repeated: 1, dropped: 0 };
    const tallies = [1, 2].map((version) => ({ version, at: 0, rows: [row, { ...row, hour: 8 }] }));
    for (let i = 0; i < 2; i++) addTallies(page, { partition: 0, hour: 7 }, 'ten_a', tallies);
    expect(page.tenants.ten_a).toMatchObject({ curated: 10, repeated: 2, tallied: 2 });
    const run = (accepted: number): RunDocument => ({
      ...{ id: `run:${accepted}`, key: '', ttl: 1, tenants: { ten_a: [accepted, 1, 2] } },
    });
    takeRuns(page, [run(3), run(4)]);
    takeRuns(page, [run(3), run(4)]);
    expect(page.tenants.ten_a).toMatchObject({ accepted: 7, unanswered: 2, refused: 4 });
    // A run's document has expired.
    takeRuns(page, [run(3)]);
    expect(page.tenants.ten_a!.accepted).toBe(7);
  });

  it('is complete once the landing has gone past the hour, its grace and whatever was told of it last', () => {
    const hour = 100;
    const ended = (hour + 1) * HOUR_MS;
    const standing = { now: ended + HOUR_MS, countedThrough: ended + HOUR_MS, curatedThrough: new Map() };
    const page = buildPage();
    const landed = (of: Partial<typeof standing>, runs: RunDocument[] = []): boolean =>
      settledAt(page, hour, runs, { ...standing, ...of }).landed;
    expect(landed({})).toBe(true);
    expect(landed({ now: ended })).toBe(false);
    expect(landed({ countedThrough: ended })).toBe(false);
    expect(landed({ countedThrough: ended, now: ended + 25 * HOUR_MS })).toBe(true);
    // A replay of dead letters, a week later.
    const replayed: RunDocument = {
      id: 'run:1',
      key: '',
      tenants: {},
      ttl: 1,
      _ts: (ended + 7 * 86_400_000) / 1000,
    };
    expect(landed({}, [replayed])).toBe(false);
    addFile(page, file(5, 1));
    expect(settledAt(page, hour, [], standing).curated).toBe(false);
    const curatedThrough = new Map([['1-1', 5]]);
    expect(settledAt(page, hour, [], { ...standing, curatedThrough }).curated).toBe(true);
  });
});

describe('what counts amount to', () => {
  const counts = { ...noCounts(), accepted: 10, refused: 2, landed: 8, curated: 6, repeated: 1 };
  const all = { landed: true, curated: true };
  const none = { landed: false, curated: false };

  it('is in flight and to be curated while that may be, and unexplained when it may not', () => {
    expect(balanceOf(counts, none)).toMatchObject({ inFlight: 2, notYetCurated: 1, lost: 0, uncurated: 0 });
    expect(balanceOf(counts, all)).toEqual({
      ...{ inFlight: 0, notYetCurated: 0, untold: 0 },
      ...{ lost: 2, lettersLost: 2, uncurated: 1 },
    });
    expect(balanceOf(counts, all, 'CURATION')).toMatchObject({ lost: 2, uncurated: 0 });
    expect(balanceOf(counts, all, 'ALL')).toMatchObject({ lost: 0, lettersLost: 0, uncurated: 0 });
  });

  it('is no loss where more has landed than was told, and untold where no late answer explains it', () => {
    const more = { ...noCounts(), accepted: 10, unanswered: 3, landed: 15, curated: 15 };
    expect(balanceOf(more, all)).toMatchObject({ lost: 0, untold: 2, uncurated: 0 });
  });
});

describe('a gateway’s counts', () => {
  const build = (partitions = () => 4) => {
    const written: AcceptedBook[][] = [];
    let away = false;
    const counts = createAcceptedCounts({
      logger,
      partitionCount: partitions,
      writer: {
        write(books) {
          if (away) return Promise.reject(new Error('away'));
          written.push(structuredClone([...books]));
          return Promise.resolve();
        },
      },
    });
    /** The last that was written of each book, added up. */
    const told = (): Record<string, [number, number, number]> => {
      const last = new Map(written.flat().map((book) => [`${book.id}/${book.partition}/${book.hour}`, book]));
      const sums: Record<string, [number, number, number]> = {};
      for (const { tenants, hour } of last.values()) {
        for (const [tenantId, each] of Object.entries(tenants)) {
          const sum = (sums[`${tenantId}/${hour}`] ??= [0, 0, 0]);
          each.forEach((count, i) => (sum[i as 0]! += count));
        }
      }
      return sums;
    };
    return { counts, written, told, setAway: (is: boolean) => (away = is) };
  };

  it('stand by tenant and hour of receipt, and are told again until they are stored', async () => {
    const { counts, told, setAway, written } = build();
    const reading = (tenantId: string, receivedAt: number) => buildReading({ tenantId, receivedAt });
    setAway(true);
    counts.accepted([reading('ten_a', 5), reading('ten_a', 5), reading('ten_b', 5)], []);
    counts.accepted([reading('ten_a', HOUR_MS)], [{ tenantId: 'ten_a', buildingId: '', receivedAt: 6 }]);
    await counts.stop();
    expect(written).toEqual([]);
    setAway(false);
    counts.unanswered([reading('ten_b', 7)]);
    await counts.stop();
    expect(told()).toEqual({ 'ten_a/0': [2, 0, 1], 'ten_b/0': [1, 1, 0], 'ten_a/1': [1, 0, 0] });
    // What was told and is of an hour long ago was put away: what comes of it later stands in a book of its own.
    counts.accepted([reading('ten_a', 8)], []);
    await counts.stop();
    expect(told()['ten_a/0']).toEqual([3, 0, 1]);
  });

  it('add up however messages come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            tenant: fc.constantFrom('ten_a', 'ten_b'),
            building: fc.constantFrom('bld_a', 'bld_b', 'bld_c'),
            hour: fc.integer({ min: 0, max: 2 }),
            readings: fc.integer({ min: 1, max: 4 }),
            tell: fc.boolean(),
          }),
          { maxLength: 40 },
        ),
        async (messages) => {
          let partitions = 4;
          const { counts, told } = build(() => partitions);
          const expected: Record<string, number> = {};
          for (const { tenant: tenantId, building: buildingId, hour, readings, tell } of messages) {
            const each = buildReading({ tenantId, buildingId, receivedAt: hour * HOUR_MS + 1 });
            counts.accepted(
              Array.from({ length: readings }, () => each),
              [],
            );
            expected[`${tenantId}/${hour}`] = (expected[`${tenantId}/${hour}`] ?? 0) + readings;
            if (tell) await counts.stop();
            // The hub was made again.
            if (tell) partitions = partitions === 4 ? 8 : 4;
          }
          await counts.stop();
          expect(
            Object.fromEntries(Object.entries(told()).map(([key, [accepted]]) => [key, accepted])),
          ).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });
});
