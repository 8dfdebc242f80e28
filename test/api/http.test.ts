import { connect } from 'node:net';
import { createIdentityEmulator } from '../../emulators/identity';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ViewerDocument } from '../../simulator/generated/graphql';
import { buildBuilding, NORTH, type Person, startApi, type TestApi } from './api.support';

const ORIGIN = 'https://dashboard.example';

describe('the API over HTTP', () => {
  let api: TestApi;
  let owner: Person;
  const identityFolder = mkdtempSync(join(tmpdir(), 'atrium-identity-'));
  const identity = createIdentityEmulator({ host: '127.0.0.1', port: 0, dataDir: identityFolder });
  let issuer: string;
  beforeAll(async () => {
    ({ issuer } = await identity.start());
    api = await startApi({ issuers: [issuer], maximumBodyBytes: 100_000, origins: [ORIGIN] });
    owner = await api.person('owner', NORTH, 'OWNER');
  });
  afterAll(async () => {
    await api.stop();
    await identity.stop();
    rmSync(identityFolder, { recursive: true, force: true });
  });

  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${owner.token}`, ...headers },
      body,
    });
  const errorsOf = async (response: Response) =>
    ((await response.json()) as { errors: { message: string; extensions: Record<string, unknown> }[] })
      .errors;

  it('takes a token of the local identity provider', async () => {
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:atrium:demo-person',
        client_id: 'atrium-cli',
        user: 'owner@north.example',
      }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    await api.registry.seedTenants({
      tenants: [{ id: NORTH, name: 'North' }],
      members: [{ issuer, subject: 'demo-north-owner', tenantId: NORTH, role: 'OWNER' }],
    });
    const { data } = await api.ask({ token }, ViewerDocument);
    expect(data!.viewer.tenants).toMatchObject([{ role: 'OWNER', tenant: { id: NORTH } }]);
  });

  it('answers 401 with what is wrong where nobody is signed in', async () => {
    const expired = await api.token('owner', { seconds: -10 });
    const foreign = await api.token('owner', { audience: 'https://another.example/' });
    const cases = [
      [undefined, 'TOKEN_MISSING'],
      ['Basic b3duZXI6', 'TOKEN_MISSING'],
      ['Bearer nonsense', 'TOKEN_MALFORMED'],
      [`Bearer ${expired}`, 'TOKEN_EXPIRED'],
      [`Bearer ${foreign}`, 'TOKEN_AUDIENCE_WRONG'],
      [`Bearer ${owner.token.slice(0, -8)}AAAAAAAA`, 'TOKEN_SIGNATURE_INVALID'],
    ] as const;
    for (const [authorization, reason] of cases) {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
        body: '{"query": "{ __typename }"}',
      });
      expect([response.status, reason]).toEqual([401, reason]);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
      const [error] = await errorsOf(response);
      expect(error!.extensions).toEqual({ code: 'UNAUTHENTICATED', reason, requestId: expect.any(String) });
    }
  });

  it('lets pages of the origins it was given ask, and no others', async () => {
    const preflight = (origin: string) =>
      fetch(`${api.url}/graphql`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });
    const allowed = await preflight(ORIGIN);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(allowed.headers.get('access-control-allow-headers')).toMatch(/authorization/);
    // Tokens are sent by the page itself: no cookie of ours is ever asked for.
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    const other = await preflight('https://elsewhere.example');
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    const answer = await post('{"query": "{ viewer { id } }"}', { origin: ORIGIN });
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/retry-after/);
  });

  it('gives every error one shape with a code and the request id of the header', async () => {
    const cases: [string, number, string][] = [
      ['{', 400, 'BAD_REQUEST'],
      ['{}', 400, 'BAD_REQUEST'],
      ['[{"query": "{ __typename }"}]', 400, 'BAD_REQUEST'],
      ['{"query": "{ viewer "}', 400, 'GRAPHQL_PARSE_FAILED'],
      ['{"query": "{ viewers { id } }"}', 400, 'GRAPHQL_VALIDATION_FAILED'],
      [
        '{"query": "query A { viewer { id } } query B { viewer { id } }"}',
        400,
        'OPERATION_RESOLUTION_FAILURE',
      ],
      ['{"query": "query ($id: ID!) { building(id: $id) { id } }", "variables": {}}', 400, 'BAD_USER_INPUT'],
      ['{"query": "subscription { buildingAverage(building: \\"x\\") { mean } }"}', 400, 'BAD_REQUEST'],
      [`{"query": "{ viewer { id } }", "padding": "${'x'.repeat(100_000)}"}`, 413, 'PAYLOAD_TOO_LARGE'],
    ];
    for (const [body, status, code] of cases) {
      const response = await post(body, { accept: 'application/graphql-response+json' });
      const [error] = await errorsOf(response);
      expect([body.slice(0, 60), response.status, error!.extensions]).toEqual([
        body.slice(0, 60),
        status,
        { code, requestId: response.headers.get('x-request-id') },
      ]);
    }
  });

  it('refuses documents that are too deep, too wide, too long or could answer too much', async () => {
    const deep = `{ buildings { nodes { spaces ${'{ parent '.repeat(14)} { id } ${'}'.repeat(14)} } } }`;
    const wide = `{ ${Array.from({ length: 51 }, (_, index) => `a${index}: viewer { id }`).join(' ')} }`;
    const much =
      '{ buildings(first: 200) { nodes { devices(first: 200) { nodes { assignments { point { id } } } } } } }';
    const cyclic = 'query { viewer { ...A } } fragment A on Viewer { id ...A }';
    const long = `{ ${'viewer { id } '.repeat(600)} }`;
    const cases: [string, string][] = [
      [deep, 'DOCUMENT_TOO_COMPLEX'],
      [wide, 'DOCUMENT_TOO_COMPLEX'],
      [much, 'DOCUMENT_TOO_COMPLEX'],
      [cyclic, 'GRAPHQL_VALIDATION_FAILED'],
      [long, 'GRAPHQL_PARSE_FAILED'],
    ];
    for (const [query, code] of cases) {
      const { status, errors } = await api.ask(owner, query);
      expect([query.slice(0, 30), status, errors?.[0]?.extensions['code']]).toEqual([
        query.slice(0, 30),
        400,
        code,
      ]);
    }
    const variable =
      'query ($n: Int!) { buildings(first: $n) { nodes { devices(first: $n) { nodes { assignments { unit } } } } } }';
    expect((await api.ask(owner, variable, { n: 200 })).errors?.[0]?.extensions['code']).toBe(
      'DOCUMENT_TOO_COMPLEX',
    );
    expect((await api.ask(owner, variable, { n: 20 })).errors).toBeUndefined();
  });

  it('takes the introspection that tools send', async () => {
    const { getIntrospectionQuery } = await import('graphql');
    const { errors } = await api.ask(owner, getIntrospectionQuery());
    expect(errors).toBeUndefined();
  });

  it('refuses pages beyond the limit, made-up cursors and cursors of another list', async () => {
    const { building } = await buildBuilding(api, owner, NORTH, { devices: 3 });
    const other = await api.person('other', NORTH, 'OWNER');
    const list =
      'query ($id: ID!, $after: String, $state: DeviceState) { building(id: $id) { devices(first: 1, after: $after, state: $state) { pageInfo { endCursor } } } }';
    type Page = { building: { devices: { pageInfo: { endCursor: string } } } };
    const { data } = await api.ask<Page, object>(owner, list, { id: building.id });
    const cursor = data!.building.devices.pageInfo.endCursor;
    expect((await api.ask(owner, list, { id: building.id, after: cursor })).errors).toBeUndefined();
    const refused = [
      await api.ask(owner, '{ buildings(first: 201) { nodes { id } } }'),
      await api.ask(owner, '{ buildings(first: 0) { nodes { id } } }'),
      await api.ask(owner, list, { id: building.id, after: 'AAAA' }),
      await api.ask(owner, list, { id: building.id, after: cursor, state: 'PROVISIONED' }),
      await api.ask(other, list, { id: building.id, after: cursor }),
      await api.ask(owner, 'query ($after: String) { buildings(after: $after) { nodes { id } } }', {
        after: cursor,
      }),
    ];
    for (const { errors } of refused) expect(errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT');
  });

  it('refuses averages of a state', async () => {
    const { building } = await buildBuilding(api, owner, NORTH);
    const { data, errors } = await api.ask<{ building: { averageHistory: null } }, object>(
      owner,
      'query ($id: ID!) { building(id: $id) { averageHistory(quantity: SMOKE, from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z") { nodes { mean } } } }',
      { id: building.id },
    );
    expect(data!.building.averageHistory).toBeNull();
    expect(errors![0]!.message).toMatch(/SMOKE is a state and has no average/);
  });

  it('refuses what another site’s page could send without asking', async () => {
    const simple = await post('{"query": "{ viewer { id } }"}', { 'content-type': 'text/plain' });
    expect(simple.status).toBe(400);
    expect((await errorsOf(simple))[0]!.message).toMatch(/CSRF/);
    const get = await fetch(`${api.url}/graphql?query={__typename}`, {
      headers: { authorization: `Bearer ${owner.token}`, accept: '*/*' },
    });
    expect(get.status).toBe(400);
    expect((await errorsOf(get))[0]!.message).toMatch(/CSRF/);
  });

  it('serves GraphiQL to a browser from its own files, with the example operations', async () => {
    const page = await fetch(`${api.url}/graphql`, {
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    });
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).toContain('subscription OnBuildingAverage');
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'self'");
    const { host } = new URL(api.url);
    expect(policy).toContain(`connect-src 'self' ws://${host} wss://${host};`);
    const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
    expect(files).toHaveLength(7);
    expect(html).not.toMatch(/(?:src|href)="https?:/);
    for (const path of files) {
      const file = await fetch(`${api.url}${path}`);
      expect([path, file.status]).toEqual([path, 200]);
      expect((await file.text()).length).toBeGreaterThan(100);
    }
    expect((await fetch(`${api.url}/graphiql/..%2f..%2fpackage.json`)).status).toBe(404);
  });

  it('serves its schema, its health and its metrics to anybody', async () => {
    expect(await (await fetch(`${api.url}/schema.graphql`)).text()).toContain('type BuildingAverage {');
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${api.url}/metrics`)).text()).toContain('atrium_api_operation_seconds_bucket');
    expect((await fetch(`${api.url}/unknown`)).status).toBe(404);
  });

  it('says in one sentence what to do where its port is taken', async () => {
    const { port } = new URL(api.url);
    await expect(startApi({ port: Number(port) })).rejects.toThrow(
      `the API cannot listen on 127.0.0.1:${port}, the port is in use: stop the other program or choose another port`,
    );
  });

  it('survives a client that sends no HTTP', async () => {
    const { hostname, port } = new URL(api.url);
    const said = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.write('\0\0 hello\r\n\r\n'));
      let text = '';
      socket.on('data', (data: Buffer) => (text += data.toString()));
      socket.on('close', () => resolve(text));
    });
    expect(said).toMatch(/^HTTP\/1.1 400/);
    expect((await api.ask(owner, ViewerDocument)).status).toBe(200);
  });
});
