import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, type Engine, TooCostly } from '../../src/analytics/engine';

const NEVER = new AbortController().signal;

describe('the engine of questions', () => {
  let folder: string;
  let engine: Engine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atrium-engine-'));
    engine = createEngine({
      ...{ folder, memoryMegabytes: 40, threads: 1, atOnce: 2, atOnceEach: 1, timeoutMs: 600_000 },
    });
    await engine.start();
  });
  afterAll(async () => {
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const one = () => engine.ask('ten_a', NEVER, (session) => session.rows('SELECT 1 AS one'));

  it('gives a question up that needs more memory than there is for all, and answers the next', async () => {
    const greedy = engine.ask('ten_a', NEVER, (session) =>
      session.rows('SELECT len(list(i)) AS length FROM range(100_000_000) AS r(i)'),
    );
    await expect(greedy).rejects.toBeInstanceOf(TooCostly);
    expect(await one()).toEqual([{ one: 1 }]);
  });

  it('breaks a question off in the middle of its rows when its client goes, and answers the next', async () => {
    const gone = new AbortController();
    let rows = 0;
    const asked = engine.ask('ten_a', gone.signal, async (session) => {
      for await (const chunk of session.chunks('SELECT i FROM range(1_000_000_000_000) AS r(i)')) {
        rows += chunk.rowCount;
        gone.abort(new Error('the client went'));
      }
    });
    await expect(asked).rejects.toThrow('the client went');
    expect(rows).toBeGreaterThan(0);
    expect(await one()).toEqual([{ one: 1 }]);
  });
});
