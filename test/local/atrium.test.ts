import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LOCAL_KEY } from '../../emulators/cosmos/emulator';
import { openWorkshop } from '../store/jobs.support';
import { createRegistry } from '../../src/store/registry';
import { principal, startStore, type Store } from '../store/store.support';

describe('the operator’s command line', () => {
  let store: Store;
  let folder: string;
  beforeAll(async () => {
    store = await startStore();
    folder = mkdtempSync(join(tmpdir(), 'atrium-command-'));
  });
  afterAll(async () => {
    await store.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const atrium = (args: string[], env: Record<string, string> = {}) =>
    new Promise<{ code: number | null; output: string; errors: string }>((done) => {
      const script = resolve(__dirname, '../../dist/src/main/atrium.js');
      const child = spawn(process.execPath, [script, ...args], { env, cwd: folder });
      let [output, errors] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      child.once('close', (code) => done({ code, output, errors }));
    });
  const account = () => ({
    COSMOS_ENDPOINT: store.endpoint,
    COSMOS_KEY: LOCAL_KEY,
    DEVICE_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  });

  it('lists its commands, and says of one that it does not know that there is none', async () => {
    const help = await atrium(['--help']);
    expect(help).toMatchObject({ code: 0, errors: '' });
    expect(help.output).toMatch(/^ {2}jobs +lists/m);
    expect(help.output).toMatch(/^ {2}sagas resume +finishes/m);
    const unknown = await atrium(['sagas', 'forget']);
    expect(unknown.code).toBe(1);
    expect(unknown.errors).toContain("There is no command 'sagas forget'.");
    expect((await atrium(['jobs', '--help'])).output).toMatch(/^jobs: lists/);
  });

  it('lists jobs with their state, and finds nothing where there are none', async () => {
    expect((await atrium(['jobs'], account())).output).toBe('no job is waiting or under way\n');
    const owner = await store.member('owner', 'ten_north', 'OWNER');
    const job = await openWorkshop(store).registering(owner, 'ten_north', ['S-1', 'S-2']);
    const { output } = await atrium(['jobs'], account());
    expect(output.split('\n')[0]).toBe(
      `${job.jobId}  ten_north  REGISTER_DEVICES  QUEUED  0 of 2 rows, 0 refused  waiting`,
    );
  });

  it('resumes sagas', async () => {
    expect(await atrium(['sagas', 'resume'], account())).toEqual({
      code: 0,
      output: '0 finished\n',
      errors: '',
    });
  });

  it('makes somebody an operator, and ends it, but nobody who belongs to a tenant', async () => {
    const who = ['--issuer', 'https://identity.test', '--subject', 'olga'];
    const roles = async () =>
      (await createRegistry(store).memberships(principal('olga').id)).map(({ tenantId, role }) => [
        tenantId,
        role,
      ]);
    const { code, output } = await atrium(['make-operator', ...who], account());
    expect([code, output]).toEqual([0, `${principal('olga').id} is an operator of the platform\n`]);
    expect(await roles()).toEqual([['ten_platform', 'OPERATOR']]);
    expect((await atrium(['make-operator', ...who, '--end'], account())).code).toBe(0);
    expect(await roles()).toEqual([]);
    await store.member('nora', 'ten_north', 'OWNER');
    const refused = await atrium(
      ['make-operator', '--issuer', 'https://identity.test', '--subject', 'nora'],
      account(),
    );
    expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining('they belong to ten_north') });
  });

  it('says in one sentence what to do where there is nothing to work on', async () => {
    const { code, errors } = await atrium(['jobs'], { DATA_DIR: folder });
    expect(code).toBe(1);
    expect(errors).toMatch(/^atrium: no platform runs over .*npm start/);
    expect(errors.trim().split('\n')).toHaveLength(1);
  });
});
