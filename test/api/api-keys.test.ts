import { createHash } from 'node:crypto';
import { createClient as createEventClient } from 'graphql-sse';
import { type Client } from 'graphql-ws';
import {
  ApiKeysDocument,
  BuildingAccessDocument,
  CreateApiKeyDocument,
  type CreateApiKeyInput,
  RevokeApiKeyDocument,
  ViewerDocument,
} from '../../simulator/generated/graphql';
import { apiKeyText, newApiKeySecret, parseApiKey } from '../../src/auth/api-key';
import { newId } from '../../src/domain/id';
import { type ApiKeyDocument, rightKeyOf } from '../../src/store/api-keys/documents';
import { type MembershipDocument } from '../../src/store/documents';
import { eventually } from '../support/eventually';
import {
  average,
  buildBuilding,
  freshKey,
  NORTH,
  type Person,
  SOUTH,
  startApi,
  type TestApi,
} from './api.support';

const AVERAGE = 'subscription ($id: ID!) { buildingAverage(building: $id) { mean } }';
const NAMES = '{ buildings { nodes { name } } }';

describe('API keys', () => {
  let api: TestApi;
  let owner: Person;
  let manager: Person;
  let building: { id: string; tenantId: string };
  let replica: { webSocketUrl: string };
  beforeAll(async () => {
    api = await startApi();
    replica = await api.replica();
    owner = await api.person('owner', NORTH, 'OWNER');
    manager = await api.person('manager', NORTH, 'MANAGER');
    ({ building } = await buildBuilding(api, owner, NORTH));
    await api.publish(average(building, { mean: 20 }));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.dispose();
  });
  afterAll(() => api.stop());

  const clients: Client[] = [];
  const subscriber: TestApi['subscriber'] = (...asked) => {
    const client = api.subscriber(...asked);
    clients.push(client);
    return client;
  };

  const ask = (who: Person, parts: Partial<CreateApiKeyInput>) =>
    api.ask(who, CreateApiKeyDocument, {
      input: {
        ...{ tenantId: NORTH, name: 'Dashboard', permissions: ['READ_AVERAGES'] as const },
        ...{ expiresInDays: 1, idempotencyKey: freshKey() },
        ...parts,
      } as CreateApiKeyInput,
    });
  async function make(who: Person, parts: Partial<CreateApiKeyInput> = {}) {
    const made = (await ask(who, parts)).data!.createApiKey;
    if (made.__typename !== 'CreateApiKeySuccess') throw new Error(JSON.stringify(made));
    return { id: made.apiKey.id, token: made.secret!, prefix: made.apiKey.prefix };
  }
  const revoke = (id: string) => api.ask(owner, RevokeApiKeyDocument, { input: { apiKeyId: id } });

  function follow(who: { token: string }, at?: string) {
    const outcome = { means: [] as number[], completed: false, closed: 0 };
    const client = subscriber(who, at);
    client.on('closed', (event) => (outcome.closed = (event as { code: number }).code));
    client.subscribe<{ buildingAverage: { mean: number } }>(
      { query: AVERAGE, variables: { id: building.id } },
      {
        next: ({ data }) => void outcome.means.push(data!.buildingAverage.mean),
        error: () => undefined,
        complete: () => (outcome.completed = true),
      },
    );
    return outcome;
  }

  async function change(id: string, parts: Partial<ApiKeyDocument>): Promise<void> {
    const key = await api.cosmos.read<ApiKeyDocument>('directory', rightKeyOf(id), id);
    await api.cosmos.bulkUpsert('directory', [{ ...key!, ...parts }]);
  }
  async function setRole(who: Person, role: MembershipDocument['role']): Promise<void> {
    const membership: MembershipDocument = {
      ...{ id: NORTH, key: `person:${who.scope.principal.id}`, kind: 'membership', tenantId: NORTH, role },
    };
    await api.cosmos.bulkUpsert('directory', [membership]);
  }

  it('are made once, shown once, and say who has them and when they were used', async () => {
    const idempotencyKey = freshKey();
    const key = await make(manager, { idempotencyKey, permissions: ['READ_AVERAGES', 'READ_DEVICES'] });
    expect(parseApiKey(key.token)!.id).toBe(key.id);
    expect(key.token.startsWith(key.prefix)).toBe(true);
    const again = await ask(manager, { idempotencyKey, permissions: ['READ_AVERAGES', 'READ_DEVICES'] });
    expect(again.data!.createApiKey).toMatchObject({
      apiKey: { id: key.id },
      secret: null,
      secretsAlreadyShown: true,
    });
    expect((await ask(manager, { idempotencyKey })).data!.createApiKey).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    const { data } = await api.ask(key, ViewerDocument);
    expect(data!.viewer).toMatchObject({
      id: key.id,
      email: null,
      tenants: [{ role: 'MANAGER', tenant: { id: NORTH } }],
    });
    await eventually(async () => {
      const listed = await api.ask(owner, ApiKeysDocument, { tenant: NORTH, first: 10 });
      const [first] = listed.data!.tenant!.apiKeys!.nodes;
      expect(first).toMatchObject({
        id: key.id,
        permissions: ['READ_AVERAGES', 'READ_DEVICES'],
        createdBy: manager.scope.principal.id,
        revokedAt: null,
        lastUsedAt: expect.any(String) as string,
      });
    });
    const log = await api.ask<{ tenant: { auditLog: { nodes: unknown[] } } }, object>(
      owner,
      'query ($id: ID!, $key: ID!) { tenant(id: $id) { auditLog(subject: $key) { nodes { action actor after } } } }',
      { id: NORTH, key: key.id },
    );
    expect(log.data!.tenant.auditLog.nodes).toMatchObject([
      { action: 'api-key.create', actor: manager.scope.principal.id, after: { name: 'Dashboard' } },
    ]);
    expect(JSON.stringify(log.data)).not.toContain(parseApiKey(key.token)!.secret);
  });

  it('give nobody what their maker does not have', async () => {
    const guest = await api.person('guest', SOUTH, 'OWNER');
    const { building: theirs } = await buildBuilding(api, guest, SOUTH);
    const document = `sha256:${'0'.repeat(64)}`;
    for (const [parts, code, path] of [
      [{ permissions: ['READ_AVERAGES', 'READ_AUDIT_LOG'] }, 'FORBIDDEN', 'permissions.1'],
      [{ permissions: [] }, 'INVALID_INPUT', 'permissions'],
      [{ buildingIds: [building.id, theirs.id] }, 'NOT_FOUND', 'buildingIds.1'],
      [{ buildingIds: [] }, 'INVALID_INPUT', 'buildingIds'],
      [{ documents: [document, 'sha256:0'] }, 'INVALID_INPUT', 'documents.1'],
      [{ expiresInDays: 0 }, 'INVALID_INPUT', 'expiresInDays'],
      [{ expiresInDays: 367 }, 'INVALID_INPUT', 'expiresInDays'],
      [{ tenantId: SOUTH }, 'NOT_FOUND', 'tenantId'],
    ] as const) {
      const { data } = await ask(manager, parts as Partial<CreateApiKeyInput>);
      expect([parts, data!.createApiKey]).toMatchObject([
        parts,
        { code, path: ['input', ...path.split('.')] },
      ]);
    }
  });

  it('see the buildings they are limited to and no other, and nothing that is shared with their maker', async () => {
    await buildBuilding(api, owner, NORTH, { name: 'Another' });
    const key = await make(owner, { buildingIds: [building.id] });
    const { data } = await api.ask<object, object>(key, NAMES);
    expect(data).toEqual({ buildings: { nodes: [{ name: 'Building 25' }] } });
    const { data: made } = await api.ask<object, object>(
      key,
      `mutation ($input: CreateBuildingInput!) { createBuilding(input: $input) { ... on UserError { code } } }`,
      {
        input: {
          tenantId: NORTH,
          name: 'Mine',
          timeZone: 'Europe/Berlin',
          spaces: [],
          idempotencyKey: freshKey(),
        },
      },
    );
    expect(made).toEqual({ createBuilding: { code: 'NOT_FOUND' } });
  });

  it('may change nothing that is for people, whatever they name', async () => {
    const key = await make(owner, { permissions: ['READ_BUILDINGS', 'MAINTAIN_DEVICES'] });
    const input = { idempotencyKey: freshKey() };
    for (const [mutation, type, value] of [
      ['acceptGrant', 'AcceptGrantInput', { ...input, grantCode: '00000' }],
      ['revokeGrant', 'RevokeGrantInput', { grantId: newId('gra') }],
      ['revokeApiKey', 'RevokeApiKeyInput', { apiKeyId: key.id }],
      [
        'createApiKey',
        'CreateApiKeyInput',
        { ...input, tenantId: NORTH, name: 'X', permissions: ['READ_AVERAGES'] },
      ],
      ['deleteWebhook', 'DeleteWebhookInput', { webhookId: newId('whk') }],
    ] as const) {
      api.storeCalls();
      const { data } = await api.ask<object, object>(
        key,
        `mutation ($input: ${type}!) { ${mutation}(input: $input) { ... on UserError { code message } } }`,
        { input: value },
      );
      expect(data).toEqual({
        [mutation]: { code: 'FORBIDDEN', message: 'an API key may not do this: somebody has to sign in' },
      });
      expect(api.storeCalls().filter((call) => call !== 'read directory')).toEqual([]);
    }
  });

  it('are refused alike where they are unknown, wrong, revoked or expired, by one look into the store', async () => {
    const [wrong, revoked, expired] = [await make(owner), await make(owner), await make(owner)];
    await revoke(revoked.id);
    await change(expired.id, { expiresAt: Date.now() - 1 });
    const refused = await Promise.all(
      [
        apiKeyText({ id: newId('key'), secret: newApiKeySecret() }),
        apiKeyText({ id: wrong.id, secret: newApiKeySecret() }),
        revoked.token,
        expired.token,
      ].map(async (token) => ({ token })),
    );
    const answers = [];
    for (const who of refused) {
      api.storeCalls();
      const { status, headers, errors } = await api.ask(who, ViewerDocument);
      const challenge = headers.get('www-authenticate');
      const [{ message, extensions }] = errors as [NonNullable<typeof errors>[number]];
      const { requestId: _requestId, ...said } = extensions;
      answers.push({ status, challenge, message, said, calls: api.storeCalls() });
      // A moment later not even that.
      expect((await api.ask(who, ViewerDocument)).status).toBe(401);
      expect(api.storeCalls()).toEqual([]);
    }
    expect(answers).toEqual(Array(4).fill(answers[0]));
    expect(answers[0]).toMatchObject({
      status: 401,
      said: { code: 'UNAUTHENTICATED', reason: 'API_KEY_INVALID' },
      calls: ['read directory'],
    });
    const mistyped = { token: wrong.token.slice(0, -1) + (wrong.token.endsWith('0') ? '1' : '0') };
    const { status, errors } = await api.ask(mistyped, ViewerDocument);
    expect([status, errors![0]!.extensions['reason']]).toEqual([401, 'TOKEN_MALFORMED']);
    expect(JSON.stringify(errors)).not.toContain(wrong.token.slice(4, 40));
    expect(api.storeCalls()).toEqual([]);
    expect((await api.ask(wrong, ViewerDocument)).status).toBe(200);
    const late = follow(revoked);
    await eventually(() => expect(late.closed).toBe(4401));
  });

  it('are revoked on every replica: requests are refused, sockets and streams closed', async () => {
    const [ending, staying] = [await make(owner), await make(owner)];
    const open = [follow(ending), follow(ending, replica.webSocketUrl)];
    const other = follow(staying, replica.webSocketUrl);
    const stream = { means: 0, said: '', completed: false };
    const events = createEventClient({
      url: `${api.url}/graphql/stream`,
      headers: { authorization: `Bearer ${ending.token}` },
      retryAttempts: 0,
    });
    events.subscribe<object>(
      { query: AVERAGE, variables: { id: building.id } },
      {
        next: ({ data, errors }) => (data ? stream.means++ : (stream.said = JSON.stringify(errors))),
        error: () => undefined,
        complete: () => (stream.completed = true),
      },
    );
    await eventually(() =>
      expect([...open, other].map(({ means }) => means.length).concat(stream.means)).toEqual([1, 1, 1, 1]),
    );
    expect((await revoke(ending.id)).data!.revokeApiKey).toMatchObject({ apiKey: { id: ending.id } });
    await eventually(() => expect(open.map(({ closed }) => closed)).toEqual([4401, 4401]));
    await eventually(() =>
      expect([stream.completed, stream.said]).toEqual([true, expect.stringContaining('ACCESS_WITHDRAWN')]),
    );
    await eventually(async () => expect((await api.ask(ending, ViewerDocument)).status).toBe(401));
    expect([other.closed, (await api.ask(staying, ViewerDocument)).status]).toEqual([0, 200]);
    events.dispose();
    // Once more changes nothing.
    expect((await revoke(ending.id)).data!.revokeApiKey).toMatchObject({ apiKey: { id: ending.id } });
  });

  it('lose with their maker what the maker loses, also where they are open', async () => {
    const leaving = await api.person('leaving', NORTH, 'MANAGER');
    const key = await make(leaving, { permissions: ['READ_AVERAGES', 'READ_DEVICES'] });
    const averages = follow(key, replica.webSocketUrl);
    const devices = { told: 0, completed: false };
    api.subscriber(key).subscribe(
      {
        query: 'subscription ($id: ID!) { deviceStatus(building: $id) { __typename } }',
        variables: { id: building.id },
      },
      { next: () => devices.told++, error: () => undefined, complete: () => (devices.completed = true) },
    );
    await eventually(() => expect(averages.means).toEqual([20]));
    const count = 'query ($id: ID!) { building(id: $id) { devices { nodes { id } } } }';
    expect((await api.ask(key, count, { id: building.id })).errors).toBeUndefined();
    await setRole(leaving, 'VIEWER');
    await eventually(() => expect(devices.completed).toBe(true));
    await eventually(async () => {
      const { errors } = await api.ask(key, count, { id: building.id });
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    });
    expect([averages.closed, averages.completed]).toEqual([0, false]);
    await setRole(leaving, null);
    await eventually(() => expect(averages.closed).toBe(4401));
    await eventually(async () => {
      expect((await api.ask<object, object>(key, NAMES)).data).toEqual({ buildings: { nodes: [] } });
    });
  });

  it('close what is open when they expire, so that its client comes again', async () => {
    let closed = 0;
    // A slow machine has not signed in yet when the first expires.
    for (const milliseconds of [300, 5_000, 60_000]) {
      if (closed === 4403) break;
      const key = await make(owner);
      await change(key.id, { expiresAt: Date.now() + milliseconds });
      const open = follow(key);
      await eventually(() => expect(open.closed).not.toBe(0), { within: 2 * milliseconds + 10_000 });
      closed = open.closed;
      expect(open.completed).toBe(false);
      expect((await api.ask(key, ViewerDocument)).status).toBe(401);
    }
    expect(closed).toBe(4403);
  }, 120_000);

  it('share an execution with others of equal rights and no one else', async () => {
    const executions = async (): Promise<number> =>
      Number(/atrium_api_shared_executions\{.*\} (\d+)$/m.exec(await api.metrics.metrics())![1]);
    await eventually(async () => expect(await executions()).toBe(0));
    await api.publish(average(building, { quantityName: 'MOTION_LEVEL', mean: 7 }));
    const quantities = '{ building(id: "ID") { averages { quantity } } }'.replace('ID', building.id);
    await eventually(async () => {
      const { data } = await api.ask<{ building: { averages: unknown[] } }, object>(owner, quantities);
      expect(data!.building.averages).toHaveLength(2);
    });
    const keys = [
      await make(owner),
      await make(manager, { buildingIds: [building.id] }),
      await make(owner, { permissions: ['READ_AVERAGES', 'READ_PRESENCE'] }),
      await make(owner, { permissions: ['READ_STATES'] }),
    ];
    const told = keys.map((key) => {
      const said: string[] = [];
      subscriber(key).subscribe<{ buildingAverage: { quantity: string } }>(
        {
          query: 'subscription ($id: ID!) { buildingAverage(building: $id) { quantity } }',
          variables: { id: building.id },
        },
        {
          next: ({ data, errors }) =>
            void said.push(data?.buildingAverage?.quantity ?? JSON.stringify(errors)),
          error: (error) => void said.push(JSON.stringify(error)),
          complete: () => undefined,
        },
      );
      return said;
    });
    await eventually(() => expect(told.map(({ length }) => length)).toEqual([1, 1, 2, 1]));
    expect(told.slice(0, 3).map((each) => each.sort())).toEqual([
      ['AIR_TEMPERATURE'],
      ['AIR_TEMPERATURE'],
      ['AIR_TEMPERATURE', 'MOTION_LEVEL'],
    ]);
    expect(told[3]![0]).toContain('NOT_FOUND');
    expect(await executions()).toBe(2);
  });

  it('that are locked to documents execute these, to the letter, and no other', async () => {
    const hash = createHash('sha256').update(NAMES).digest('hex');
    const key = await make(owner, { documents: [`sha256:${hash}`] });
    expect((await api.ask<object, object>(key, NAMES)).data).toMatchObject({ buildings: {} });
    for (const other of [`${NAMES} `, '{ viewer { id } }']) {
      const { errors } = await api.ask<object, object>(key, other);
      expect(errors).toMatchObject([{ extensions: { code: 'DOCUMENT_NOT_ALLOWED' } }]);
    }
  });

  it('are among what an owner sees of who can see a building', async () => {
    const { building: house } = await buildBuilding(api, owner, NORTH, { name: 'Watched' });
    const [one, other] = [
      await make(owner, { buildingIds: [house.id] }),
      await make(owner, { buildingIds: [building.id] }),
    ];
    const ended = await make(owner, { buildingIds: [house.id] });
    await revoke(ended.id);
    const ids: string[] = [];
    const page = async (after: string | null) =>
      (await api.ask(owner, BuildingAccessDocument, { building: house.id, first: 3, after })).data!.building!
        .access!;
    for (let after: string | null = null; ;) {
      const { nodes, pageInfo }: Awaited<ReturnType<typeof page>> = await page(after);
      ids.push(...nodes.flatMap(({ apiKey }) => (apiKey ? [apiKey.id] : [])));
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor!;
    }
    expect([ids[0], new Set(ids).size]).toEqual([one.id, ids.length]);
    expect(ids).not.toContain(other.id);
    expect(ids).not.toContain(ended.id);
  });

  it('made up by somebody cost no more looks into the store than an address may have', async () => {
    const key = await make(owner);
    expect((await api.ask(key, ViewerDocument)).status).toBe(200);
    api.storeCalls();
    const statuses = await Promise.all(
      Array.from({ length: 80 }, async () => {
        const token = apiKeyText({ id: newId('key'), secret: newApiKeySecret() });
        return (await api.ask({ token }, ViewerDocument)).status;
      }),
    );
    const lookedUp = api.storeCalls().length;
    expect([401, 429].map((code) => statuses.filter((status) => status === code).length)).toEqual([
      lookedUp,
      80 - lookedUp,
    ]);
    // Whoever is known goes on.
    expect((await api.ask(key, ViewerDocument)).status).toBe(200);
  });

  it('and access tokens are all that the API takes: a device’s is none', async () => {
    const sas = `SharedAccessSignature sr=${encodeURIComponent('gateway.example/devices/dev_1')}&sig=AAAA&se=4102444800`;
    for (const authorization of [sas, `Bearer ${sas}`, `Bearer ${encodeURIComponent(sas)}`]) {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify({ query: NAMES }),
      });
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain('AAAA');
    }
  });
});
