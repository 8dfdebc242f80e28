import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';

/**
 * A process that is many MQTT devices at once, as lean as Node allows: bare sockets, packets built once and patched.
 * `device-load.ts` starts it and speaks with it.
 */
export interface LoadDevice {
  deviceId: string;
  token: string;
}

export type LoadCommand =
  | { do: 'group'; group: string; from: number; to: number; port: number; ca?: string }
  | { do: 'connect'; group: string; atOnce: number }
  | { do: 'send'; group: string; interval: number }
  | { do: 'hush' | 'cut' | 'leave' | 'take' | 'renew'; group: string }
  | { do: 'acknowledged'; file: string };

export interface LoadReply {
  id: number;
  stats?: LoadStats;
}

/** Counts since the last time they were asked for; what stands now by `connected`, `inFlight` and the like. */
export interface LoadStats {
  devices: number;
  connected: number;
  /** Of those that are not: on their way to TCP, in the TLS handshake, waiting for their CONNACK. */
  underWay: { tcp: number; tls: number; connect: number };
  /** Devices that had a reading acknowledged on their present connection, if that is no older than the last `renew`. */
  back: number;
  /** From the last `connect`, `cut` or `renew` until the last of them was back; 0 while some are not. */
  allBackMilliseconds: number;
  sent: number;
  acknowledged: number;
  inFlight: number;
  /** Connections that the gateway ended or refused. */
  ended: number;
  /** From the instant a reading was due until its PUBACK; NaN without any. */
  p50: number;
  p99: number;
  longest: number;
  /** Readings that left more than 100 ms after they were due: the generator was too slow. */
  late: number;
}

interface Group {
  from: number;
  to: number;
  port: number;
  tls: SecureContext | undefined;
  sockets: (Socket | undefined)[];
  /** TLS sessions, as a device keeps its own to come back quicker. */
  sessions: (Buffer | undefined)[];
  /** By device: what was sent and is not acknowledged, in the order it was sent. */
  pending: Pending[][];
  /** Its CONNECT has left. */
  greeted: Uint8Array;
  letIn: Uint8Array;
  back: Uint8Array;
  /** Of connections that stood at the last `renew`: what is acknowledged on them shows nothing. */
  old: Uint8Array;
  backCount: number;
  connectedCount: number;
  queue: number[];
  underWay: number;
  atOnce: number;
  staying: boolean;
  since: number;
  allBackAt: number;
  /** 0 while it is silent. */
  interval: number;
  begun: number;
  /** Readings due so far, over all devices in turn. */
  turns: number;
  histogram: Uint32Array;
  sent: number;
  acknowledged: number;
  ended: number;
  late: number;
  longest: number;
}

interface Pending {
  messageId: number;
  observedAt: number;
  dueAt: number;
}

const SLOT_MS = 5;
const LATE_MS = 100;
const LONGEST_MS = 120_000;
const RETRY_MS = 500;

const devices = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as LoadDevice[];
/** Sockets that TCP has connected. */
const reached = new WeakSet<Socket>();
const groups = new Map<string, Group>();
const nextId = new Uint16Array(devices.length).fill(1);
const lastObserved = new Float64Array(devices.length);
const templates: (Buffer | undefined)[] = new Array<undefined>(devices.length);
let record = Buffer.alloc(12 * 1_000_000);
let recorded = 0;

function utf8(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function packet(first: number, rest: Buffer): Buffer {
  const header = [first];
  let { length } = rest;
  do {
    header.push((length & 127) | (length > 127 ? 128 : 0));
    length >>= 7;
  } while (length > 0);
  return Buffer.concat([Buffer.from(header), rest]);
}

function connectPacket({ deviceId, token }: LoadDevice): Buffer {
  const fixed = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0xc2, 4, 176]);
  const user = `127.0.0.1/${deviceId}/?api-version=2021-04-12`;
  return packet(0x10, Buffer.concat([fixed, utf8(deviceId), utf8(user), utf8(token)]));
}

const BODY_END = '"}';
const INSTANT_LENGTH = 24;

/** A PUBLISH at QoS 1 whose instant and packet identifier are written over. */
function publishTemplate(index: number): Buffer {
  const body = `{"temperature":${(18 + (index % 80) / 10).toFixed(2)},"observedAt":"${new Date(0).toISOString()}${BODY_END}`;
  const topic = utf8(`devices/${devices[index]!.deviceId}/messages/events/`);
  return packet(0x32, Buffer.concat([topic, Buffer.from([0, 0]), Buffer.from(body)]));
}

function publishBytes(index: number, { messageId, observedAt }: Pending): Buffer {
  const template = (templates[index] ??= publishTemplate(index));
  const bytes = Buffer.from(template);
  bytes.write(
    new Date(observedAt).toISOString(),
    bytes.length - BODY_END.length - INSTANT_LENGTH,
    INSTANT_LENGTH,
    'latin1',
  );
  const body = '{"temperature":00.00,"observedAt":"'.length + INSTANT_LENGTH + BODY_END.length;
  bytes.writeUInt16BE(messageId, bytes.length - body - 2);
  return bytes;
}

function publish(group: Group, index: number, dueAt: number): void {
  const at = index - group.from;
  const id = nextId[index]!;
  nextId[index] = id === 65_535 ? 1 : id + 1;
  // A device has one reading an instant: its identity.
  const observedAt = Math.max(Math.floor(dueAt), lastObserved[index]! + 1);
  lastObserved[index] = observedAt;
  const pending = { messageId: id, observedAt, dueAt };
  group.pending[at]!.push(pending);
  group.sent++;
  if (Date.now() - dueAt > LATE_MS) group.late++;
  if (group.letIn[at] === 1) group.sockets[at]!.write(publishBytes(index, pending));
}

function acknowledge(group: Group, index: number, messageId: number, now: number): void {
  const at = index - group.from;
  const pending = group.pending[at]!;
  const place = pending[0]?.messageId === messageId ? 0 : pending.findIndex((p) => p.messageId === messageId);
  if (place < 0) return;
  const [{ observedAt, dueAt }] = pending.splice(place, 1) as [Pending];
  const latency = Math.max(0, now - dueAt);
  group.histogram[Math.min(LONGEST_MS, Math.round(latency))]!++;
  group.longest = Math.max(group.longest, latency);
  group.acknowledged++;
  if (recorded * 12 === record.length) record = Buffer.concat([record, Buffer.alloc(record.length)]);
  record.writeUInt32LE(index, recorded * 12);
  record.writeDoubleLE(observedAt, recorded * 12 + 4);
  recorded++;
  if (group.back[at] === 0 && group.old[at] === 0) {
    group.back[at] = 1;
    if (++group.backCount === group.to - group.from) group.allBackAt = now;
  }
}

function more(group: Group): void {
  while (group.staying && group.underWay < group.atOnce && group.queue.length > 0) {
    group.underWay++;
    open(group, group.queue.shift()!);
  }
}

function open(group: Group, index: number): void {
  const at = index - group.from;
  let waiting = true;
  const settled = (): void => {
    if (!waiting) return;
    waiting = false;
    group.underWay--;
    more(group);
  };
  const hello = (): void => {
    group.greeted[at] = 1;
    socket.setNoDelay(true);
    socket.write(connectPacket(devices[index]!));
  };
  const socket: Socket =
    group.tls === undefined
      ? connectSocket({ port: group.port, host: '127.0.0.1' }, hello)
      : connectTls(
          {
            port: group.port,
            host: '127.0.0.1',
            secureContext: group.tls,
            ...(group.sessions[at] === undefined ? {} : { session: group.sessions[at] }),
          },
          hello,
        );
  if (group.tls !== undefined) socket.on('session', (session: Buffer) => (group.sessions[at] = session));
  group.sockets[at] = socket;
  group.greeted[at] = 0;
  if (group.tls !== undefined) socket.once('connect', () => reached.add(socket));
  let rest: Buffer | undefined;
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    const now = Date.now();
    let from = 0;
    // Nothing that these devices are sent is longer than four bytes: CONNACK and PUBACK.
    for (; from + 4 <= bytes.length; from += 4) {
      if (bytes[from] === 0x40) acknowledge(group, index, bytes.readUInt16BE(from + 2), now);
      else if (bytes[from] === 0x20 && bytes[from + 3] === 0) {
        group.letIn[at] = 1;
        group.connectedCount++;
        settled();
        // What was not acknowledged is sent again; where nothing was, a reading of now shows that the device is back.
        const again = group.pending[at]!;
        if (again.length === 0) publish(group, index, now);
        else for (const each of again) socket.write(publishBytes(index, each));
      }
    }
    rest = from === bytes.length ? undefined : bytes.subarray(from);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (group.sockets[at] === socket) {
      group.ended++;
      dropped(group, index);
      if (group.staying) setTimeout(() => again(group, [index]), RETRY_MS * (0.5 + Math.random()));
    }
    settled();
  });
}

function dropped(group: Group, index: number): void {
  const at = index - group.from;
  group.sockets[at] = undefined;
  if (group.letIn[at] === 1) group.connectedCount--;
  if (group.back[at] === 1) group.backCount--;
  group.letIn[at] = 0;
  group.back[at] = 0;
  group.old[at] = 0;
  group.allBackAt = 0;
}

function again(group: Group, indexes: number[]): void {
  for (const index of indexes) group.queue.push(index);
  more(group);
}

function breakAll(group: Group): number[] {
  const broken: number[] = [];
  for (let index = group.from; index < group.to; index++) {
    const socket = group.sockets[index - group.from];
    if (socket === undefined) continue;
    dropped(group, index);
    if (group.tls === undefined) socket.resetAndDestroy();
    else socket.destroy();
    broken.push(index);
  }
  return broken;
}

function stats(group: Group): LoadStats {
  const { histogram } = group;
  const quantile = (q: number): number => {
    let left = Math.ceil(group.acknowledged * q);
    if (left === 0) return NaN;
    for (let ms = 0; ms <= LONGEST_MS; ms++) {
      left -= histogram[ms]!;
      if (left <= 0) return ms;
    }
    return LONGEST_MS;
  };
  const underWay = { tcp: 0, tls: 0, connect: 0 };
  group.sockets.forEach((socket, at) => {
    if (socket === undefined || group.letIn[at] === 1) return;
    if (group.greeted[at] === 1) underWay.connect++;
    else if (group.tls === undefined || !reached.has(socket)) underWay.tcp++;
    else underWay.tls++;
  });
  const now: LoadStats = {
    underWay,
    devices: group.to - group.from,
    connected: group.connectedCount,
    back: group.backCount,
    allBackMilliseconds: group.allBackAt === 0 ? 0 : group.allBackAt - group.since,
    sent: group.sent,
    acknowledged: group.acknowledged,
    inFlight: group.pending.reduce((sum, each) => sum + each.length, 0),
    ended: group.ended,
    p50: quantile(0.5),
    p99: quantile(0.99),
    longest: group.longest,
    late: group.late,
  };
  group.histogram.fill(0);
  group.sent = group.acknowledged = group.ended = group.late = group.longest = 0;
  return now;
}

setInterval(() => {
  const now = Date.now();
  for (const group of groups.values()) {
    if (group.interval === 0) continue;
    const size = group.to - group.from;
    const each = group.interval / size;
    for (; group.begun + group.turns * each <= now; group.turns++) {
      const index = group.from + (group.turns % size);
      // Who is not connected keeps the reading until it is; a bounded number of them.
      if (group.letIn[index - group.from] === 1 || group.pending[index - group.from]!.length < 4) {
        publish(group, index, group.begun + group.turns * each);
      }
    }
  }
}, SLOT_MS);

function carryOut(command: LoadCommand): LoadStats | undefined {
  if (command.do === 'acknowledged') {
    writeFileSync(command.file, record.subarray(0, recorded * 12));
    return undefined;
  }
  if (command.do === 'group') {
    const { from, to, port, ca } = command;
    const before = groups.get(command.group);
    if (before !== undefined) breakAll(before);
    const size = to - from;
    groups.set(command.group, {
      ...{ from, to, port },
      tls: ca === undefined ? undefined : createSecureContext({ ca }),
      sockets: new Array<undefined>(size).fill(undefined),
      sessions: new Array<undefined>(size).fill(undefined),
      pending: Array.from({ length: size }, () => []),
      greeted: new Uint8Array(size),
      letIn: new Uint8Array(size),
      back: new Uint8Array(size),
      old: new Uint8Array(size),
      ...{ backCount: 0, connectedCount: 0, queue: [], underWay: 0, atOnce: 0, staying: false },
      ...{ since: 0, allBackAt: 0, interval: 0, begun: 0, turns: 0 },
      histogram: new Uint32Array(LONGEST_MS + 1),
      ...{ sent: 0, acknowledged: 0, ended: 0, late: 0, longest: 0 },
    });
    return undefined;
  }
  const group = groups.get(command.group);
  // Nobody of that name has connected yet: there is nothing to leave.
  if (group === undefined) return undefined;
  switch (command.do) {
    case 'connect':
      group.staying = true;
      group.atOnce = command.atOnce;
      group.since = Date.now();
      again(
        group,
        Array.from({ length: group.to - group.from }, (_, i) => group.from + i),
      );
      return undefined;
    case 'send':
      group.interval = command.interval;
      group.begun = Date.now();
      group.turns = 0;
      return undefined;
    case 'hush':
      group.interval = 0;
      return undefined;
    case 'cut': {
      group.atOnce = Infinity;
      const broken = breakAll(group);
      group.since = Date.now();
      again(group, broken);
      return undefined;
    }
    case 'renew':
      group.old.set(group.letIn);
      group.back.fill(0);
      group.backCount = group.allBackAt = 0;
      group.since = Date.now();
      return undefined;
    case 'leave':
      group.staying = false;
      group.interval = 0;
      breakAll(group);
      return undefined;
    case 'take':
      return stats(group);
  }
}

process.on('message', (message: LoadCommand & { id: number }) => {
  const found = carryOut(message);
  process.send!({ id: message.id, ...(found === undefined ? {} : { stats: found }) } satisfies LoadReply);
});
process.on('disconnect', () => process.exit());
