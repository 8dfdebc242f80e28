import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { count, positive } from '../simulator/arguments';
import { compareWithStream } from '../test/verify/stream-readings';
import { streamEnd } from '../test/verify/stream-end';
import { type Bench, type BenchContext, type BenchReport, type Figure } from './bench';
import { type DeviceLoad, type LoadTarget, startDeviceLoad } from './device-load';
import { type FleetPlatform, startFleetPlatform } from './fleet-platform';
import { cpuParts, cpuSeconds, meterCpu, meterMachine, residentBytes } from './process-stats';

export const bench: Bench = {
  name: 'gateway',
  summary:
    'single readings over MQTT and MQTTS, each acknowledged after the durable write: CPU, rate, memory',
  options: [
    '--connections N   devices that send (8000)',
    '--rate R          their readings a second, all together (8000)',
    '--seconds S       how long each rate is held (180)',
    '--memory N        TLS connections of the memory figure (10000)',
    '--steps R,...     rates tried for the highest one (12000,14000,16667,18000,20000,22000,24000)',
    '--step-seconds S  how long each is held (20)',
    '--overload R      a rate that no gateway here can hold, for 20 s, in which the gateway and then Cosmos are stopped for 5, with --rate before and after it (30000)',
    '--phase NAME      plain, tls, highest, overload, memory or all (all)',
    '--data-dir PATH   keeps the platform’s data there, so that a second run need not provision again',
    '--profile PATH    writes a CPU profile of every process there',
    '--quick           1,000 devices at 2,000/s for 10 s, 2,000 connections for the memory',
    '--check           exit 1 when a target is missed',
  ],
  run,
};

const WARM_UP_MS = 4_000;
const CONNECT_AT_ONCE = 200;
const CONNECTED_WITHIN_MS = 180_000;
const SETTLED_WITHIN_MS = 30_000;
/** A rate is held while nearly all readings are acknowledged within this, and as many as were sent. */
const HELD_P99_MS = 2_000;
const MARK = 16_667;
const BARE_SECONDS = 10;
const OVERLOAD_SECONDS = 20;
/** Twice as long as its change feed may be behind. */
const STOPPED_MS = 5_000;
/** What was sent beyond the gateway's rate is worked off meanwhile. */
const RECOVERED_WITHIN_MS = 180_000;

interface Settings {
  connections: number;
  rate: number;
  seconds: number;
  memory: number;
  steps: number[];
  stepSeconds: number;
  overload: number;
}

async function run({ args, progress }: BenchContext): Promise<BenchReport> {
  const { values } = parseArgs({
    args,
    options: {
      connections: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      memory: { type: 'string' },
      steps: { type: 'string' },
      'step-seconds': { type: 'string' },
      overload: { type: 'string', default: '30000' },
      phase: { type: 'string', default: 'all' },
      'data-dir': { type: 'string' },
      profile: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  const usual = values.quick
    ? { connections: '1000', rate: '2000', seconds: '10', memory: '2000', steps: '4000,8000', step: '6' }
    : {
        ...{ connections: '8000', rate: '8000', seconds: '180', memory: '10000' },
        ...{ steps: '12000,14000,16667,18000,20000,22000,24000', step: '20' },
      };
  const settings: Settings = {
    connections: count(values.connections ?? usual.connections, 'connections', 18_000),
    rate: positive(values.rate ?? usual.rate, 'rate'),
    seconds: positive(values.seconds ?? usual.seconds, 'seconds'),
    memory: count(values.memory ?? usual.memory, 'memory', 18_000),
    steps: (values.steps ?? usual.steps).split(',').map((each) => positive(each, 'steps')),
    stepSeconds: positive(values['step-seconds'] ?? usual.step, 'step-seconds'),
    overload: positive(values.overload, 'overload'),
  };
  const wants = (phase: string): boolean => values.phase === 'all' || values.phase === phase;
  const devices = Math.max(settings.connections, wants('memory') ? settings.memory : 0);
  const fleet = await startFleetPlatform({
    devices,
    buildings: Math.max(1, Math.round(devices / 100)),
    progress,
    ...(values['data-dir'] === undefined ? {} : { dataDir: values['data-dir'] }),
    ...(values.profile === undefined
      ? {}
      : { env: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${values.profile}` } }),
  });
  const load = startDeviceLoad(fleet.devices);
  const figures: Figure[] = [];
  const notes: string[] = [];
  try {
    const from = await streamEnd(fleet.platform.endpoints().eventHubs);
    const plain: LoadTarget = { port: fleet.mqttPort() };
    const tls: LoadTarget = { port: fleet.mqttsPort(), ca: fleet.ca };
    const bare = wants('plain') || wants('tls') ? await bareServer(fleet, settings, wants, progress) : {};
    if (wants('plain')) {
      figures.push(...(await steady('mqtt', fleet, load, plain, settings, 25, bare.plain, progress)));
    }
    if (wants('tls')) {
      figures.push(...(await steady('mqtts', fleet, load, tls, settings, 40, bare.tls, progress)));
      figures.push(...(await knownAgain(fleet, load, settings, progress)));
    }
    if (wants('overload')) figures.push(...(await overload(fleet, load, plain, settings, progress)));
    if (wants('highest')) figures.push(...(await highest(fleet, load, tls, settings, notes, progress)));
    await load.leave('senders');
    const { eventHubs } = fleet.platform.endpoints();
    const deviceIds = fleet.devices.map(({ deviceId }) => deviceId);
    const acknowledged = await load.acknowledged();
    progress(`looking for ${acknowledged.device.length} acknowledged readings in the stream`);
    const compared = await compareWithStream({ eventHubs, from, deviceIds, acknowledged });
    figures.push(
      { name: 'acknowledged', value: compared.acknowledged, unit: 'readings' },
      { name: 'acknowledgedMissing', value: compared.missing, unit: 'readings', target: { atMost: 0 } },
    );
    if (wants('memory')) figures.push(await memory(fleet, load, tls, settings, progress));
  } finally {
    await load.stop();
    await fleet.stop();
  }
  notes.push(
    'CPU is the gateway process alone, user and system; its change feed and its share of Event Hubs’ client are in it',
    'the bare server answers each packet and does nothing else: no parser, no check, no store; it is what Node’s sockets and this kernel take',
    'the whole platform (workers, API, stand-ins) and the load generator run on the same cores',
    'a reading counts when its PUBACK is there; its latency is from the instant it was due to be sent',
  );
  return { figures, notes };
}

const gatewayOf = ({ platform }: FleetPlatform): number => platform.processes().gateway!;

async function connectAll(
  load: DeviceLoad,
  target: LoadTarget,
  connections: number,
  progress: (line: string) => void,
): Promise<void> {
  await load.group('senders', 0, connections, target);
  const began = Date.now();
  await load.connect('senders', CONNECT_AT_ONCE);
  await load.until('senders', ({ back }) => back === connections, CONNECTED_WITHIN_MS);
  progress(`${connections} connected, each with a reading acknowledged, after ${Date.now() - began} ms`);
}

interface Held {
  cpuMicroseconds: number;
  /** Of it, what the program itself used; the rest is the kernel’s. */
  userMicroseconds: number;
  perSecond: number;
  p50: number;
  p99: number;
  inFlight: number;
  late: number;
  /** From the last reading that was sent until all were acknowledged. */
  settledSeconds: number;
  held: boolean;
  cores: Record<string, number>;
  generatorCores: number;
  machineBusy: number;
}

/** Holds a rate and looks at the gateway meanwhile. */
async function hold(
  fleet: FleetPlatform,
  load: DeviceLoad,
  options: { connections: number; rate: number; seconds: number; settledWithin?: number },
): Promise<Held> {
  const { settledWithin = SETTLED_WITHIN_MS } = options;
  await load.send('senders', (1_000 * options.connections) / options.rate);
  await delay(WARM_UP_MS);
  const before = await load.take('senders');
  const machineSoFar = meterMachine();
  const cpuSoFar = meterCpu(() => ({ ...fleet.platform.processes(), generator: load.pid }));
  const gateway = gatewayOf(fleet);
  const userSoFar = cpuParts(gateway).user;
  const began = Date.now();
  await delay(options.seconds * 1_000);
  const cpu = cpuSoFar();
  const user = cpuParts(gateway).user - userSoFar;
  const stats = await load.take('senders');
  const seconds = (Date.now() - began) / 1_000;
  const machine = machineSoFar();
  await load.hush('senders');
  const hushedAt = Date.now();
  await load.until('senders', ({ inFlight }) => inFlight === 0, settledWithin).catch(() => undefined);
  const settledSeconds = (Date.now() - hushedAt) / 1_000;
  const { generator, ...cores } = Object.fromEntries(
    Object.entries(cpu).map(([name, used]) => [name, used / seconds]),
  ) as Record<string, number>;
  return {
    cpuMicroseconds: (cpu.gateway! / stats.acknowledged) * 1e6,
    userMicroseconds: (user / stats.acknowledged) * 1e6,
    perSecond: stats.acknowledged / seconds,
    p50: stats.p50,
    p99: stats.p99,
    inFlight: stats.inFlight,
    late: stats.late,
    settledSeconds,
    held:
      stats.p99 < HELD_P99_MS &&
      stats.ended === 0 &&
      stats.acknowledged >= options.rate * seconds * 0.98 &&
      stats.inFlight <= before.inFlight + options.rate,
    cores,
    generatorCores: generator!,
    machineBusy: machine.busy / machine.available,
  };
}

const told = ({
  cpuMicroseconds,
  userMicroseconds,
  perSecond,
  p50,
  p99,
  late,
  cores,
  generatorCores,
  machineBusy,
}: Held) =>
  `${Math.round(perSecond)}/s acknowledged, gateway ${cpuMicroseconds.toFixed(1)} us a message (${userMicroseconds.toFixed(1)} in user mode), p50 ${p50} ms, p99 ${p99} ms, ${late} left late; ` +
  `cores: ${Object.entries(cores)
    .map(([name, used]) => `${name} ${used.toFixed(2)}`)
    .join(', ')}, generator ${generatorCores.toFixed(2)}; machine ${Math.round(machineBusy * 100)} % busy`;

async function steady(
  name: 'mqtt' | 'mqtts',
  fleet: FleetPlatform,
  load: DeviceLoad,
  target: LoadTarget,
  settings: Settings,
  microseconds: number,
  bare: number | undefined,
  progress: (line: string) => void,
): Promise<Figure[]> {
  await connectAll(load, target, settings.connections, progress);
  const held = await hold(fleet, load, settings);
  progress(`${name}: ${told(held)}`);
  return [
    {
      name: `${name}Cpu`,
      value: held.cpuMicroseconds,
      unit: 'us/message',
      target: { atMost: microseconds },
      ...(bare === undefined ? {} : { peer: { name: 'bare Node server', value: bare } }),
    },
    { name: `${name}CpuUser`, value: held.userMicroseconds, unit: 'us/message' },
    {
      name: `${name}Rate`,
      value: Math.round(held.perSecond),
      unit: 'messages/s',
      target: { atLeast: Math.floor(settings.rate * 0.99) },
    },
    { name: `${name}AcknowledgementP50`, value: held.p50, unit: 'ms' },
    { name: `${name}AcknowledgementP99`, value: held.p99, unit: 'ms' },
  ];
}

/** The CPU a message of a server that only answers, under the same load: what Node and the kernel take by themselves. */
async function bareServer(
  fleet: FleetPlatform,
  settings: Settings,
  wants: (phase: string) => boolean,
  progress: (line: string) => void,
): Promise<{ plain?: number; tls?: number }> {
  const server = fork(join(__dirname, 'bare-server.load.js'));
  const load = startDeviceLoad(fleet.devices);
  try {
    const [{ port, tlsPort, ca }] = (await once(server, 'message')) as [
      { port: number; tlsPort: number; ca: string },
    ];
    const measure = async (target: LoadTarget): Promise<number> => {
      await connectAll(load, target, settings.connections, () => undefined);
      await load.send('senders', (1_000 * settings.connections) / settings.rate);
      await delay(WARM_UP_MS);
      await load.take('senders');
      const before = cpuSeconds(server.pid!);
      await delay(BARE_SECONDS * 1_000);
      const used = cpuSeconds(server.pid!) - before;
      const { acknowledged } = await load.take('senders');
      await load.leave('senders');
      return (used / acknowledged) * 1e6;
    };
    const found = {
      ...(wants('plain') ? { plain: await measure({ port }) } : {}),
      ...(wants('tls') ? { tls: await measure({ port: tlsPort, ca }) } : {}),
    };
    progress(`a bare server needs, in us a message: ${JSON.stringify(found)}`);
    return found;
  } finally {
    server.kill('SIGKILL');
    await load.stop();
  }
}

/** All devices connect once more: the gateway knows them, and its store is not asked for one. */
async function knownAgain(
  fleet: FleetPlatform,
  load: DeviceLoad,
  settings: Settings,
  progress: (line: string) => void,
): Promise<Figure[]> {
  const before = await lookups(fleet);
  const gateway = gatewayOf(fleet);
  const cpu = cpuSeconds(gateway);
  await load.cut('senders');
  const { allBackMilliseconds } = await load.until(
    'senders',
    ({ back }) => back === settings.connections,
    CONNECTED_WITHIN_MS,
  );
  const asked = (await lookups(fleet)) - before;
  const used = ((cpuSeconds(gateway) - cpu) / settings.connections) * 1e6;
  progress(`all connected again after ${allBackMilliseconds} ms, ${asked} reads of the directory in Cosmos`);
  return [
    { name: 'knownDeviceCosmosLookups', value: asked, unit: 'requests', target: { atMost: 0 } },
    { name: 'reconnectCpu', value: used, unit: 'us/connection' },
    { name: 'reconnectSeconds', value: allBackMilliseconds / 1000, unit: `s for ${settings.connections}` },
  ];
}

/**
 * Reads of the directory so far: every lookup of a device begins with one. The registry's change feed, and what the
 * gateway notes of devices that were heard, go elsewhere.
 */
async function lookups({ platform }: FleetPlatform): Promise<number> {
  const text = await (await fetch(platform.endpoints().metrics.cosmos!)).text();
  let requests = 0;
  for (const [, labels, value] of text.matchAll(/^cosmos_requests_total\{([^}]*)\} (\d+)/gm)) {
    if (!/container="[^"]*\/directory"/.test(labels!)) continue;
    // Several documents by their ids, as lookups ask; the jobs' own upkeep reads them one by one.
    if (/operation="bulk"/.test(labels!)) requests += Number(value);
  }
  return requests;
}

async function highest(
  fleet: FleetPlatform,
  load: DeviceLoad,
  target: LoadTarget,
  settings: Settings,
  notes: string[],
  progress: (line: string) => void,
): Promise<Figure[]> {
  const { connections, stepSeconds: seconds } = settings;
  await connectAll(load, target, connections, progress);
  let best: Held | undefined;
  let beyond: Held | undefined;
  for (const rate of settings.steps) {
    const held = await hold(fleet, load, { connections, rate, seconds });
    progress(`${rate}/s ${held.held ? 'held' : 'not held'}: ${told(held)}`);
    if (!held.held) {
      beyond = held;
      break;
    }
    best = held;
  }
  const limit = beyond ?? best;
  if (limit !== undefined) notes.push(`highest rate: ${limitOf(limit)}`);
  return [
    {
      name: 'mqttsHighestRate',
      value: Math.round(best?.perSecond ?? 0),
      unit: 'messages/s',
      target: { atLeast: MARK * 0.98 },
    },
    { name: 'mqttsHighestRateP99', value: best?.p99 ?? NaN, unit: 'ms' },
    { name: 'mqttsHighestRateCpu', value: best?.cpuMicroseconds ?? NaN, unit: 'us/message' },
  ];
}

/** The processes are given no time for a while, one after the other, as on a machine that has far too much to do. */
async function starve(pids: readonly number[]): Promise<void> {
  await delay(WARM_UP_MS);
  for (const pid of pids) {
    await delay(STOPPED_MS / 2);
    process.kill(pid, 'SIGSTOP');
    await delay(STOPPED_MS);
    process.kill(pid, 'SIGCONT');
  }
}

/** More than the gateway can take for a while, and what it does afterwards. */
async function overload(
  fleet: FleetPlatform,
  load: DeviceLoad,
  target: LoadTarget,
  { connections, rate, overload: beyond }: Settings,
  progress: (line: string) => void,
): Promise<Figure[]> {
  const seconds = OVERLOAD_SECONDS;
  await connectAll(load, target, connections, progress);
  const before = await hold(fleet, load, { connections, rate, seconds });
  progress(`before: ${told(before)}`);
  const readSoFar = await lookups(fleet);
  const settledWithin = RECOVERED_WITHIN_MS;
  const [meanwhile] = await Promise.all([
    hold(fleet, load, { connections, rate: beyond, seconds, settledWithin }),
    starve([gatewayOf(fleet), fleet.platform.processes().cosmos!]),
  ]);
  progress(`overload: ${told(meanwhile)}`);
  const asked = (await lookups(fleet)) - readSoFar;
  const after = await hold(fleet, load, { connections, rate, seconds });
  progress(`after: ${told(after)}; ${asked} reads of the directory in Cosmos meanwhile`);
  return [
    { name: 'overloadRate', value: Math.round(meanwhile.perSecond), unit: 'messages/s' },
    { name: 'overloadDirectoryReads', value: asked, unit: 'requests' },
    { name: 'overloadWorkedOffWithin', value: meanwhile.settledSeconds, unit: 's' },
    { name: 'afterOverloadCpu', value: after.cpuMicroseconds, unit: 'us/message' },
    { name: 'afterOverloadP99', value: after.p99, unit: 'ms' },
    {
      name: 'afterOverloadRate',
      value: Math.round(after.perSecond),
      unit: 'messages/s',
      target: { atLeast: Math.floor(rate * 0.98) },
    },
  ];
}

/** What kept the rate from being higher. */
function limitOf({ cores, generatorCores, machineBusy, perSecond }: Held): string {
  const gateway = cores.gateway ?? 0;
  const used = `at ${Math.round(perSecond)}/s the gateway used ${gateway.toFixed(2)} cores, the generator ${generatorCores.toFixed(2)}, and the machine was ${Math.round(machineBusy * 100)} % busy`;
  if (gateway > 0.9) return `${used}: the gateway's one thread limits it`;
  if (generatorCores > 0.9) return `${used}: the generator's one thread limits it`;
  if (machineBusy > 0.9) return `${used}: the machine's cores limit it, which all processes share`;
  return `${used}: no limit was reached in the steps that were tried, or it is waiting`;
}

async function memory(
  fleet: FleetPlatform,
  load: DeviceLoad,
  target: LoadTarget,
  { memory: connections }: Settings,
  progress: (line: string) => void,
): Promise<Figure> {
  await load.leave('senders');
  const gateway = gatewayOf(fleet);
  // Those that left are forgotten first; what a gateway that served a while holds anyway is no connection's.
  await delay(5_000);
  const before = residentBytes(gateway);
  await connectAll(load, target, connections, progress);
  await load.send('senders', 30_000);
  await delay(35_000);
  const each = (residentBytes(gateway) - before) / connections;
  progress(`${connections} TLS connections: ${(each / 1024).toFixed(1)} KB each`);
  return { name: 'memoryPerTlsConnection', value: each / 1024, unit: 'KB', target: { atMost: 60 } };
}
