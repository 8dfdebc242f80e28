import { createEngine, type Engine } from '../../../src/aggregate/engine';
import { horizonsFor } from '../../../src/aggregate/horizons';
import { documentsOf } from '../../../src/dead-letters/filing';
import { quantityNamed, type QuantityName } from '../../../src/domain/quantity';
import { type Reading } from '../../../src/domain/reading';
import { createAveragesWriter } from '../../../src/store/averages-writer';
import { createDeadLettersWriter } from '../../../src/store/dead-letters/writer';
import { hourOfInstant, noCounts } from '../../../src/domain/ingestion';
import { hourId, tenantKey } from '../../../src/store/ingestion/documents';
import { createFrameBuilder, decodeFrame, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../../src/stream/frame';
import { createRaiser, HOT } from '../../alerts/alerts.support';
import { type OwnWorld } from '../../isolation/in-process';
import { buildRefused } from '../../dead-letters/letters';
import { type Houses, hear } from './house';
import { type Random } from './random';

/** A platform as it is fed: what tells of presence comes from its own random source, all else from one that both share. */
export interface Run {
  readonly world: OwnWorld;
  /** A stretch of so many seconds, up to this instant (seconds since 1970). */
  feed(shared: Random, until: number, seconds: number): Promise<void>;
  /** Tells of the minutes so far, as the worker stores them. */
  record(): Promise<void>;
  readonly presenceReadings: number;
  readonly otherReadings: number;
}

/** Kept apart from the rule that is tried. */
const ALWAYS_HIDDEN: readonly QuantityName[] = ['OCCUPANCY', 'INTRUSION', 'MOTION_LEVEL'];
const INCARNATION = '1790000000000-8';
const PARTITION = 0;
const LATENESS_MS = 300_000;

export function createRun({ houses, world, own }: { houses: Houses; world: OwnWorld; own: Random }): Run {
  const { buildingId, tenantId, devices, level, rooms, chosen } = houses;
  const place = { tenantId, buildingId };
  const hidden: readonly QuantityName[] = [...ALWAYS_HIDDEN, ...chosen];
  const hides = (quantity: QuantityName): boolean => hidden.includes(quantity);
  const raiser = createRaiser(world.cosmos);
  const letters = createDeadLettersWriter({ cosmos: world.cosmos });
  let sequence = 0;
  let presenceReadings = 0;
  let otherReadings = 0;
  const engine: Engine = createEngine({
    ...{ incarnation: INCARNATION, partition: PARTITION, horizons: horizonsFor(LATENESS_MS) },
    expected: (_, quantity) =>
      devices.filter(({ assignments }) => assignments.some((each) => each.quantity === quantity)).length,
    tree: { ancestors: (_building, spaceId) => (spaceId === level ? [] : [level]) },
    onFinal: () => undefined,
    now: () => engine.second * 1_000,
  });

  /** What a device's channels measured within a second. */
  function readingsOf(random: Random, second: number, presence: boolean, likely: number): Reading[] {
    return devices.flatMap(({ id, assignments }) =>
      assignments.flatMap(({ quantity, ...point }): Reading[] => {
        if (hides(quantity) !== presence || random.share() > likely) return [];
        const { code, kind } = quantityNamed(quantity);
        const value = kind === 'state' ? random.whole(2) : 18 + random.whole(600) / 100;
        const observedAt = second * 1_000 - random.whole(900);
        return [
          {
            ...{ tenantId, buildingId, spaceId: point.spaceId, pointId: point.pointId, deviceId: id },
            ...{ pointOrdinal: point.pointOrdinal, deviceOrdinal: point.deviceOrdinal, quantity: code },
            ...{ observedAt, receivedAt: second * 1_000, value },
          },
        ];
      }),
    );
  }

  /** Events of the stream: of the two kinds together, or apart, so that there are more or fewer. */
  function apply(second: number, common: Reading[], presence: Reading[]): void {
    const frames = own.whole(2) === 0 ? [[...common, ...presence]] : [presence, common];
    for (const readings of frames) {
      if (readings.length === 0) continue;
      const builder = createFrameBuilder();
      for (const reading of readings) builder.add(reading);
      engine.apply(
        decodeFrame(builder.take(), { [SCHEMA_PROPERTY]: FRAME_SCHEMA }),
        sequence++,
        second * 1_000,
      );
    }
  }

  async function tell(): Promise<void> {
    const { second: windowEnd } = engine;
    const position = { incarnation: INCARNATION, partition: PARTITION, sequence: engine.sequence };
    const told = { position, windowEnd, asOf: windowEnd * 1_000 };
    const all = windowEnd % 60 === 0;
    for (const value of engine.takeValues(all)) await world.publish({ ...value, ...told });
    for (const value of engine.takeStates(all)) await world.publishStates({ ...value, ...told });
  }

  /** Something is refused, and something is raised: of a thermometer in both runs, of other sensors in none or some. */
  async function goWrong(shared: Random, second: number): Promise<void> {
    const refused = (model: string, random: Random) => {
      const of = devices.filter((each) => each.model === model);
      const { id } = of[random.whole(of.length)]!;
      const raw = `{"v":${random.whole(1_000)}}`;
      return buildRefused({ ...place, deviceId: id, receivedAt: second * 1_000, raw, message: raw });
    };
    const common = [refused('climate-sensor', shared), refused('climate-sensor', shared)];
    for (const letter of common) letter.letter!.payload = Buffer.from(letter.raw);
    const hidden = Array.from({ length: own.whole(4) }, () =>
      refused(['motion-meter', 'occupancy-sensor', 'room-sensor'][own.whole(3)]!, own),
    );
    const event = {
      incarnation: INCARNATION,
      partition: 0,
      sequence: sequence++,
      enqueuedAt: second * 1_000,
    };
    await letters.create(documentsOf([...hidden, ...common], event, 86_400));
    const raisedAt = second * 1_000;
    const spaceId = rooms[shared.whole(rooms.length)]!;
    for (let left = own.whole(4); left > 0; left--) {
      const quantity = (['OCCUPANCY', 'INTRUSION', 'MOTION_LEVEL', 'CO2_LEVEL'] as const)[own.whole(4)]!;
      const condition =
        quantity === 'MOTION_LEVEL'
          ? { kind: 'TOO_FEW_REPORTING' as const, share: 0.5, forMs: 0 }
          : { kind: 'STATE' as const, value: 1, forMs: 0 };
      const hiddenIn = own.whole(2) === 0 ? null : rooms[own.whole(rooms.length)]!;
      await raiser.raise({
        ...place,
        quantity,
        condition,
        spaceId: hiddenIn,
        raisedAt: raisedAt + own.whole(900),
      });
    }
    await raiser.raise({ ...place, quantity: 'AIR_TEMPERATURE', condition: HOT, spaceId, raisedAt });
    await raiser.raise({
      ...{ ...place, quantity: null, spaceId, raisedAt: raisedAt + 1 },
      condition: { kind: 'DEVICE_SILENT', intervals: 2 },
    });
  }

  return {
    world,
    get presenceReadings() {
      return presenceReadings;
    },
    get otherReadings() {
      return otherReadings;
    },
    async feed(shared, until, seconds) {
      const heard: Reading[] = [];
      const likely = own.share() / 2;
      for (let second = until - seconds + 1; second <= until; second++) {
        const common = readingsOf(shared, second, false, 0.2);
        const presence = readingsOf(own, second, true, likely);
        presenceReadings += presence.length;
        otherReadings += common.length;
        apply(second, common, presence);
        engine.advance(second);
        heard.push(...common, ...presence);
      }
      await tell();
      await goWrong(shared, until);
      if (heard.length > 0) await world.hear(heard);
      // Within the heartbeat of each, which is a minute.
      await hear(
        world,
        devices,
        new Map(
          devices.map(({ id, assignments }) => [
            id,
            until - (assignments.some(({ quantity }) => hides(quantity)) ? own : shared).whole(50),
          ]),
        ),
      );
    },
    async record() {
      const writer = createAveragesWriter({ cosmos: world.cosmos });
      for (const building of [...engine.dirtyBuildings()])
        await writer.write(buildingId, engine.takeMinutes(building, engine.second * 1_000));
      const hour = hourOfInstant(Date.now()) - 1;
      const accepted = presenceReadings + otherReadings;
      await world.cosmos.bulkUpsert('ingestion', [
        {
          ...{ id: hourId(hour, 0), key: tenantKey(tenantId), hour, partition: 0 },
          counts: { ...noCounts(), accepted, landed: accepted, curated: accepted },
          settled: { landed: true, curated: true },
        } as never,
      ]);
    },
  };
}
