import { createMetrics } from '../../src/observability/metrics';
import { type Cosmos } from '../../src/store/cosmos';
import { createDuties, type Duties } from '../../src/store/jobs/duties';
import { createJobMetrics } from '../../src/store/jobs/metrics';
import { eventually } from '../support/eventually';
import { logger, startStore, type Store, tapped } from './store.support';

describe('a duty', () => {
  let store: Store;
  const running: Duties[] = [];
  beforeAll(async () => {
    store = await startStore();
  });
  afterEach(() => Promise.all(running.splice(0).map((each) => each.stop())));
  afterAll(() => store.stop());

  function replica(
    name: string,
    work: () => Promise<void>,
    every = 20,
    cosmos: Cosmos = store.cosmos,
  ): Duties {
    const metrics = createJobMetrics(createMetrics({ process: 'jobs' }));
    const duties = createDuties({ cosmos, worker: `replica-${running.length}`, metrics, logger });
    duties.every(every, name, work);
    running.push(duties);
    duties.start();
    return duties;
  }

  it('is done by one of several replicas at a time, again and again', async () => {
    let atOnce = 0;
    let most = 0;
    let times = 0;
    const work = async (): Promise<void> => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      times += 1;
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
    };
    for (let i = 0; i < 4; i++) replica('shared', work);
    await eventually(() => expect(times).toBeGreaterThan(10));
    expect(most).toBe(1);
  });

  it('is not done before its time, by whomever', async () => {
    let times = 0;
    const count = async (): Promise<void> => void (times += 1);
    await replica('rare', count, 3_600_000).stop();
    await replica('rare', count, 3_600_000).stop();
    expect(times).toBe(1);
  });

  it('that fails is done again at its next time, also where the store is away meanwhile', async () => {
    let times = 0;
    let away = 0;
    const failing = tapped(store.cosmos, {
      before() {
        if (times === 1 && away++ < 3) throw Object.assign(new Error('away'), { code: 503 });
      },
    });
    replica(
      'failing',
      async () => {
        times += 1;
        throw new Error('this time it failed');
      },
      20,
      failing,
    );
    // What could not be given back is believed dead after its lease.
    await eventually(() => expect(times).toBeGreaterThan(2));
    expect(away).toBeGreaterThan(0);
  });
});
