import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { residentBytes } from '../../bench/process-stats';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { createLineScanner, parseLineFrame } from '../../src/field-gateway/line-protocol';
import { createDecoderRegistry, PAYLOAD_DECODERS } from '../../src/gateway/decoders';
import { createIntake } from '../../src/gateway/intake';
import { buildDevice, tokenOf } from '../gateway/devices.support';
import { HUB } from '../gateway/gateway.support';
import { connectOf, LINE_FRAMES, packetsOf, payloadsOf, requestOf } from './corpus';
import { createChance, mutated } from './mutate';
import { type VictimPorts } from './victim';

export interface FuzzReport {
  counts: Record<string, number>;
  /** Each with what was thrown, to be thrown again. Empty means nothing was found. */
  findings: string[];
}

/** An input is answered, or its connection closed, within this; a gateway waits 2 s for the rest of a packet here. */
/** Longer than the gateway waits for the rest of a packet: half a packet is closed in the end, and that is its answer. */
const ANSWERED_WITHIN_MS = 30_000;
/** The probe may have become the end of a packet that lied about its length: another one is then answered. */
const PROBED_AGAIN_MS = 2_000;
/** Of processor, which a busy machine does not lengthen. */
const SLOWEST_DECODING_MICROSECONDS = 1_000_000;
const WORKERS = 8;
const GROWTH_BYTES = 150 * 1024 ** 2;
const SHOWN_BYTES = 400;
const KEPT_INPUTS = 24;
/** More than the CONNACK; and CONNACK, PUBACK and PINGRESP. */
const ANY_ANSWER = 5;
const ALL_ANSWERS = 4 + 4 + 2;
const PINGREQ = generate({ cmd: 'pingreq' });

function victimScript(): string {
  const beside = resolve(__dirname, 'victim.js');
  return existsSync(beside) ? beside : resolve(__dirname, '../../dist/test/fuzz/victim.js');
}

/**
 * Throws mutated input at a gateway for a while: MQTT before and after CONNECT, HTTP, and every decoder's payloads through
 * both. Looks for a crash, for memory that grows, for input that is neither answered nor closed, for a decoder that throws
 * what is no refusal or takes long, and for well-behaved devices that suffer from it.
 */
export async function fuzzGateway(options: {
  seconds: number;
  seed: number;
  progress: (line: string) => void;
}): Promise<FuzzReport> {
  const { seconds, seed, progress } = options;
  const counts: Record<string, number> = {};
  const findings: string[] = [];
  const counted = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);
  const dataDir = mkdtempSync(join(tmpdir(), 'atrium-fuzz-'));
  const eventHubs = createEventHubsEmulator({ dataDir, hubs: { [HUB]: 4 }, fsync: false });
  const { connectionString } = await eventHubs.start();
  const devices = Array.from({ length: WORKERS }, () => buildDevice());
  const good = buildDevice();
  const child = fork(victimScript(), { serialization: 'advanced' });
  const thrown: string[] = [];
  let over = false;
  const found = (what: string): void => {
    if (findings.length < 50) findings.push(`${what} (seed ${seed})`);
    progress(`FOUND ${what}`);
  };
  child.once('exit', (code, signal) => {
    if (over) return;
    over = true;
    found(`the gateway ended with ${code ?? signal}; last thrown: ${thrown.join(' | ')}`);
  });

  try {
    child.send({ connectionString, devices: [...devices, good] });
    const [{ port, mqttPort }] = (await once(child, 'message')) as [VictimPorts];
    const until = Date.now() + seconds * 1_000;
    const memory = watchMemory(child.pid!, seconds);
    const running = (): boolean => !over && Date.now() < until;

    /** Writes, and resolves with what came of it. `probe` is written behind it and must be answered if the rest is whole. */
    const throwBytes = (
      to: number,
      bytes: Buffer,
      probe: Buffer | undefined,
      wantedBytes = ANY_ANSWER,
    ): Promise<'answered' | 'closed' | 'neither'> =>
      new Promise((done) => {
        const socket = connect(to, '127.0.0.1', () => {
          if (probe === undefined) return void socket.end(bytes);
          socket.write(bytes);
          socket.write(probe);
        });
        const late = setTimeout(() => end('neither'), ANSWERED_WITHIN_MS);
        const again = setInterval(() => {
          if (probe !== undefined && socket.writable) socket.write(probe);
        }, PROBED_AGAIN_MS);
        let got = 0;
        const end = (how: 'answered' | 'closed' | 'neither'): void => {
          clearTimeout(late);
          clearInterval(again);
          socket.destroy();
          done(how);
        };
        socket.on('data', (chunk: Buffer) => {
          got += chunk.length;
          // What is left open is answered once something came back; what ended its side is closed by the other.
          if (probe !== undefined && got >= wantedBytes) end('answered');
        });
        socket.on('error', () => end('closed'));
        socket.on('close', () => end('closed'));
      });

    const throwOne = async (kind: string, to: number, bytes: Buffer, probe?: Buffer): Promise<void> => {
      thrown.push(`${kind} ${bytes.subarray(0, SHOWN_BYTES).toString('hex')}`);
      if (thrown.length > KEPT_INPUTS) thrown.shift();
      counted(kind);
      const how = await throwBytes(to, bytes, probe);
      if (over) return;
      if (how === 'neither') {
        found(`${kind} was neither answered nor closed: ${bytes.subarray(0, SHOWN_BYTES).toString('hex')}`);
      } else counted(how);
    };

    const worker = async (index: number): Promise<void> => {
      const chance = createChance(seed * 64 + index);
      const device = devices[index]!;
      const token = tokenOf(device);
      const connecting = connectOf(device, token);
      const packets = packetsOf(device);
      const payloads = payloadsOf(device);
      const bodies = payloads.map(({ body }) => body);
      const requests = payloads.map((payload) => requestOf(device, token, payload));
      const everything = [...packets, ...bodies, ...requests, connecting];
      while (running()) {
        const payload = chance.of(payloads);
        switch (chance.integer(7)) {
          case 0: {
            const bytes = chance.oneIn(4) ? chance.bytes(64) : mutated(connecting, chance, everything);
            await throwOne('MQTT before CONNECT', mqttPort, bytes);
            break;
          }
          case 1: {
            const sent = Array.from({ length: 1 + chance.integer(6) }, () => {
              const packet = chance.of(packets);
              return chance.oneIn(3) ? packet : mutated(packet, chance, everything);
            });
            await throwOne(
              'MQTT packets',
              mqttPort,
              Buffer.concat([connecting, ...sent]),
              probeOf(chance.oneIn(2)),
            );
            break;
          }
          case 2: {
            const type = encodeURIComponent(payload.contentType);
            const bag = chance.oneIn(3)
              ? mutated(Buffer.from(`$.ct=${type}&$.mid=1&a=%20`), chance, bodies)
              : `$.ct=${type}`;
            const topic = `devices/${device.deviceId}/messages/events/${bag.toString('latin1').slice(0, 8_000)}`;
            const packet = generate({
              ...{
                cmd: 'publish',
                topic,
                qos: 1,
                messageId: 1 + chance.integer(65_535),
                dup: false,
                retain: false,
              },
              payload: mutated(payload.body, chance, bodies),
            });
            await throwOne('MQTT payloads', mqttPort, Buffer.concat([connecting, packet]), PINGREQ);
            break;
          }
          case 3: {
            const topic = mutated(
              Buffer.from(
                chance.of(['$iothub/twin/GET/?$rid=1', '$iothub/twin/PATCH/properties/reported/?$rid=2']),
              ),
              chance,
              bodies,
            );
            const body = mutated(Buffer.from('{"interval": 5, "a": {"b": null}}'), chance, bodies);
            const subscribe = packets.find((each) => each[0] === 0x82)!;
            const packet = generate({
              ...{ cmd: 'publish', topic: topic.toString('latin1').slice(0, 8_000), payload: body },
              ...{ qos: 0, dup: false, retain: false },
            });
            await throwOne(
              'twin requests',
              mqttPort,
              Buffer.concat([connecting, subscribe, packet]),
              PINGREQ,
            );
            break;
          }
          case 4:
            await throwOne('HTTP requests', port, mutated(chance.of(requests), chance, everything));
            break;
          case 5: {
            const body = mutated(payload.body, chance, bodies);
            const lie = chance.oneIn(8) ? chance.integer(2 * body.length + 2) : body.length;
            await throwOne('HTTP payloads', port, requestOf(device, token, { ...payload, body }, lie));
            break;
          }
          default:
            decodeHere(chance.of([...payloads, ...payloads]), mutated(payload.body, chance, bodies));
            scanLines(mutated(Buffer.concat(LINE_FRAMES), chance, LINE_FRAMES));
        }
      }
    };

    const decoders = createDecoderRegistry(PAYLOAD_DECODERS);
    const decodeHere = ({ contentType }: { contentType: string }, body: Buffer): void => {
      const decoder = decoders.find(contentType);
      if (decoder === undefined) return;
      counted('payloads to decoders');
      const began = process.cpuUsage();
      const intake = createIntake({
        device: good,
        readingsPerRequest: 10_000,
        onDecoderFault: (_, error) =>
          found(`${contentType} threw ${String(error)}: ${body.subarray(0, SHOWN_BYTES).toString('hex')}`),
      });
      const message = { body, deviceId: good.deviceId, channels: good.assignments, messageId: null };
      intake.take({ ...message, receivedAt: Date.now(), createdAt: null }, decoder);
      const { user } = process.cpuUsage(began);
      if (user > SLOWEST_DECODING_MICROSECONDS) {
        found(
          `${contentType} took over a second of processor: ${body.subarray(0, SHOWN_BYTES).toString('hex')}`,
        );
      }
    };
    const scanLines = (bytes: Buffer): void => {
      counted('line frames');
      try {
        createLineScanner().feed(bytes, (frame) => void parseLineFrame(frame));
      } catch (error) {
        found(`line frames threw ${String(error)}: ${bytes.subarray(0, SHOWN_BYTES).toString('hex')}`);
      }
    };

    /** A device beside it all: each of its readings must be acknowledged. */
    const wellBehaved = async (): Promise<void> => {
      const connecting = connectOf(good, tokenOf(good));
      const publish = packetsOf(good)[0]!;
      while (running()) {
        const how = await throwBytes(mqttPort, Buffer.concat([connecting, publish]), PINGREQ, ALL_ANSWERS);
        if (over) return;
        if (how === 'answered') counted('readings of a well-behaved device acknowledged');
        else found(`a well-behaved device beside it was ${how}`);
        await delay(50);
      }
    };
    const tell = setInterval(() => progress(`${JSON.stringify(counts)} ${memory.now()} MB`), 15_000);
    await Promise.all([...devices.map((_, index) => worker(index)), wellBehaved()]);
    clearInterval(tell);
    const { grown, ...megabytes } = memory.stop();
    Object.assign(counts, megabytes);
    if (grown > GROWTH_BYTES) found(`memory grew by ${Math.round(grown / 1024 ** 2)} MB after the warm-up`);
    if (!over) for (const each of await leftBehind(child)) found(each);
    return { counts, findings };
  } finally {
    over = true;
    child.kill('SIGKILL');
    await eventHubs.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const probeOf = (wanted: boolean): Buffer | undefined => (wanted ? PINGREQ : undefined);

function watchMemory(pid: number, seconds: number) {
  const warmUntil = Date.now() + Math.max(2_000, seconds * 250);
  let warm = 0;
  let most = 0;
  const look = setInterval(() => {
    const bytes = residentBytes(pid);
    if (Date.now() < warmUntil) warm = Math.max(warm, bytes);
    most = Math.max(most, bytes);
  }, 100);
  const megabytes = (bytes: number): number => Math.round(bytes / 1024 ** 2);
  return {
    now: () => megabytes(residentBytes(pid)),
    stop() {
      clearInterval(look);
      return {
        'MB resident at most in the warm-up': megabytes(warm),
        'MB resident at most': megabytes(most),
        grown: most - warm,
      };
    },
  };
}

/** What the gateway's own metrics say that must not be, once all is quiet. */
async function leftBehind(child: ReturnType<typeof fork>): Promise<string[]> {
  const deadline = Date.now() + ANSWERED_WITHIN_MS;
  for (;;) {
    child.send({});
    const [{ metrics }] = (await once(child, 'message')) as [{ metrics: string }];
    const valueOf = (pattern: RegExp): number =>
      [...metrics.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
    const left = [
      ['bytes are still held', valueOf(/^atrium_gateway_bytes_in_flight\S* (\S+)$/gm)],
      ['MQTT connections are still there', valueOf(/^atrium_gateway_mqtt_connections\S* (\S+)$/gm)],
      ['connections ended by a fault of ours', valueOf(/^\S*\{[^}]*reason="fault"[^}]*\} (\S+)$/gm)],
      ['messages on which a decoder failed', valueOf(/^atrium_gateway_decoder_faults_total\S* (\S+)$/gm)],
      [
        'requests answered with a fault of ours',
        valueOf(/^\S*requests_total\{[^}]*status="500"[^}]*\} (\S+)$/gm),
      ],
    ].filter(([, value]) => (value as number) > 0);
    if (left.length === 0) return [];
    if (Date.now() >= deadline) return left.map(([what, value]) => `${value} ${what}`);
    await delay(200);
  }
}
