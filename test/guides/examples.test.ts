import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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
