import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Load, measure } from '../../bench/measured-load';
import { residentBytes } from '../../bench/process-stats';
import { simulate } from '../../bench/simulate';
import { count, duration, positive } from '../../simulator/arguments';
import { ensureFleet } from '../../simulator/ensure-fleet';
import { openSession } from '../../simulator/session';
import { buildingsFor, planSteady } from '../../simulator/steady';
import { OperatorError } from '../../src/observability/operator-error';
import { type Platform, startPlatform } from '../support/platform';
import { type Outcome, type Verification, type VerificationContext } from './verification';

const USER = 'owner@north.example';
const HUB = 'telemetry';
const FOLLOWED = 10;
const CONSUMER_WITHIN_MS = 30_000;

export const verification: Verification = {
  name: 'isolation-of-consumers',
  summary:
    'a third consumer of the stream stalls, then the Blob service does: what gateway and averages take stays what it was',
  options: [
    '--devices N          devices that send (2000)',
    '--rate R             their readings a second (500)',
    '--duration DURATION  how long each phase lasts (45s)',
    '--rounds N           how often the phases take turns; medians are compared (3)',
    '--factor F           how much longer a p99 may be than undisturbed (1.5)',
    '--allowance MS       and how many milliseconds more, for the noise of short phases (100)',
  ],
  run,
};

type Phase = 'undisturbed' | 'third consumer stalled' | 'Blob service stalled';

/** What somebody outside sees of one phase, in milliseconds. */
interface Seen {
  acknowledgement: number;
  endToEnd: number;
}

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: 'string', default: '2000' },
      rate: { type: 'string', default: '500' },
      duration: { type: 'string', default: '45s' },
      rounds: { type: 'string', default: '3' },
      factor: { type: 'string', default: '1.5' },
      allowance: { type: 'string', default: '100' },
    },
  });
  const devices = count(values.devices, 'devices', 100_000);
  const rate = positive(values.rate, 'rate');
  const rounds = count(values.rounds, 'rounds', 100);
  const factor = positive(values.factor, 'factor');
  const allowance = count(values.allowance, 'allowance', 10_000);
  const seconds = duration(values.duration, 'duration') / 1000;

  const platform = await startPlatform({ env: { INGEST_FLUSH_SECONDS: '10' } });
  let consumer: ChildProcess | undefined;
  try {
    const session = await openSession({ endpointsFile: platform.endpointsFile, user: USER });
    const buildings = buildingsFor(devices);
    const fleet = await ensureFleet(session, planSteady({ name: 'Steady', buildings, devices }));
    const buildingIds = fleet.map(({ buildingId }) => buildingId);
    const argumentsFor = (length: string): string[] => [
      'steady',
      ...['--attach', platform.endpointsFile, '--devices', String(devices), '--buildings', String(buildings)],
      ...['--rate', String(rate), '--duration', length],
    ];
    progress(`${devices} devices are provisioned; each sends once before anything is measured`);
    await simulate(argumentsFor(`${Math.ceil(devices / rate) + 5}s`), () => undefined).done;
    consumer = await stalledConsumer(platform);
    progress('a third consumer holds a batch of events and does not come back');

    const seen = new Map<Phase, Seen[]>();
    const differences: string[] = [];
    const counts: Record<string, number> = {};
    let readings = 0;
    let largest = 0;
    const disturbances: [Phase, () => number[]][] = [
      ['undisturbed', () => []],
      ['third consumer stalled', () => [consumer!.pid!]],
      ['Blob service stalled', () => [platform.processes()['blob']!]],
    ];
    for (let round = 1; round <= rounds; round++) {
      for (const [phase, victims] of disturbances) {
        const load = await measure(platform, session, {
          buildingIds,
          followed: buildingIds.slice(0, FOLLOWED),
          args: argumentsFor(values.duration),
          seconds,
          progress: () => undefined,
          meanwhile: () => frozen(victims()),
        });
        const acknowledgement = load.summary.acknowledgementMilliseconds.p99 ?? NaN;
        seen.set(phase, [...(seen.get(phase) ?? []), { acknowledgement, endToEnd: load.latency.p99 }]);
        readings += load.summary.acknowledged;
        differences.push(...lost(load, `round ${round}, ${phase}`));
        largest = Math.max(largest, residentBytes(platform.processes()['event-hubs']!));
        progress(
          `round ${round}, ${phase}: p99 of acknowledgements ${acknowledgement.toFixed(1)} ms, of live values ${load.latency.p99.toFixed(0)} ms, ${load.latency.readings} readings followed`,
        );
      }
    }
    counts['readings acknowledged'] = readings;
    counts['largest resident memory of Event Hubs in MB'] = Math.round(largest / 1e6);
    const undisturbed = medians(seen.get('undisturbed')!);
    for (const [phase, all] of seen) {
      const found = medians(all);
      for (const what of ['acknowledgement', 'endToEnd'] as const) {
        const name = what === 'acknowledgement' ? 'acknowledgements' : 'live values';
        counts[`p99 in ms of ${name}, ${phase}`] = Math.round(found[what] * 10) / 10;
        if (!(found[what] <= undisturbed[what] * factor + allowance)) {
          differences.push(
            `p99 of ${name} is ${found[what].toFixed(1)} ms with ${phase}, ${undisturbed[what].toFixed(1)} ms undisturbed`,
          );
        }
      }
    }
    await session.close();
    return { counts, differences };
  } finally {
    consumer?.kill('SIGKILL');
    await platform.stop();
  }
}

/** Freezes processes: their connections stand, and nothing is read from them or answered. */
function frozen(pids: readonly number[]): () => void {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  };
}

async function stalledConsumer(platform: Platform): Promise<ChildProcess> {
  const child = fork(join(__dirname, 'stalled-consumer.js'), [platform.endpoints().eventHubs, HUB]);
  const late = AbortSignal.timeout(CONSUMER_WITHIN_MS);
  try {
    await once(child, 'message', { signal: late });
    return child;
  } catch {
    child.kill('SIGKILL');
    throw new OperatorError('the third consumer was given no event of the telemetry stream');
  }
}

/** What was acknowledged in a phase and does not stand in the cold store once the phase is over. */
function lost({ summary, stored }: Load, where: string): string[] {
  return stored >= summary.acknowledged
    ? []
    : [`${where}: ${summary.acknowledged - stored} acknowledged readings are not stored`];
}

function medians(all: readonly Seen[]): Seen {
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  return {
    acknowledgement: median(all.map(({ acknowledgement }) => acknowledgement)),
    endToEnd: median(all.map(({ endToEnd }) => endToEnd)),
  };
}
