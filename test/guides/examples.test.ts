import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createIdentityEmulator, DEMO_PEOPLE } from '../../emulators/identity';
import { BuildingsDocument, ViewerDocument } from '../../simulator/generated/graphql';
import { createGraphqlClient } from '../../simulator/graphql-client';
import { average, buildBuilding, NORTH, type Person, startApi, type TestApi } from '../api/api.support';
import { eventually } from '../support/eventually';

const run = promisify(execFile);
const examples = join(__dirname, '..', '..', 'examples');

describe('the example programs', () => {
  let api: TestApi;
  let owner: Person;
  let buildingId: string;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    ({
      building: { id: buildingId },
    } = await buildBuilding(api, owner, NORTH, { devices: 2 }));
  });
  afterAll(() => api.stop());

  it('register what a client was built with, which then names its documents by their ids', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'atrium-example-'));
    const identity = createIdentityEmulator({ host: '127.0.0.1', port: 0, dataDir: folder });
    const { issuer } = await identity.start();
    const reached = await startApi({ issuers: [issuer] });
    const client = createGraphqlClient({
      api: `${reached.url}/graphql`,
      identity: issuer,
      user: 'owner@north.example',
    });
    try {
      const { subject } = DEMO_PEOPLE.find(({ email }) => email === 'owner@north.example')!;
      await reached.registry.seedTenants({
        tenants: [{ id: NORTH, name: 'North' }],
        members: [{ issuer, subject, tenantId: NORTH, role: 'OWNER' }],
      });
      const sent = async () => {
        const { values } = await reached.metrics.getSingleMetric('atrium_api_documents_total')!.get();
        return Object.fromEntries(values.map(({ labels, value }) => [labels['sent'], value]));
      };
      // Its documents are not registered: it sends their texts.
      expect(await client.execute(BuildingsDocument, {})).toEqual({
        buildings: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } },
      });
      expect(await sent()).toEqual({ unknown: 1, text: 1 });
      const { stdout } = await run(process.execPath, [
        join(examples, 'register-documents.mts'),
        ...[`${reached.url}/graphql`, await client.token(), NORTH, 'simulator'],
        join(examples, '..', 'simulator', 'generated', 'persisted-documents.json'),
      ]);
      expect(stdout).toMatch(/^registered \d+ documents of simulator\n$/);
      await client.execute(ViewerDocument, {});
      expect(await sent()).toEqual({ unknown: 1, text: 2, id: 1 });
    } finally {
      await client.close();
      await reached.stop();
      await identity.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('print what a dashboard shows', async () => {
    await api.publish(average({ tenantId: NORTH, id: buildingId }, { mean: 21.5, readings: 7 }));
    await eventually(async () => {
      const { stdout } = await run(process.execPath, [
        join(examples, 'dashboard.mts'),
        `${api.url}/graphql`,
        owner.token,
      ]);
      expect(stdout).toContain('Building 25\n');
      expect(stdout).toContain('AIR_TEMPERATURE: 21.50 Cel');
      expect(stdout).toContain('Sensor 001: PROVISIONED, last seen never');
    });
  });

  it('write down the whole audit log, page by page', async () => {
    const { devices, building } = await buildBuilding(api, owner, NORTH, { devices: 1 });
    for (let i = 0; i < 101; i++) {
      await api.registry.suspendDevice(owner.scope, devices[0]!.id, `reason ${i}`);
      await api.registry.resumeDevice(owner.scope, devices[0]!.id);
    }
    const exported = async (...rest: string[]) =>
      run(process.execPath, [join(examples, 'audit-log.mts'), `${api.url}/graphql`, owner.token, ...rest]);
    const { stdout } = await exported(building.id);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; action: string });
    expect(events.filter(({ action }) => action === 'device.suspend')).toHaveLength(101);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.at(-1)!.action).toBe('building.create');
    await expect(exported('bld_unknown')).rejects.toThrow('does not exist, or is not yours to see');
  });

  it('follow a building live, again with a new token where the old one expired', async () => {
    let lines = '';
    let program: ChildProcess | undefined;
    const tokens = [await api.token('owner', { seconds: 3 }), owner.token];
    // Each connection takes a token by a command: the first is soon good for nothing.
    const script = `const fs=require('fs'),f=process.argv[1];let n=0;try{n=+fs.readFileSync(f)}catch{};fs.writeFileSync(f,String(n+1));console.log(JSON.parse(process.argv[2])[Math.min(n,1)])`;
    const folder = mkdtempSync(join(tmpdir(), 'atrium-example-'));
    const counter = join(folder, 'count');
    try {
      program = spawn(process.execPath, [
        join(examples, 'live-averages.mts'),
        api.webSocketUrl,
        buildingId,
        ...[process.execPath, '-e', script, counter, JSON.stringify(tokens)],
      ]);
      program.stdout!.on('data', (chunk: Buffer) => (lines += chunk.toString()));
      program.stderr!.on('data', (chunk: Buffer) => (lines += chunk.toString()));
      let readings = 7;
      const tell = () =>
        api.publish(average({ tenantId: NORTH, id: buildingId }, { mean: 22, readings: ++readings }));
      await eventually(async () => {
        await tell();
        expect(lines).toMatch(/LIVE AIR_TEMPERATURE 22\.000 Cel/);
      });
      await eventually(() => {
        expect(lines).toMatch(/interrupted: the token has expired/);
      });
      const seen = lines.length;
      await eventually(async () => {
        await tell();
        expect(lines.slice(seen)).toMatch(/LIVE AIR_TEMPERATURE 22\.000 Cel/);
      });
    } finally {
      program?.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
