import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { residentBytes } from '../../bench/process-stats';
import { count, duration } from '../../simulator/arguments';
import { ensureFleet } from '../../simulator/ensure-fleet';
import { RegisterDocumentsDocument } from '../../simulator/generated/graphql';
import { openSession, type Session } from '../../simulator/session';
import { documentIdOf } from '../../src/domain/document-id';
import { planSteady } from '../../simulator/steady';
import { type Platform, startPlatform } from '../support/platform';
import { type Order } from './hostile-attacks.process';
import { ATTACKS, REGISTERED, type Seen, type Target } from './hostile-attacks';
import { type Outcome, type Table, type Verification, type VerificationContext } from './verification';

export const verification: Verification = {
  name: 'hostile',
  summary:
    'deep, wide, aliased, looping, huge, slow and replayed requests, oversized frames and floods: the API stays small, and others are answered in time',
  options: [
    '--each DURATION   how long each attack lasts (10s)',
    '--attack TEXT     only those whose name holds it',
    '--memory MB       the most that the API may have resident (700)',
    '--p99 MS          the most for those who behave (500)',
  ],
  run,
};

const CLIENTS = 4;
const ASK_EVERY_MS = 100;
const QUERY = `query Buildings {
  buildings(first: 10) {
    nodes { id name averages { quantity mean readings } devices(first: 10) { nodes { id name state } } }
  }
}`;

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      each: { type: 'string', default: '10s' },
      attack: { type: 'string', default: '' },
      memory: { type: 'string', default: '700' },
      p99: { type: 'string', default: '500' },
    },
  });
  const milliseconds = duration(values.each, 'each');
  const memory = count(values.memory, 'memory', 100_000);
  const mark = count(values.p99, 'p99', 100_000);
  const attacks = ATTACKS.filter(({ name }) => name.includes(values.attack));

  const platform = await startPlatform();
  try {
    const victim = await openSession({
      endpointsFile: platform.endpointsFile,
      user: 'owner@south.example',
    });
    await ensureFleet(victim, planSteady({ name: 'Quiet', buildings: 2, devices: 20 }));
    const attacker = await openSession({
      endpointsFile: platform.endpointsFile,
      user: 'owner@north.example',
    });
    const fleet = await ensureFleet(attacker, planSteady({ name: 'Loud', buildings: 1, devices: 100 }));
    const building = fleet[0]!.buildingId;
    await register(attacker);
    progress(`${REGISTERED.length} documents are registered`);
    const differences: string[] = [];
    const rows: Table['rows'] = [];
    let most = 0;
    let asked = 0;

    const phase = async (name: string, attack: (target: Target) => Promise<Seen>): Promise<void> => {
      const watch = watching(platform);
      const behaving = clients(platform, victim);
      const target = { url: platform.endpoints().api, token: await attacker.client.token(), building };
      const seen = await attack(target);
      const { latencies, failures } = await behaving.stop();
      const resident = watch.stop();
      const heap = await heapOf(platform);
      const p99 = quantile(latencies, 0.99);
      most = Math.max(most, resident);
      asked += latencies.length;
      rows.push([
        name,
        textOf(seen),
        latencies.length,
        Math.round(quantile(latencies, 0.5)),
        Math.round(p99),
        Math.round(resident),
        heap,
      ]);
      progress(
        `${name}: ${textOf(seen)}; others p99 ${Math.round(p99)} ms, API ${Math.round(resident)} MB, heap ${heap} MB`,
      );
      if (latencies.length === 0) differences.push(`${name}: nobody else was answered`);
      for (const failure of failures) differences.push(`${name}: one who behaves was told ${failure}`);
      if (!(p99 <= mark)) differences.push(`${name}: p99 of those who behave is ${Math.round(p99)} ms`);
      if (resident > memory) differences.push(`${name}: the API has ${Math.round(resident)} MB resident`);
      const broken = Object.keys(seen).filter((each) => /^5/.test(each) && each !== '503');
      for (const each of broken) differences.push(`${name}: answered by ${each}, ${seen[each]} times`);
    };

    await phase('nobody', () => delay(milliseconds, {}));
    for (const { name } of attacks) {
      await phase(name, (target) => attackedBy([{ attack: name, target, milliseconds }]));
    }
    await phase('nobody, afterwards', () => delay(milliseconds, {}));
    await Promise.all([victim.close(), attacker.close()]);
    const pid = platform.processes()['api']!;
    return {
      tables: [
        {
          columns: ['attack', 'what came back', 'others asked', 'p50 ms', 'p99 ms', 'API MB', 'heap MB'],
          rows,
        },
      ],
      counts: {
        attacks: attacks.length,
        'requests of those who behave': asked,
        'most resident memory of the API in MB': Math.round(most),
        'resident memory of the API in the end in MB': Math.round(residentBytes(pid) / 1e6),
      },
      differences,
    };
  } finally {
    await platform.stop();
  }
}

/** Runs attacks in processes of their own, so that what they cost is not taken for what is attacked. */
async function attackedBy(orders: readonly Order[]): Promise<Seen> {
  const all: Seen = {};
  await Promise.all(
    orders.map(async (order) => {
      const child: ChildProcess = fork(join(__dirname, 'hostile-attacks.process.js'));
      child.send(order);
      const gone = once(child, 'exit').then(([code]) => {
        throw new Error(`the attack '${order.attack}' ended by itself with ${code}`);
      });
      gone.catch(() => undefined);
      const [seen] = (await Promise.race([once(child, 'message'), gone])) as [Seen];
      child.kill('SIGKILL');
      for (const [what, times] of Object.entries(seen)) all[what] = (all[what] ?? 0) + times;
    }),
  );
  return all;
}

/** As many at once as a call takes. */
async function register({ client, tenantId }: Session): Promise<void> {
  for (let start = 0; start < REGISTERED.length; start += 500) {
    const texts = REGISTERED.slice(start, start + 500);
    const { registerDocuments } = await client.execute(RegisterDocumentsDocument, {
      input: {
        tenantId,
        client: 'attacker',
        documents: texts.map((text) => ({ documentId: documentIdOf(text), text })),
        idempotencyKey: `from ${start}`,
      },
    });
    if (registerDocuments.__typename !== 'RegisterDocumentsSuccess') {
      throw new Error(registerDocuments.message);
    }
  }
}

/** Used by JavaScript, in MB, rubbish that nobody has collected yet included. */
async function heapOf(platform: Platform): Promise<number> {
  const text = await (await fetch(new URL('/metrics', platform.endpoints().api))).text();
  return Math.round(Number(/^nodejs_heap_size_used_bytes\S* (\S+)$/m.exec(text)?.[1]) / 1e6);
}

/** Looks at the API's memory; it must be the same process in the end. */
function watching(platform: Platform): { stop(): number } {
  const pid = platform.processes()['api']!;
  let most = 0;
  const look = (): void => {
    most = Math.max(most, residentBytes(pid) / 1e6);
  };
  const timer = setInterval(look, 200);
  return {
    stop() {
      look();
      clearInterval(timer);
      if (platform.processes()['api'] !== pid) throw new Error('the API died and was started again');
      return most;
    },
  };
}

/** Dashboards of another tenant, each asking again a little after its answer. */
function clients(
  platform: Platform,
  session: Session,
): { stop(): Promise<{ latencies: number[]; failures: string[] }> } {
  const latencies: number[] = [];
  const failures: string[] = [];
  let over = false;
  const client = async (): Promise<void> => {
    while (!over) {
      const token = await session.client.token();
      const from = performance.now();
      try {
        const response = await fetch(platform.endpoints().api, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ query: QUERY }),
          signal: AbortSignal.timeout(30_000),
        });
        const { errors } = (await response.json()) as { errors?: { message: string }[] };
        latencies.push(performance.now() - from);
        if (!response.ok || errors) failures.push(`${response.status} ${errors?.[0]?.message ?? ''}`);
      } catch (error) {
        failures.push((error as Error).message);
      }
      await delay(ASK_EVERY_MS);
    }
  };
  const all = Promise.all(Array.from({ length: CLIENTS }, client));
  return {
    async stop() {
      over = true;
      await all;
      return { latencies, failures };
    },
  };
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

function textOf(seen: Seen): string {
  return Object.entries(seen)
    .sort(([, a], [, b]) => b - a)
    .map(([what, times]) => `${times} x ${what}`)
    .join(', ');
}
