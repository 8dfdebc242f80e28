import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type LoadCommand, type LoadDevice, type LoadReply, type LoadStats } from './gateway.load';

/** Many MQTT devices in a process of their own, driven from here by groups of them. */
export interface DeviceLoad {
  pid: number;
  /** Names the devices `from` to `to` (that one left out) for the other calls, and where they connect. */
  group(name: string, from: number, to: number, target: LoadTarget): Promise<void>;
  /** All of the group connect, at most `atOnce` under way; whoever is refused or cut tries again until `leave`. */
  connect(name: string, atOnce: number): Promise<void>;
  /** Every device sends a reading once an interval, each at its own phase. */
  send(name: string, intervalMilliseconds: number): Promise<void>;
  /** No further reading; those in flight are still waited for. */
  hush(name: string): Promise<void>;
  /** Breaks every connection of the group at once; the devices connect again at once, all of them. */
  cut(name: string): Promise<void>;
  /** Connections that stand now do not count any more: a device is back when it has a new one. */
  renew(name: string): Promise<void>;
  leave(name: string): Promise<void>;
  /** What happened since the last time this was asked. */
  take(name: string): Promise<LoadStats>;
  /** Asks `take` until it satisfies; the counts of those in between are lost to it. */
  until(name: string, what: (stats: LoadStats) => boolean, withinMilliseconds: number): Promise<LoadStats>;
  /** Every acknowledged reading: the device's index, and the instant it was observed in ms. */
  acknowledged(): Promise<{ device: Uint32Array; observedAt: Float64Array }>;
  stop(): Promise<void>;
}

export interface LoadTarget {
  port: number;
  /** The authority that signed the gateway's certificate: MQTTS. */
  ca?: string;
}

/** The compiled generator, from a compiled file as well as from a source that jest runs. */
function script(): string {
  const beside = resolve(__dirname, 'gateway.load.js');
  return existsSync(beside) ? beside : resolve(__dirname, '../dist/bench/gateway.load.js');
}

export function startDeviceLoad(devices: readonly LoadDevice[]): DeviceLoad {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-load-'));
  const file = join(folder, 'devices.json');
  writeFileSync(file, JSON.stringify(devices), { mode: 0o600 });
  const child = fork(script(), [file], { stdio: 'inherit', execArgv: ['--max-old-space-size=6000'] });
  const waiting = new Map<number, { done: (reply: LoadReply) => void; fail: (error: Error) => void }>();
  let asked = 0;
  child.on('message', (reply: LoadReply) => {
    waiting.get(reply.id)?.done(reply);
    waiting.delete(reply.id);
  });
  child.once('exit', (code) => {
    for (const { fail } of waiting.values()) fail(new Error(`the load generator ended with ${code}`));
  });
  const ask = (command: LoadCommand): Promise<LoadReply> =>
    new Promise((done, fail) => {
      const id = ++asked;
      waiting.set(id, { done, fail });
      child.send({ ...command, id });
    });
  const take = async (group: string): Promise<LoadStats> => (await ask({ do: 'take', group })).stats!;

  return {
    pid: child.pid!,
    async group(group, from, to, { port, ca }) {
      await ask({ do: 'group', group, from, to, port, ...(ca === undefined ? {} : { ca }) });
    },
    connect: async (group, atOnce) => void (await ask({ do: 'connect', group, atOnce })),
    send: async (group, interval) => void (await ask({ do: 'send', group, interval })),
    hush: async (group) => void (await ask({ do: 'hush', group })),
    cut: async (group) => void (await ask({ do: 'cut', group })),
    renew: async (group) => void (await ask({ do: 'renew', group })),
    leave: async (group) => void (await ask({ do: 'leave', group })),
    take,
    async until(group, what, withinMilliseconds) {
      const deadline = Date.now() + withinMilliseconds;
      for (;;) {
        const stats = await take(group);
        if (what(stats)) return stats;
        if (Date.now() >= deadline) {
          throw new Error(`the devices '${group}' did not get there in time: ${JSON.stringify(stats)}`);
        }
        await new Promise((next) => setTimeout(next, 100));
      }
    },
    async acknowledged() {
      const target = join(folder, 'acknowledged.bin');
      await ask({ do: 'acknowledged', file: target });
      const bytes = readFileSync(target);
      const count = bytes.length / 12;
      const device = new Uint32Array(count);
      const observedAt = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        device[i] = bytes.readUInt32LE(i * 12);
        observedAt[i] = bytes.readDoubleLE(i * 12 + 4);
      }
      return { device, observedAt };
    },
    async stop() {
      const gone = new Promise<void>((done) => {
        if (child.exitCode !== null || child.signalCode !== null) done();
        else child.once('exit', () => done());
      });
      child.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
