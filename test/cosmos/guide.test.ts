import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOCAL_KEY } from '../../emulators/cosmos/emulator';
import { startCosmosProcess } from '../support/cosmos-process';

describe('The page of the Cosmos stand-in', () => {
  const page = readFileSync(join(__dirname, '../../docs/emulators/cosmos.md'), 'utf8');
  const block = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)![1]!;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cosmos-guide-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('has a program that runs as it stands and prints what the page says', async () => {
    const server = await startCosmosProcess(folder);
    const program = block('js').replace('http://127.0.0.1:8081/', server.endpoint);
    expect(program).not.toBe(block('js'));
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
      cwd: join(__dirname, '../..'),
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: expect.any(String) as string, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(JSON.parse(block('json')));
    await server.stop();
  });

  test('names the local key', () => {
    expect(page).toContain(LOCAL_KEY);
  });

  test('shows how faults are asked for, which --faults alone allows', async () => {
    const body = /-d '([^']+)'/.exec(page)![1]!;
    const closed = await startCosmosProcess(folder);
    expect((await fetch(`${closed.healthEndpoint}faults`, { method: 'POST', body })).status).toBe(404);
    await closed.stop();
    const open = await startCosmosProcess(folder, ['--faults']);
    const faults = (method: string, text?: string) =>
      fetch(`${open.healthEndpoint}faults`, { method, body: text });
    expect((await faults('POST', body)).status).toBe(200);
    expect(await (await faults('GET')).json()).toEqual({ faults: [JSON.parse(body)] });
    expect((await faults('POST', '{"kind":"earthquake"}')).status).toBe(400);
    expect(await (await faults('DELETE')).json()).toEqual({ faults: [] });
    await open.stop();
  });
});
