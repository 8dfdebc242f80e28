import { EventHubConsumerClient, EventHubProducerClient } from '@azure/event-hubs';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type EventHubsProcess, startEventHubs } from '../verify/event-hubs-process';
import { codeOf } from '../contract/event-hubs.target';

const SCRIPT = resolve('dist/emulators/main.js');

/** Runs the stand-in to its end, which is expected to come soon. */
function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    execFile(process.execPath, [SCRIPT, 'event-hubs', ...args], { env }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe('the process', () => {
  let root: string;
  let server: EventHubsProcess | undefined;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'event-hubs-process-'));
  });
  afterEach(async () => {
    await server?.kill('SIGTERM');
    server = undefined;
    rmSync(root, { recursive: true, force: true });
  });

  const start = async (...args: string[]): Promise<EventHubsProcess> =>
    (server = await startEventHubs({ data: join(root, 'data'), args }));
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const response = await fetch(`${server!.healthUrl}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const post = async (path: string, body: unknown): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${server!.healthUrl}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };

  test('says one line when it is ready, answers for its health and counts its events', async () => {
    await start();
    expect(server!.log.filter((each) => each.msg === 'ready')).toHaveLength(1);
    const producer = new EventHubProducerClient(server!.connectionString, 'eh1');
    await producer.sendBatch([{ body: 1 }, { body: 2 }]);
    await producer.close();
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    expect((await get('/metrics')).text).toMatch(
      /eventhubs_events_in_total\{hub="eh1",process="event-hubs"\} 2/,
    );
  });

  test('offers no faults unless it was asked to', async () => {
    await start();
    expect((await post('/faults', { kind: 'throttle' })).status).toBe(405);
  });

  test('makes the faults happen that are posted to it, and forgets them when told', async () => {
    await start('--faults');
    const planned = await post('/faults', { kind: 'throttle', hub: 'eh1', count: 2 });
    expect(planned).toMatchObject({ status: 201, body: { id: 1, kind: 'throttle', count: 2 } });
    const producer = new EventHubProducerClient(server!.connectionString, 'eh1', {
      retryOptions: { maxRetries: 0 },
    });
    expect(await codeOf(producer.sendBatch([{ body: 1 }]))).toBe('ServerBusyError');
    expect(JSON.parse((await get('/faults')).text)).toMatchObject([{ count: 1, struck: 1 }]);
    await fetch(`${server!.healthUrl}/faults`, { method: 'DELETE' });
    await producer.sendBatch([{ body: 1 }]);
    expect(await post('/detach', { hub: 'eh1' })).toEqual({ status: 200, body: { detached: 1 } });
    expect((await post('/drop', {})).body).toEqual({ dropped: 1 });
    await producer.close();
  });

  test('says what is wrong with a fault that it does not understand', async () => {
    await start('--faults');
    const wrong: [unknown, RegExp][] = [
      [{ kind: 'explosion' }, /kind must be one of throttle/],
      [{ kind: 'throttle', count: -1 }, /count must be a whole number/],
      [[], /must be a JSON object/],
    ];
    for (const [body, problem] of wrong) {
      const answer = await post('/faults', body);
      expect(answer.status).toBe(400);
      expect((answer.body as { error: string }).error).toMatch(problem);
    }
  });

  test('drains on SIGTERM, ends with 0, and has everything when it comes back', async () => {
    await start();
    const producer = new EventHubProducerClient(server!.connectionString, 'eh1', {
      retryOptions: { maxRetries: 0 },
    });
    await producer.sendBatch([{ body: 'kept' }], { partitionId: '0' });
    expect(await server!.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await producer.close().catch(() => undefined);
    await start();
    const consumer = new EventHubConsumerClient('$Default', server!.connectionString, 'eh1');
    expect((await consumer.getPartitionProperties('0')).lastEnqueuedSequenceNumber).toBe(0);
    await consumer.close();
  });

  test('prints its options on --help', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const option of ['--port', '--data', '--config', '--no-fsync', '--faults'])
      expect(stdout).toContain(option);
  });

  test('ends with 1 and one sentence when the port is in use', async () => {
    const other = createServer();
    const port = await new Promise<number>((done) =>
      other.listen(0, '127.0.0.1', () => done((other.address() as AddressInfo).port)),
    );
    const { code, stderr } = await run(
      '--port',
      String(port),
      '--health-port',
      '0',
      '--data',
      join(root, 'data'),
    );
    other.close();
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/the port is in use: stop the other program/),
    ]);
  });

  test('ends with 1 and one sentence when the configuration is not valid', async () => {
    const config = join(root, 'config.json');
    writeFileSync(config, '{"UserConfig": {"NamespaceConfig": []}}');
    const { code, stderr } = await run(
      '--config',
      config,
      '--data',
      join(root, 'data'),
      '--health-port',
      '0',
    );
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/NamespaceConfig must be a list/)]);
    const absent = await run(
      '--config',
      join(root, 'absent.json'),
      '--data',
      join(root, 'data'),
      '--health-port',
      '0',
    );
    expect(absent.stderr).toMatch(/cannot be read \(ENOENT\)/);
  });

  test('ends with 1 and one sentence when the data folder is in use', async () => {
    await start();
    const { code, stderr } = await run('--port', '0', '--health-port', '0', '--data', join(root, 'data'));
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/in use by another event-hubs process/),
    ]);
  });
});
