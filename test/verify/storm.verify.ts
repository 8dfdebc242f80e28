import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type DeviceLoad, startDeviceLoad } from '../../bench/device-load';
import { type FleetPlatform, startFleetPlatform } from '../../bench/fleet-platform';
import { type LoadStats } from '../../bench/gateway.load';
import { count } from '../../simulator/arguments';
import { streamEnd } from './stream-end';
import { compareWithStream } from './stream-readings';
import { type Outcome, type Verification, type VerificationContext } from './verification';

export const verification: Verification = {
  name: 'storm',
  summary: 'thousands of devices lose their connections and all come back at once, over TLS',
  options: [
    '--devices N     devices whose connections break (10000)',
    '--connected N   devices that stay connected and send on (2000)',
    '--interval MS   how often each device sends (10000; those that stay send five times as often)',
    '--attach FILE   endpoints.json of a platform that runs with MQTTS, and --ca FILE, who signed its certificate',
    '--data-dir PATH keeps the platform’s data there, so that a second run need not provision again',
    '--short         do not judge how long anybody took, which a busy machine decides',
    '--rounds N      how often the connections break before the gateway itself is killed -9 (2)',
  ],
  run,
};

const BACK_WITHIN_MS = 60_000;
const P99_MS = 1_000;
const PATIENCE_MS = 180_000;
const CONNECT_AT_ONCE = 200;
const QUIET_MS = 3_000;

interface Storm {
  fleet: FleetPlatform;
  storming: DeviceLoad;
  /** In a process of its own: what they see is not slowed by the storm of the others on their own side. */
  staying: DeviceLoad;
  devices: number;
  connected: number;
  /** Whether how long something took is judged. */
  judged: boolean;
  progress: (line: string) => void;
  counts: Record<string, number>;
  differences: string[];
}

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: 'string', default: '10000' },
      connected: { type: 'string', default: '2000' },
      interval: { type: 'string', default: '10000' },
      rounds: { type: 'string', default: '2' },
      short: { type: 'boolean', default: false },
      attach: { type: 'string' },
      'data-dir': { type: 'string' },
      ca: { type: 'string', default: '' },
    },
  });
  const devices = count(values.devices, 'devices', 16_000);
  const connected = count(values.connected, 'connected', 16_000);
  const interval = count(values.interval, 'interval', 600_000);
  const rounds = values.rounds === '0' ? 0 : count(values.rounds, 'rounds', 100);
  const fleet = await startFleetPlatform({
    devices: devices + connected,
    buildings: Math.max(1, Math.round((devices + connected) / 100)),
    progress,
    ...(values['data-dir'] === undefined ? {} : { dataDir: values['data-dir'] }),
    ...(values.attach === undefined ? {} : { attach: { endpointsFile: values.attach, caFile: values.ca } }),
  });
  const storming = startDeviceLoad(fleet.devices.slice(0, devices));
  const staying = startDeviceLoad(fleet.devices.slice(devices));
  try {
    const { eventHubs } = fleet.platform.endpoints();
    const from = await streamEnd(eventHubs);
    const storm: Storm = {
      fleet,
      storming,
      staying,
      devices,
      connected,
      judged: !values.short,
      progress,
      counts: {},
      differences: [],
    };
    const target = { port: fleet.mqttsPort(), ca: fleet.ca };
    await storming.group(ALL, 0, devices, target);
    await staying.group(ALL, 0, connected, target);
    for (const load of [storming, staying]) await load.connect(ALL, CONNECT_AT_ONCE);
    for (const load of [storming, staying]) await load.until(ALL, allBack, PATIENCE_MS);
    progress(`${devices} and ${connected} devices are connected over TLS`);
    await storming.send(ALL, interval);
    await staying.send(ALL, interval / 5);
    await delay(QUIET_MS);
    // A mark that is missed is told, and what was acknowledged is compared all the same.
    for (let round = 1; round <= rounds; round++) {
      await inTime(storm, `storm ${round}`, () => connectionsBreak(storm, round));
    }
    await inTime(storm, 'after kill -9', () => gatewayDies(storm));
    for (const load of [storming, staying]) {
      await load.hush(ALL);
      await inTime(storm, 'the last readings', () =>
        load.until(ALL, ({ inFlight }) => inFlight === 0, PATIENCE_MS),
      );
    }
    const compared = await compareWithStream({
      eventHubs,
      from,
      deviceIds: fleet.devices.map(({ deviceId }) => deviceId),
      acknowledged: together(await storming.acknowledged(), await staying.acknowledged(), devices),
    });
    const { counts, differences } = storm;
    counts['readings acknowledged'] = compared.acknowledged;
    counts['acknowledged readings missing in the stream'] = compared.missing;
    counts['readings that stand in the stream again, as they were sent again'] = compared.again;
    if (compared.missing > 0) {
      differences.push(`${compared.missing} acknowledged readings are missing in the stream`);
    }
    return { counts, differences };
  } finally {
    await storming.stop();
    await staying.stop();
    await fleet.stop();
  }
}

const ALL = 'all';

type Acknowledged = Awaited<ReturnType<DeviceLoad['acknowledged']>>;

/** Devices of the second count from `offset` on. */
function together(first: Acknowledged, second: Acknowledged, offset: number): Acknowledged {
  return {
    device: Uint32Array.from([...first.device, ...second.device.map((device) => device + offset)]),
    observedAt: Float64Array.from([...first.observedAt, ...second.observedAt]),
  };
}

/** What does not come about is a difference, and no end of the proof. */
async function inTime(
  { progress, differences }: Storm,
  what: string,
  step: () => Promise<unknown>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    const difference = `${what}: ${(error as Error).message}`;
    progress(difference);
    differences.push(difference);
  }
}

const allBack = ({ back, devices }: LoadStats): boolean => back === devices;

/** All connections of the storm's devices end at the same moment; those of the others stand. */
async function connectionsBreak(storm: Storm, round: number): Promise<void> {
  const { storming, staying, devices, judged, progress, counts, differences } = storm;
  await staying.take(ALL);
  await storming.cut(ALL);
  const { allBackMilliseconds } = await storming.until(ALL, allBack, PATIENCE_MS);
  const steady = await staying.take(ALL);
  const storms = `storm ${round}`;
  counts[`${storms}: ms until all ${devices} were back, each with a reading acknowledged`] =
    allBackMilliseconds;
  counts[`${storms}: p99 in ms of the ${storm.connected} that stayed connected`] = steady.p99;
  counts[`${storms}: connections lost of those that stayed`] = steady.ended;
  progress(
    `${storms}: all back after ${allBackMilliseconds} ms; meanwhile the others had ${steady.acknowledged} readings acknowledged, p50 ${steady.p50} ms, p99 ${steady.p99} ms, at most ${Math.round(steady.longest)} ms`,
  );
  if (judged && allBackMilliseconds > BACK_WITHIN_MS) {
    differences.push(
      `${storms}: all were back after ${allBackMilliseconds} ms, allowed are ${BACK_WITHIN_MS}`,
    );
  }
  if (judged && !(steady.p99 < P99_MS)) {
    differences.push(
      `${storms}: those that stayed connected had a p99 of ${steady.p99} ms, allowed are ${P99_MS}`,
    );
  }
  if (steady.ended > 0) differences.push(`${storms}: ${steady.ended} connections of the others were lost`);
  await delay(QUIET_MS);
}

/** The gateway dies with all that it held in memory, and comes back knowing none of its devices. */
async function gatewayDies(storm: Storm): Promise<void> {
  const { fleet, storming, staying, devices, connected, judged, progress, counts, differences } = storm;
  for (const load of [storming, staying]) await load.renew(ALL);
  const { at } = await fleet.platform.kill('gateway');
  await storming.until(ALL, allBack, PATIENCE_MS);
  await staying.until(ALL, allBack, PATIENCE_MS);
  const milliseconds = Date.now() - at.getTime();
  counts[`gateway killed -9: ms until all ${devices + connected} were back`] = milliseconds;
  progress(`gateway killed -9: all back after ${milliseconds} ms, its own start included`);
  if (judged && milliseconds > BACK_WITHIN_MS) {
    differences.push(`after kill -9 all were back after ${milliseconds} ms, allowed are ${BACK_WITHIN_MS}`);
  }
}
