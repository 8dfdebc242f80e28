import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cloud } from '../../src/field-gateway/cloud';
import { createFieldGatewayMetrics } from '../../src/field-gateway/metrics';
import { createQueue } from '../../src/field-gateway/queue';
import { createUplink } from '../../src/field-gateway/uplink';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { eventually } from '../support/eventually';

describe('a field gateway whose disk is full', () => {
  let dataDir: string;
  beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'atrium-full-'))));
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  test('sends what it cannot forget again, and goes on once there is room', async () => {
    const queue = createQueue({ dataDir, maximumBytes: 1_000_000 });
    let full = true;
    const sent: string[] = [];
    const cloud: Cloud = {
      send: (messages) => {
        sent.push(...messages.map(({ body }) => body));
        return Promise.resolve({ kind: 'delivered', refused: [] });
      },
      stop: () => Promise.resolve(),
    };
    const uplink = createUplink({
      logger: createLogger({ name: 'field-gateway', level: 'fatal' }),
      metrics: createFieldGatewayMetrics(createMetrics({ process: 'field-gateway' }), {
        depth: queue.depth,
        lineConnections: () => 0,
      }),
      queue: {
        ...queue,
        remove(ids) {
          if (full) throw new Error('database or disk is full');
          queue.remove(ids);
        },
      },
      cloud,
      backoff: { first: 5, longest: 10 },
    });
    uplink.start();
    await queue.append({ deviceId: 'dev_a', body: '[]', queuedAt: Date.now() });
    await eventually(() => expect(sent.length).toBeGreaterThanOrEqual(2));
    expect(uplink.failure()).toContain('disk is full');
    full = false;
    await eventually(() => expect(queue.depth().messages).toBe(0));
    await eventually(() => expect(uplink.failure()).toBeUndefined());
    await uplink.stop();
    queue.close();
  });

  test('counts what it has, also where the disk takes neither a message nor that one is gone', () => {
    // In a process that may write files of 200 kB, which is what a full disk is to SQLite.
    const module = require.resolve('../../dist/src/field-gateway/queue.js');
    const script = `
      const { createQueue } = require(${JSON.stringify(module)});
      const queue = createQueue({ dataDir: ${JSON.stringify(dataDir)}, maximumBytes: 1e9 });
      (async () => {
        let kept = 0;
        let refused;
        for (; kept < 1000 && refused === undefined; ) {
          await queue.append({ deviceId: 'dev_a', body: 'x'.repeat(2000), queuedAt: 1 }).then(
            () => kept++,
            (error) => (refused = error.message),
          );
        }
        let removing;
        try {
          queue.remove(queue.oldest(50, 1e9).map(({ id }) => id));
        } catch (error) {
          removing = error.message;
        }
        const held = queue.oldest(1e6, 1e9).length;
        console.log(JSON.stringify({ kept, refused, removing, held, counted: queue.depth().messages }));
      })();`;
    const { stdout, stderr } = spawnSync(
      'bash',
      ['-c', 'ulimit -f 200; exec "$0" -e "$1"', process.execPath, script],
      {
        encoding: 'utf8',
      },
    );
    const said = JSON.parse(stdout || JSON.stringify({ stderr })) as Record<string, unknown>;
    expect(said['refused']).toMatch(/full|disk/);
    expect(said['refused']).not.toMatch(/rollback/);
    expect(said['removing'] ?? 'disk').not.toMatch(/rollback/);
    expect(said['held']).toBe(said['counted']);
  });
});
