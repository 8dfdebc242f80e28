import {
  CreateApiKeyDocument,
  type CreateApiKeyInput,
  RegisterDocumentsDocument,
  RetireDocumentsDocument,
  TrustedDocumentsDocument,
} from '../../simulator/generated/graphql';
import { createThrottle } from '../../src/api/throttle';
import { documentIdOf } from '../../src/domain/document-id';
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

const VIEWER = 'query Me { viewer { id } }';
const NAMED = 'query Named($id: ID!) { building(id: $id) { name } }';
const LIVE = 'subscription Live($id: ID!) { buildingAverage(building: $id) { mean } }';

/** Asks over HTTP as a client does that knows its documents' ids. */
async function post(api: TestApi, who: { token: string }, body: object) {
  const response = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${who.token}`,
    },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    ...((await response.json()) as {
      data?: unknown;
      errors?: { message: string; extensions: Record<string, unknown> }[];
      extensions?: { cost: { throttleStatus: { currentlyAvailable: number } } };
    }),
  };
}

async function overWebSocket(api: TestApi, who: { token: string }, payload: object): Promise<unknown> {
  const values = api.subscriber(who).iterate({ query: '', ...payload });
  try {
    const { value } = (await values.next()) as { value: { data?: unknown; errors?: unknown } };
    return value;
  } catch (errors) {
    return { errors };
  } finally {
    await values.return?.();
  }
}

async function byServerSentEvents(api: TestApi, who: { token: string }, payload: object): Promise<unknown> {
  const response = await fetch(`${api.url}/graphql/stream`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${who.token}`,
    },
    body: JSON.stringify(payload),
  });
  const reader = response.body!.getReader();
  let text = '';
  while (!/data: (.+)\n\n/.test(text)) {
    const { value, done } = await reader.read();
    if (done) break;
    text += Buffer.from(value).toString();
  }
  await reader.cancel();
  return JSON.parse(/data: (.+)\n\n/.exec(text)![1]!) as unknown;
}

describe('trusted documents', () => {
  let api: TestApi;
  let owner: Person;
  let southerner: Person;
  let building: { id: string; tenantId: string };
  beforeAll(async () => {
    // Next to nothing comes back, so that what is left tells exactly what was paid.
    const bucket = { capacity: 1_000_000, restorePerSecond: 1e-6 };
    api = await startApi({ throttle: createThrottle({ client: bucket, tenant: bucket }) });
    owner = await api.person('owner', NORTH, 'OWNER');
    southerner = await api.person('southerner', SOUTH, 'OWNER');
    ({ building } = await buildBuilding(api, owner, NORTH, { devices: 1 }));
  });
  afterAll(() => api.stop());

  const register = async (who: Person, tenantId: string, client: string, texts: string[], key = freshKey()) =>
    (
      await api.ask(who, RegisterDocumentsDocument, {
        input: {
          tenantId,
          client,
          documents: texts.map((text) => ({ documentId: documentIdOf(text), text })),
          idempotencyKey: key,
        },
      })
    ).data!.registerDocuments;

  it('are executed by their ids, over every transport, as their texts are', async () => {
    const made = await register(owner, NORTH, 'app', [VIEWER, NAMED, LIVE]);
    expect(made).toEqual({
      __typename: 'RegisterDocumentsSuccess',
      documents: [VIEWER, NAMED, LIVE].map((text) => ({ documentId: documentIdOf(text), clients: ['app'] })),
    });
    const named = { documentId: documentIdOf(NAMED), variables: { id: building.id } };
    expect(await post(api, owner, named)).toMatchObject({
      status: 200,
      data: { building: { name: 'Building 25' } },
    });
    const search = new URLSearchParams({
      documentId: named.documentId,
      variables: JSON.stringify(named.variables),
    });
    const got = await fetch(`${api.url}/graphql?${String(search)}`, {
      headers: { 'apollo-require-preflight': '1', authorization: `Bearer ${owner.token}` },
    });
    expect([got.status, await got.json()]).toMatchObject([
      200,
      { data: { building: { name: 'Building 25' } } },
    ]);
    expect(await overWebSocket(api, owner, named)).toMatchObject({
      data: { building: { name: 'Building 25' } },
    });
    expect(await byServerSentEvents(api, owner, named)).toMatchObject({
      data: { building: { name: 'Building 25' } },
    });
    const live = { documentId: documentIdOf(LIVE), variables: { id: building.id } };
    await api.publish(average(building, { mean: 21 }));
    const mean = { data: { buildingAverage: { mean: 21 } } };
    await eventually(async () => expect(await overWebSocket(api, owner, live)).toMatchObject(mean));
    expect(await byServerSentEvents(api, owner, live)).toMatchObject(mean);
  });

  it('cost nothing for their texts', async () => {
    const left = async (body: object): Promise<number> =>
      (await post(api, owner, body)).extensions!.cost.throttleStatus.currentlyAvailable;
    const text = 'query Long { viewer { id } } # '.padEnd(4_000, 'x');
    await register(owner, NORTH, 'app', [text]);
    const before = await left({ documentId: documentIdOf(text) });
    expect(before - (await left({ documentId: documentIdOf(text) }))).toBe(1);
    // 4,000 characters that are not known.
    expect(before - (await left({ query: text.replace('Long', 'More') }))).toBe(1 + 1 + 1_000);
  });

  it('are found in one’s own tenants alone, whatever is registered elsewhere', async () => {
    await register(owner, NORTH, 'app', [VIEWER]);
    const foreign = documentIdOf(VIEWER);
    const unknown = documentIdOf('query Nobody { viewer { id } }');
    const answers = [];
    for (const documentId of [foreign, unknown]) {
      api.storeCalls();
      const { status, errors } = await post(api, southerner, { documentId });
      answers.push({ status, code: errors![0]!.extensions['code'], message: errors![0]!.message });
      expect(api.storeCalls()).toEqual(['readMany directory']);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ status: 400, code: 'DOCUMENT_NOT_FOUND' });
    expect(await overWebSocket(api, southerner, { documentId: foreign })).toMatchObject({
      errors: [{ extensions: { code: 'DOCUMENT_NOT_FOUND' } }],
    });
    expect(await byServerSentEvents(api, southerner, { documentId: foreign })).toMatchObject({
      errors: [{ extensions: { code: 'DOCUMENT_NOT_FOUND' } }],
    });
    // Once it is registered it is there at once, here.
    await register(southerner, SOUTH, 'app', [VIEWER]);
    expect(await post(api, southerner, { documentId: foreign })).toMatchObject({ status: 200 });
  });

  it('may be named beside the text that they are the hash of, and beside no other', async () => {
    const text = 'query Unregistered { viewer { id } }';
    expect(await post(api, owner, { documentId: documentIdOf(text), query: text })).toMatchObject({
      status: 200,
    });
    const other = await post(api, owner, { documentId: documentIdOf(text), query: VIEWER });
    expect([other.status, other.errors![0]!.extensions['code']]).toEqual([400, 'BAD_REQUEST']);
    for (const documentId of ['sha256:x', documentIdOf(text).toUpperCase(), 7, '']) {
      const wrong = await post(api, owner, { documentId });
      expect([wrong.status, wrong.errors![0]!.extensions['code']]).toEqual([400, 'BAD_REQUEST']);
    }
  });

  it('are refused by registration where they do not fit, with the place, and none is registered', async () => {
    const good = 'query Good { viewer { id } }';
    const made = await register(owner, NORTH, 'app', [
      good,
      'query Bad {\n  viewer { shoeSize }\n}',
      'query {',
      'fragment F on Viewer { id }',
      `{ ${'viewer { id } '.repeat(150)} }`,
    ]);
    expect(made).toMatchObject({
      __typename: 'InvalidDocumentsError',
      code: 'INVALID_INPUT',
      path: ['input', 'documents', '1', 'text'],
      problems: [
        { index: 1, line: 2, column: 12, message: expect.stringContaining('shoeSize') as string },
        { index: 2, line: 1, message: expect.stringContaining('Syntax Error') as string },
        { index: 3, line: null, message: 'the document holds no operation' },
        { index: 4, message: expect.stringContaining('repeats its fields') as string },
      ],
    });
    expect((await post(api, owner, { documentId: documentIdOf(good) })).status).toBe(400);
    const { data } = await api.ask(owner, RegisterDocumentsDocument, {
      input: {
        tenantId: NORTH,
        client: 'app',
        documents: [{ documentId: documentIdOf(VIEWER), text: good }],
        idempotencyKey: freshKey(),
      },
    });
    expect(data!.registerDocuments).toMatchObject({
      __typename: 'InvalidInputError',
      path: ['input', 'documents', '0', 'documentId'],
    });
  });

  it('are one per text for several clients, gone when no client has them, and told of in the audit log', async () => {
    const text = 'query Both { viewer { email } }';
    const id = documentIdOf(text);
    const key = freshKey();
    const first = await register(owner, NORTH, 'one', [text], key);
    expect(await register(owner, NORTH, 'one', [text], key)).toEqual(first);
    expect(await register(owner, NORTH, 'one', [VIEWER], key)).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await register(owner, NORTH, 'two', [text])).toMatchObject({
      documents: [{ documentId: id, clients: ['one', 'two'] }],
    });
    const listed = async (client: string) => {
      const { data } = await api.ask(owner, TrustedDocumentsDocument, { tenant: NORTH, client });
      return data!.tenant!.trustedDocuments!.nodes.map(({ documentId }) => documentId);
    };
    expect([await listed('one'), await listed('two'), await listed('three')]).toEqual([[id], [id], []]);
    const retire = async (client: string) =>
      (
        await api.ask(owner, RetireDocumentsDocument, {
          input: { tenantId: NORTH, client, documentIds: [id, documentIdOf(VIEWER)] },
        })
      ).data!.retireDocuments;
    expect(await retire('one')).toMatchObject({ documentIds: [id] });
    expect(await retire('one')).toMatchObject({ documentIds: [] });
    expect([await listed('one'), await listed('two')]).toEqual([[], [id]]);
    expect(await retire('two')).toMatchObject({ documentIds: [id] });
    expect(await listed('two')).toEqual([]);
    expect((await post(api, owner, { documentId: id })).status).toBe(400);
    const { data } = await api.ask<
      { tenant: { auditLog: { nodes: { action: string; subject: string }[] } } },
      object
    >(owner, '{ tenant(id: "ten_north") { auditLog(first: 4) { nodes { action subject } } } }');
    const told = data!.tenant.auditLog.nodes.map(({ action, subject }) => `${action} ${subject}`).sort();
    expect(told).toEqual([
      'document.register one',
      'document.register two',
      'document.retire one',
      'document.retire two',
    ]);
  });

  const keyOf = async (parts: Pick<CreateApiKeyInput, 'permissions'> & Partial<CreateApiKeyInput>) => {
    const input = { tenantId: NORTH, name: 'Key', expiresInDays: 1, idempotencyKey: freshKey(), ...parts };
    const made = (await api.ask(owner, CreateApiKeyDocument, { input })).data!.createApiKey;
    if (made.__typename !== 'CreateApiKeySuccess') throw new Error(made.message);
    return { token: made.secret! };
  };

  it('are all that a key may execute that is locked to them, by id or by text, over every transport', async () => {
    const live = { query: LIVE, variables: { id: building.id } };
    await register(owner, NORTH, 'app', [NAMED, VIEWER]);
    const key = await keyOf({
      permissions: ['READ_AVERAGES'],
      documents: [documentIdOf(NAMED), documentIdOf(LIVE)],
    });
    const named = { data: { building: { name: 'Building 25' } } };
    const variables = { id: building.id };
    expect(await post(api, key, { documentId: documentIdOf(NAMED), variables })).toMatchObject(named);
    expect(await post(api, key, { query: NAMED, variables })).toMatchObject(named);
    expect(await overWebSocket(api, key, { documentId: documentIdOf(NAMED), variables })).toMatchObject(
      named,
    );
    await api.publish(average(building, { mean: 22 }));
    const mean = { data: { buildingAverage: { mean: 22 } } };
    await eventually(async () => expect(await overWebSocket(api, key, live)).toMatchObject(mean));
    expect(await byServerSentEvents(api, key, live)).toMatchObject(mean);

    const refused = [{ extensions: { code: 'DOCUMENT_NOT_ALLOWED' } }];
    for (const body of [
      { documentId: documentIdOf(VIEWER) },
      { query: VIEWER },
      { query: `${NAMED} `, variables },
      { query: 'not GraphQL {' },
      { query: '{ __typename }' },
    ]) {
      api.storeCalls();
      expect(await post(api, key, body)).toMatchObject({ status: 403, errors: refused });
      // Nobody looked for it: what a key may not execute is not found out about either.
      expect(api.storeCalls()).toEqual([]);
      expect(await overWebSocket(api, key, body)).toMatchObject({ errors: refused });
      expect(await byServerSentEvents(api, key, { query: '', ...body })).toMatchObject({ errors: refused });
    }
    // However a text is written into an address, it is the text that is executed that must be allowed.
    for (const search of [
      'query=%7Bviewer%7Bid%7D%7D',
      'query=&query={viewer{id}}',
      'query=%ZZ{viewer{id}}',
    ]) {
      const got = await fetch(`${api.url}/graphql?${search}`, {
        headers: { 'apollo-require-preflight': '1', authorization: `Bearer ${key.token}` },
      });
      expect(got.status).toBeGreaterThanOrEqual(400);
    }
  });

  it('are registered by the key of a build pipeline, and by no other', async () => {
    const documents = [{ documentId: documentIdOf(VIEWER), text: VIEWER }];
    const input = { tenantId: NORTH, client: 'pipeline', documents, idempotencyKey: freshKey() };
    const pipeline = await keyOf({ permissions: ['REGISTER_DOCUMENTS'] });
    const made = await api.ask(pipeline, RegisterDocumentsDocument, { input });
    expect(made.data!.registerDocuments).toMatchObject({ __typename: 'RegisterDocumentsSuccess' });
    expect(await post(api, pipeline, { documentId: documentIdOf(VIEWER) })).toMatchObject({ status: 200 });
    const other = await keyOf({ permissions: ['READ_READINGS'] });
    const confined = await keyOf({ permissions: ['REGISTER_DOCUMENTS'], buildingIds: [building.id] });
    for (const key of [other, confined]) {
      const { data } = await api.ask(key, RegisterDocumentsDocument, {
        input: { ...input, idempotencyKey: freshKey() },
      });
      expect(data!.registerDocuments).toMatchObject({
        code: expect.stringMatching(/^(FORBIDDEN|NOT_FOUND)$/),
      });
    }
  });
});
