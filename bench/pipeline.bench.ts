import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { count, duration, positive } from '../simulator/arguments';
import { ensureFleet } from '../simulator/ensure-fleet';
import { openSession, type Session } from '../simulator/session';
import { buildingsFor, planSteady } from '../simulator/steady';
import { type Platform, startPlatform } from '../test/support/platform';
import { type Bench, type BenchContext, type BenchReport, type Figure } from './bench';
import { type Load, measure } from './measured-load';
import { residentBytes } from './process-stats';
import { simulate } from './simulate';

const USER = 'owner@north.example';
const BATCH = 100;
const BURST = { devices: 512, buildings: 16 };
/** Buildings whose live values are followed in the second phase: enough for a percentile, few enough to cost little. */
const FOLLOWED = 20;
const IDLE_MS = 5_000;
const PROBE = '8s';
/** A further step of connections that brings less than this share more is beyond the plateau. */
const WORTH = 1.04;

export const bench: Bench = {
  name: 'pipeline',
  summary:
    'readings from devices to subscribers: the highest rate in batches, and 100,000 devices one by one',
  options: [
    '--phase batches|devices|both  which part to run (both)',
    '--batch-duration DURATION     how long the highest rate is held (30s)',
    '--connections N,...           connections tried for the highest rate (4,8,16,32,64)',
    '--devices N                   devices of the second part (100000)',
    '--rate R                      their readings a second (1667)',
    '--warm-up DURATION            how long they have sent before, so that each is known to the gateway (60s)',
    '--duration DURATION           how long they send while it is measured (2m)',
    '--check                       exit 1 when a target is missed',
  ],
  run,
};

async function run({ args, progress }: BenchContext): Promise<BenchReport> {
  const { values } = parseArgs({
    args,
    options: {
      phase: { type: 'string', default: 'both' },
      'batch-duration': { type: 'string', default: '30s' },
      connections: { type: 'string', default: '4,8,16,32,64' },
      devices: { type: 'string', default: '100000' },
      rate: { type: 'string', default: '1667' },
      'warm-up': { type: 'string', default: '60s' },
      duration: { type: 'string', default: '2m' },
    },
  });
  const figures: Figure[] = [];
  const notes: string[] = [];
  const platform = await startPlatform();
  try {
    progress(`platform ready after ${(platform.startMilliseconds / 1000).toFixed(1)} s`);
    figures.push({
      name: 'startSeconds',
      value: platform.startMilliseconds / 1000,
      unit: 's',
      target: { atMost: 15 },
    });
    await delay(IDLE_MS);
    figures.push(...idleMemory(platform, progress));
    const session = await openSession({ endpointsFile: platform.endpointsFile, user: USER });
    try {
      if (values.phase !== 'devices') {
        const connections = values.connections.split(',').map((each) => count(each, 'connections', 1000));
        figures.push(
          ...(await batches(platform, session, connections, values['batch-duration'], progress, notes)),
        );
      }
      if (values.phase !== 'batches') {
        figures.push(
          ...(await devicesOneByOne(platform, session, {
            devices: count(values.devices, 'devices', 1_000_000),
            rate: positive(values.rate, 'rate'),
            warmUp: values['warm-up'],
            duration: values.duration,
            progress,
          })),
        );
      }
    } finally {
      await session.close();
    }
  } finally {
    await platform.stop();
  }
  notes.push(
    'cold: the same load on a gateway that has not seen any of its devices yet, until each has sent',
    'the simulator and this program run on the same cores as the platform; their CPU is not in readingsPerServerCpuSecond',
    'end to end is from the instant observed to the first live value that counts it, at a GraphQL subscriber; a reading counts from the whole second after it, half a second on average',
  );
  return { figures, notes };
}

function idleMemory(platform: Platform, progress: (line: string) => void): Figure[] {
  const megabytes = Object.entries(platform.processes()).map(
    ([name, pid]) => [name, residentBytes(pid) / 1e6] as const,
  );
  progress(`resident when idle: ${megabytes.map(([name, mb]) => `${name} ${Math.round(mb)} MB`).join(', ')}`);
  const all = megabytes.reduce((sum, [, mb]) => sum + mb, 0);
  return [{ name: 'idleResidentMegabytes', value: Math.round(all), unit: 'MB', target: { atMost: 1500 } }];
}

/** Batches of 100 readings a request: connections are added while that brings more, then the best is held. */
async function batches(
  platform: Platform,
  session: Session,
  connections: readonly number[],
  held: string,
  progress: (line: string) => void,
  notes: string[],
): Promise<Figure[]> {
  const plans = planSteady({ name: 'Burst', ...BURST, models: ['room-sensor'] });
  const fleet = await ensureFleet(session, plans);
  const argumentsFor = (number: number, length: string): string[] => [
    'burst',
    ...['--attach', platform.endpointsFile, '--batch', String(BATCH), '--duration', length],
    ...['--devices', String(BURST.devices), '--buildings', String(BURST.buildings)],
    ...['--connections', String(number)],
  ];
  let best = { connections: connections[0]!, rate: 0 };
  for (const number of connections) {
    const { acknowledged, seconds } = await simulate(argumentsFor(number, PROBE), () => undefined).done;
    const rate = acknowledged / seconds;
    progress(`${number} connections: ${Math.round(rate)} readings/s`);
    const worth = rate > best.rate * WORTH;
    if (rate > best.rate) best = { connections: number, rate };
    if (!worth) break;
  }
  progress(`holding the rate with ${best.connections} connections for ${held}`);
  const load = await measure(platform, session, {
    buildingIds: fleet.map(({ buildingId }) => buildingId),
    followed: fleet.map(({ buildingId }) => buildingId),
    args: argumentsFor(best.connections, held),
    seconds: duration(held, 'batch-duration') / 1000,
    progress,
  });
  const server = sum(load.cpu);
  const share = Object.entries(load.cpu).sort(([, a], [, b]) => b - a);
  notes.push(
    `batches, of the servers' CPU: ${share
      .slice(0, 5)
      .map(([name, cpu]) => `${name} ${Math.round((cpu / server) * 100)} %`)
      .join(', ')}`,
    `batches: ${limitOf(load, server)}`,
  );
  const { summary, latency } = load;
  return [
    {
      name: 'batchReadingsPerSecond',
      value: Math.round(summary.acknowledged / load.seconds),
      unit: 'readings/s',
    },
    {
      name: 'readingsPerServerCpuSecond',
      value: Math.round(summary.acknowledged / server),
      unit: 'readings/CPU s',
      target: { atLeast: 60_000 },
    },
    ...cpuFigures('batch', load),
    { name: 'batchAcknowledgementP99', value: summary.acknowledgementMilliseconds.p99 ?? NaN, unit: 'ms' },
    { name: 'batchEndToEndP50', value: latency.p50, unit: 'ms' },
    { name: 'batchEndToEndP99', value: latency.p99, unit: 'ms' },
    { name: 'batchLost', value: summary.readings - load.stored, unit: 'readings', target: { atMost: 0 } },
  ];
}

/** Many devices, one reading a request each. */
async function devicesOneByOne(
  platform: Platform,
  session: Session,
  options: {
    devices: number;
    rate: number;
    warmUp: string;
    duration: string;
    progress: (line: string) => void;
  },
): Promise<Figure[]> {
  const { devices, rate, progress } = options;
  const buildings = buildingsFor(devices);
  const began = Date.now();
  let provisioned = 0;
  const fleet = await ensureFleet(session, planSteady({ name: 'Steady', buildings, devices }), (more) => {
    provisioned += more;
    if (provisioned % 10_000 < more) progress(`provisioned ${provisioned} devices`);
  });
  const provisioningSeconds = (Date.now() - began) / 1000;
  progress(`${devices} devices in ${buildings} buildings provisioned in ${provisioningSeconds.toFixed(1)} s`);
  const argumentsFor = (length: string): string[] => [
    'steady',
    ...['--attach', platform.endpointsFile, '--devices', String(devices), '--buildings', String(buildings)],
    ...['--rate', String(rate), '--duration', length],
  ];
  // A gateway that has just started knows no device: all of them at once is a figure of its own.
  const cold = await simulate(argumentsFor(options.warmUp), progress).done;
  const load = await measure(platform, session, {
    buildingIds: fleet.map(({ buildingId }) => buildingId),
    followed: fleet.slice(0, FOLLOWED).map(({ buildingId }) => buildingId),
    args: argumentsFor(options.duration),
    seconds: duration(options.duration, 'duration') / 1000,
    progress,
  });
  const { summary, latency } = load;
  return [
    {
      name: 'provisioningSeconds',
      value: provisioningSeconds,
      unit: `s for ${devices} devices`,
      // The mark is for the full number; fewer have proportionally less time.
      target: { atMost: (180 * devices) / 100_000 },
    },
    { name: 'coldAcknowledgementP99', value: cold.acknowledgementMilliseconds.p99 ?? NaN, unit: 'ms' },
    { name: 'coldLate', value: cold.late, unit: 'messages' },
    {
      name: 'singleReadingsPerSecond',
      value: Math.round(summary.acknowledged / load.seconds),
      unit: 'readings/s',
      target: { atLeast: Math.floor(rate * 0.99) },
    },
    ...cpuFigures('single', load),
    { name: 'singleAcknowledgementP50', value: summary.acknowledgementMilliseconds.p50 ?? NaN, unit: 'ms' },
    { name: 'singleAcknowledgementP99', value: summary.acknowledgementMilliseconds.p99 ?? NaN, unit: 'ms' },
    { name: 'singleLate', value: summary.late, unit: 'messages' },
    { name: 'singleEndToEndP50', value: latency.p50, unit: 'ms' },
    { name: 'singleEndToEndP99', value: latency.p99, unit: 'ms', target: { atMost: 2000 } },
    { name: 'singleLost', value: summary.readings - load.stored, unit: 'readings', target: { atMost: 0 } },
  ];
}

/** What kept the rate from being higher. */
function limitOf({ machine, simulatorCpu }: Load, server: number): string {
  const share = (cpu: number): string => `${Math.round((cpu / machine.available) * 100)} %`;
  const ours = server + simulatorCpu;
  const used = `the machine was ${share(machine.busy)} busy, ${share(server)} with the platform, ${share(simulatorCpu)} with the simulator`;
  if (machine.busy < machine.available * 0.85)
    return `${used}: waiting (disk, round trips) limits the rate, not CPU`;
  return ours < machine.busy * 0.75
    ? `${used}: other programs took the rest, so that the rate is theirs too`
    : `${used}: CPU limits the rate`;
}

function cpuFigures(phase: string, { cpu, simulatorCpu, seconds }: Load): Figure[] {
  return [...Object.entries(cpu), ['simulator', simulatorCpu] as const].map(([name, used]) => ({
    name: `${phase}Cores.${name}`,
    value: Math.round((used / seconds) * 1000) / 1000,
    unit: 'cores',
  }));
}

function sum(cpu: Record<string, number>): number {
  return Object.values(cpu).reduce((all, each) => all + each, 0);
}
