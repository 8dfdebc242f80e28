import { DeadLettersDocument, ReplayDeadLettersDocument } from '../../simulator/generated/graphql';
import { documentsOf } from '../../src/dead-letters/filing';
import { createDeadLettersWriter } from '../../src/store/dead-letters/writer';
import { buildRefused } from '../dead-letters/letters';
import { buildBuilding, freshKey, NORTH, type Person, startApi, type TestApi } from './api.support';

describe('dead letters', () => {
  let api: TestApi;
  let owner: Person;
  let building: string;
  let deviceId: string;
  const start = Date.now() - 60_000;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    const made = await buildBuilding(api, owner, NORTH);
    building = made.building.id;
    deviceId = made.deviceId;
    const refused = Array.from({ length: 5 }, (_, i) =>
      buildRefused({
        tenantId: NORTH,
        buildingId: building,
        deviceId: i === 4 ? 'dev_unknown' : deviceId,
        observedAt: i === 3 ? Number.MAX_SAFE_INTEGER : start + i,
        receivedAt: start + i,
        code: i === 0 ? 'UNIT_MISMATCH' : 'VALUE_OUT_OF_RANGE',
      }),
    );
    const [first] = refused;
    const large = { ...first!.letter!, payload: Buffer.alloc(200_000) };
    const incarnation = '1790000000000-8';
    const documents = [refused, [{ ...first!, receivedAt: start + 9, letter: large }]].flatMap(
      (each, sequence) =>
        documentsOf(
          each,
          { incarnation, partition: 0, sequence, enqueuedAt: start + sequence * 1_000 },
          86_400,
        ),
    );
    await createDeadLettersWriter({ cosmos: api.cosmos }).create(documents);
  });
  afterAll(() => api.stop());

  const ask = async (variables: { first?: number; after?: string | null; code?: 'UNIT_MISMATCH' }) => {
    const { data, errors } = await api.ask(owner, DeadLettersDocument, { building, ...variables });
    expect(errors).toBeUndefined();
    return data!.building!.deadLetters!;
  };

  it('are listed newest first, page by page, with their messages', async () => {
    const seen: string[] = [];
    for (let after: string | null = null; ;) {
      const { nodes, pageInfo } = await ask({ first: 4, after });
      seen.push(...nodes.map(({ receivedAt }) => String(receivedAt)));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor!;
    }
    expect(seen).toEqual([9, 4, 3, 2, 1, 0].map((i) => new Date(start + i).toISOString()));
    const { nodes } = await ask({});
    const [large, unknown, strange, usual] = nodes;
    expect(large).toMatchObject({ replayable: false, payload: null });
    expect(unknown!.device).toBeNull();
    // An instant that no date can say.
    expect(strange!.observedAt).toBeNull();
    expect(usual).toMatchObject({
      device: { id: deviceId },
      channel: 'temperature',
      code: 'VALUE_OUT_OF_RANGE',
      protocol: 'MQTT',
      contentType: 'application/senml+json',
      replayable: true,
      replay: null,
    });
    expect(JSON.parse(Buffer.from(usual!.payload!, 'base64').toString())[0].n).toBe('temperature');
    expect((await ask({ code: 'UNIT_MISMATCH' })).nodes).toHaveLength(2);
  });

  it('are replayed by a job that is the same for the same key', async () => {
    const replay = async (input: object, idempotencyKey = freshKey()) => {
      const { data, errors } = await api.ask(owner, ReplayDeadLettersDocument, {
        input: { ...input, idempotencyKey },
      });
      expect(errors).toBeUndefined();
      return data!.replayDeadLetters;
    };
    const key = freshKey();
    const first = await replay({ buildingId: building }, key);
    expect(first).toMatchObject({ job: { state: 'QUEUED', total: 5 } });
    expect(await replay({ buildingId: building }, key)).toEqual(first);
    expect(await replay({ buildingId: building, filter: { code: 'UNIT_MISMATCH' } }, key)).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await replay({ buildingId: building, filter: { code: 'UNIT_MISMATCH' } })).toMatchObject({
      job: { total: 1 },
    });
    const { nodes } = await ask({});
    const ids = [nodes[0]!.id, nodes[1]!.id, nodes[2]!.id, 'nonsense'];
    expect(await replay({ buildingId: building, filter: { ids } })).toMatchObject({ job: { total: 2 } });
    // As many and as long as a request may hold: what they find is a job all the same.
    const many = [...ids, ...Array.from({ length: 9_996 }, (_, i) => `${i} ${'-'.repeat(300)}`)];
    expect(await replay({ buildingId: building, filter: { ids: many } })).toMatchObject({
      job: { total: 2 },
    });
    const to = new Date(start).toISOString();
    for (const filter of [{ ids: ['nonsense'] }, { deviceId: 'dev_none' }, { to }]) {
      expect(await replay({ buildingId: building, filter })).toMatchObject({
        code: 'INVALID_INPUT',
        path: ['input', 'filter'],
      });
    }
    for (const input of [{}, { buildingId: building, tenantId: NORTH }]) {
      expect(await replay(input)).toMatchObject({ code: 'INVALID_INPUT' });
    }
  });
});
