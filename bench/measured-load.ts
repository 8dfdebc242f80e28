import { setTimeout as delay } from 'node:timers/promises';
import { type Session } from '../simulator/session';
import { type Platform } from '../test/support/platform';
import { collectLanding } from '../test/verify/collected-landing';
import { createLiveSubscriber } from '../test/verify/live-subscriber';
import { type Arrival, arrivalOf, type EndToEnd, endToEnd } from './end-to-end';
import { meterCpu, meterMachine } from './process-stats';
import { simulate, type SimulatorSummary } from './simulate';

/** Values that count the last readings arrive a little after them. */
const TAIL_MS = 4_000;
const LANDED_WITHIN_MS = 300_000;
/** How far before its start a burst's first instants reach; and what parts one run's readings from the next one's. */
const REACH_MS = 1_000;
const APART_MS = 1_500;
/** Subscriptions and first connections settle before readings are measured. */
const WARM_UP_MS = 5_000;

/** One run of the simulator, seen from outside. */
export interface Load {
  summary: SimulatorSummary;
  seconds: number;
  /** CPU seconds by process; the simulator stands beside them. */
  cpu: Record<string, number>;
  simulatorCpu: number;
  /** CPU seconds of the whole machine meanwhile, and how many there were. */
  machine: { busy: number; available: number };
  latency: EndToEnd;
  /** Distinct readings stored. */
  stored: number;
}

/** Runs the simulator and looks at it from outside: the processes' CPU, the subscriber's values, the stored rows. */
export async function measure(
  platform: Platform,
  session: Session,
  options: {
    buildingIds: readonly string[];
    followed: readonly string[];
    args: readonly string[];
    seconds: number;
    progress: (line: string) => void;
    /** Does something to the platform before the load begins; what it answers undoes it once the last value has come. */
    meanwhile?: () => () => void;
  },
): Promise<Load> {
  const { progress } = options;
  const arrivals: Arrival[] = [];
  const subscriber = createLiveSubscriber({
    url: platform.endpoints().subscriptions,
    token: () => session.client.token(),
    onValue: (buildingId, value, receivedAt) => arrivals.push(arrivalOf(buildingId, value, receivedAt)),
    onRefused: (buildingId, reason) => progress(`the subscription to ${buildingId} was refused: ${reason}`),
  });
  let undo: (() => void) | undefined;
  try {
    for (const buildingId of options.followed) subscriber.follow(buildingId);
    await delay(APART_MS);
    undo = options.meanwhile?.();
    const from = Date.now();
    const machineSoFar = meterMachine();
    const cpuSoFar = meterCpu(platform.processes);
    const simulation = simulate(options.args, progress);
    const simulatorCpuSoFar = meterCpu(() => ({ simulator: simulation.pid }));
    // A process's CPU is gone with it: the last look before its end counts.
    let simulatorCpu = 0;
    const look = setInterval(() => {
      simulatorCpu = Math.max(simulatorCpu, simulatorCpuSoFar().simulator!);
    }, 250);
    const summary = await simulation.done.finally(() => clearInterval(look));
    const cpu = cpuSoFar();
    const machine = machineSoFar();
    const to = Date.now();
    await delay(TAIL_MS);
    await subscriber.stop();
    undo?.();
    undo = undefined;
    const landing = await collectLanding(platform.endpoints(), { withinMs: LANDED_WITHIN_MS });
    try {
      const latency = await endToEnd(landing.connection, arrivals, { from: from + WARM_UP_MS, to });
      progress(
        `end to end over ${latency.readings} readings: p50 ${Math.round(latency.p50)} ms, p99 ${Math.round(latency.p99)} ms, most ${Math.round(latency.maximum)} ms`,
      );
      const buildings = options.buildingIds.map((id) => `'${id}'`).join(', ');
      const [stored] = await landing.query<{ n: bigint }>(`
        SELECT count(DISTINCT (point_id, observed_at)) AS n FROM landing
        WHERE building_id IN (${buildings}) AND epoch_ms(observed_at) >= ${from - REACH_MS}`);
      return {
        summary,
        // What was late, or came after the end, makes the rate smaller.
        seconds: Math.max(options.seconds, summary.seconds),
        cpu,
        simulatorCpu,
        machine,
        latency,
        stored: Number(stored!.n),
      };
    } finally {
      landing.close();
    }
  } finally {
    undo?.();
    await subscriber.stop();
  }
}
