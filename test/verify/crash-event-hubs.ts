import { earliestEventPosition, EventHubConsumerClient, EventHubProducerClient } from '@azure/event-hubs';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type EventHubsProcess, startEventHubs } from './event-hubs-process';
import { createRandom, losePower, readDurableJournal } from './unsynced';
import { type Outcome, type Verification } from './verification';

const HUB = 'crash';
const PARTITIONS = 4;
const PRODUCERS = 3;
const LOADS = 3;
const READ_WITHIN = 60_000;
const CLOSE_WITHIN = 5_000;
const TRY_WITHIN = 15_000;

/** What one producer sent as one batch. Its events are named `${name}/${index}`. */
interface Batch {
  name: string;
  count: number;
  acknowledged: boolean;
  /** Where the producer put it; undefined where it left that to the service. */
  partition: number | undefined;
}

/** The stream as it was found so far: by partition, the event's name by its sequence number. */
type Found = string[][];

export const crashEventHubs: Verification = {
  name: 'crash event-hubs',
  summary: 'kills Event Hubs under load and drops what it had not synced',
  async run({ args, progress }) {
    const { values } = parseArgs({
      args,
      options: {
        rounds: { type: 'string', default: '50' },
        'from-round': { type: 'string', default: '1' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      },
    });
    return provenByCrashes({
      from: Number(values['from-round']),
      rounds: Number(values.rounds),
      seed: Number(values.seed),
      progress,
    });
  },
};

/**
 * Each round: load through the SDK from several producers while a reader follows, SIGKILL at a random moment, then
 * every segment loses what lies behind its last sync (cut, zeroed or scrambled at a random byte). After the restart
 * the log is read again. Every acknowledged event must be there, once, in its producer's order; whatever a reader
 * was shown must still have its sequence number; batches are whole or absent; nothing is there that nobody sent.
 */
export async function provenByCrashes(options: {
  from?: number;
  rounds: number;
  seed: number;
  progress: (line: string) => void;
}): Promise<Outcome> {
  const { rounds, seed, progress } = options;
  const from = options.from ?? 1;
  const random = createRandom(seed);
  const root = mkdtempSync(join(tmpdir(), 'event-hubs-crash-'));
  const paths = {
    data: join(root, 'data'),
    journal: join(root, 'durable'),
    config: join(root, 'config.json'),
  };
  writeFileSync(paths.config, JSON.stringify(configuration));
  const differences: string[] = [];
  const batches = new Map<string, Batch>();
  const found: Found = Array.from({ length: PARTITIONS }, () => []);
  const counts = { kills: 0, sent: 0, acknowledged: 0, stored: 0, dropped: 0, lost: 0, invented: 0 };
  progress(`seed ${seed}`);
  try {
    for (let round = from; round < from + rounds; round += 1) {
      const server = await startServer(paths);
      const seen = await loadAndKill({ server, round, random, batches, found });
      counts.kills += 1;
      const dropped = dropUnsynced(paths, random);
      counts.dropped += dropped;
      const after = await startServer(paths);
      const problems = await check({ server: after, batches, found, seen });
      await after.kill('SIGTERM');
      differences.push(...problems.map((each) => `round ${round}: ${each}`));
      const acknowledged = [...batches.values()].reduce(
        (sum, each) => sum + (each.acknowledged ? each.count : 0),
        0,
      );
      progress(
        `round ${round}: ${acknowledged} acknowledged so far, ${dropped} unsynced bytes dropped, ${problems.length} differences`,
      );
    }
    const server = await startServer(paths);
    const everything = await readFrom(
      server.connectionString,
      found.map(() => 0),
    );
    await server.kill('SIGTERM');
    for (const [partition, names] of everything.entries()) {
      if (names.join('\n') !== found[partition]!.join('\n')) {
        differences.push(`partition ${partition} read from its beginning is not what was read in parts`);
      }
    }
    finish(counts, batches, found, differences);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return {
    counts: {
      'kills with dropped unsynced bytes': counts.kills,
      'events sent': counts.sent,
      'events acknowledged': counts.acknowledged,
      'events stored': counts.stored,
      'unsynced bytes dropped': counts.dropped,
      'acknowledged lost': counts.lost,
      invented: counts.invented,
    },
    differences,
  };
}

const configuration = {
  UserConfig: {
    NamespaceConfig: [
      { Type: 'EventHub', Name: 'crash', Entities: [{ Name: HUB, PartitionCount: PARTITIONS }] },
    ],
  },
};

interface Paths {
  data: string;
  journal: string;
  config: string;
}

/** With small segments, so that kills also meet a log that is just beginning a new one. */
function startServer(paths: Paths): Promise<EventHubsProcess> {
  return startEventHubs({
    data: paths.data,
    args: ['--config', paths.config, '--durable-journal', paths.journal, '--segment-mb', '1'],
  });
}

async function loadAndKill(options: {
  server: EventHubsProcess;
  round: number;
  random: () => number;
  batches: Map<string, Batch>;
  found: Found;
}): Promise<Map<string, string>> {
  const { server, round, random, batches, found } = options;
  const aborter = new AbortController();
  const abortSignal = aborter.signal;
  const retryOptions = { maxRetries: 0 };
  const producers = Array.from(
    { length: PRODUCERS },
    () => new EventHubProducerClient(server.connectionString, HUB, { retryOptions }),
  );
  const consumer = new EventHubConsumerClient('$Default', server.connectionString, HUB, { retryOptions });
  const seen = new Map<string, string>();
  const subscription = consumer.subscribe(
    {
      processEvents(events, { partitionId }) {
        for (const event of events) seen.set(`${partitionId}/${event.sequenceNumber}`, nameOf(event.body));
        return Promise.resolve();
      },
      processError: () => Promise.resolve(),
    },
    {
      startPosition: Object.fromEntries(
        found.map((names, partition) => [
          String(partition),
          names.length === 0 ? earliestEventPosition : { sequenceNumber: names.length - 1 },
        ]),
      ),
      maxBatchSize: 500,
      maxWaitTimeInSeconds: 1,
    },
  );
  const loads = producers.flatMap((producer, p) =>
    Array.from({ length: LOADS }, async (_, lane) => {
      for (let n = 0; !abortSignal.aborted; n += 1) {
        // A lane sends one batch after the other to one partition, so that its order can be checked.
        const partition = lane === 0 ? undefined : (p + lane) % PARTITIONS;
        const batch: Batch = {
          name: `${round}.${p}.${lane}.${n}`,
          count: 1 + Math.floor(random() * 40),
          acknowledged: false,
          partition,
        };
        batches.set(batch.name, batch);
        const events = Array.from({ length: batch.count }, (__, index) => ({
          body: Buffer.from(`${batch.name}/${index} ${'x'.repeat(Math.floor(random() * 600))}`),
        }));
        try {
          await producer.sendBatch(events, {
            abortSignal,
            ...(partition === undefined ? {} : { partitionId: String(partition) }),
          });
          batch.acknowledged = true;
        } catch {
          return;
        }
      }
    }),
  );
  await delay(400 + random() * 900);
  await server.kill('SIGKILL');
  aborter.abort();
  await Promise.all(loads);
  await soon(subscription.close());
  await Promise.all([...producers, consumer].map((each) => soon(each.close())));
  return seen;
}

/**
 * Closes what a kill may have cut. The SDK can wait then for a link that nobody opens any more; nothing that is proved here
 * depends on it.
 */
function soon(closing: Promise<void>): Promise<void> {
  return Promise.race([closing.catch(() => undefined), delay(CLOSE_WITHIN, undefined, { ref: false })]);
}

function nameOf(body: unknown): string {
  return String(body).split(' ', 1)[0]!;
}

function dropUnsynced(paths: Paths, random: () => number): number {
  const synced = readDurableJournal(paths.journal);
  let dropped = 0;
  const files = readdirSync(paths.data, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((each) => each.endsWith('.log')).sort()) {
    const path = join(paths.data, file);
    dropped += losePower(path, synced.get(path) ?? 0, random);
  }
  return dropped;
}

/** Reads on from where the stream was known, and judges what is there. */
async function check(options: {
  server: EventHubsProcess;
  batches: ReadonlyMap<string, Batch>;
  found: Found;
  seen: ReadonlyMap<string, string>;
}): Promise<string[]> {
  const { batches, found, seen } = options;
  const problems: string[] = [];
  const fresh = await readFrom(
    options.server.connectionString,
    found.map((names) => names.length),
  );
  for (const [partition, names] of fresh.entries()) found[partition]!.push(...names);
  for (const [place, name] of seen) {
    const [partition, sequence] = place.split('/').map(Number) as [number, number];
    if (found[partition]![sequence] !== name) {
      problems.push(
        `a reader was shown ${name} at ${place}, where now is ${found[partition]![sequence] ?? 'nothing'}`,
      );
    }
  }
  for (const [partition, names] of fresh.entries()) problems.push(...judge(partition, names, batches));
  return problems;
}

/** Order, wholeness and origin of what one partition got. */
function judge(partition: number, names: string[], batches: ReadonlyMap<string, Batch>): string[] {
  const problems: string[] = [];
  const lastOfLane = new Map<string, number>();
  for (let at = 0; at < names.length;) {
    const [name, index] = split(names[at]!);
    const batch = batches.get(name);
    if (batch === undefined || index !== 0) {
      problems.push(
        `partition ${partition} holds ${names[at]}, which ${batch ? 'is not a beginning' : 'nobody sent'}`,
      );
      at += 1;
      continue;
    }
    const whole = Array.from({ length: batch.count }, (_, i) => `${name}/${i}`);
    if (whole.some((each, i) => names[at + i] !== each)) problems.push(`batch ${name} is not whole`);
    if (batch.partition !== undefined && batch.partition !== partition) {
      problems.push(`batch ${name} is in partition ${partition} and not in ${batch.partition}`);
    }
    const lane = name.slice(0, name.lastIndexOf('.'));
    const number = Number(name.slice(name.lastIndexOf('.') + 1));
    if (number <= (lastOfLane.get(lane) ?? -1)) problems.push(`batch ${name} is out of order`);
    lastOfLane.set(lane, number);
    at += batch.count;
  }
  return problems;
}

function split(event: string): [name: string, index: number] {
  const at = event.lastIndexOf('/');
  return [event.slice(0, at), Number(event.slice(at + 1))];
}

/** The names of all events from these sequence numbers on; throws where a sequence number is missing or repeated. */
async function readFrom(connectionString: string, from: number[]): Promise<string[][]> {
  const retryOptions = { timeoutInMs: TRY_WITHIN };
  const consumer = new EventHubConsumerClient('$Default', connectionString, HUB, { retryOptions });
  try {
    return await Promise.all(
      from.map(async (first, partition) => {
        const id = String(partition);
        const { lastEnqueuedSequenceNumber: last } = await consumer.getPartitionProperties(id);
        const names: string[] = [];
        if (last < first) return names;
        await new Promise<void>((resolve, reject) => {
          const fail = (error: Error): void => void soon(subscription.close()).then(() => reject(error));
          const timer = setTimeout(
            () => fail(new Error(`partition ${id} was not read in time`)),
            READ_WITHIN,
          );
          const subscription = consumer.subscribe(
            id,
            {
              processEvents(events) {
                for (const event of events) {
                  if (event.sequenceNumber !== first + names.length) {
                    fail(
                      new Error(`partition ${id} gave ${event.sequenceNumber} for ${first + names.length}`),
                    );
                    return Promise.resolve();
                  }
                  names.push(nameOf(event.body));
                }
                if (first + names.length > last) {
                  clearTimeout(timer);
                  void soon(subscription.close()).then(resolve);
                }
                return Promise.resolve();
              },
              processError: (error) => Promise.resolve(fail(error)),
            },
            {
              startPosition: first === 0 ? earliestEventPosition : { sequenceNumber: first - 1 },
              maxBatchSize: 1000,
              maxWaitTimeInSeconds: 1,
            },
          );
        });
        return names;
      }),
    );
  } finally {
    await soon(consumer.close());
  }
}

/** The whole account: acknowledged is a subset of stored, stored a subset of sent, each once. */
function finish(
  counts: { sent: number; acknowledged: number; stored: number; lost: number; invented: number },
  batches: ReadonlyMap<string, Batch>,
  found: Found,
  differences: string[],
): void {
  const stored = new Map<string, number>();
  for (const name of found.flat()) stored.set(name, (stored.get(name) ?? 0) + 1);
  for (const [name, times] of stored) {
    counts.stored += times;
    if (times > 1) differences.push(`${name} is stored ${times} times`);
    if (!batches.has(split(name)[0])) counts.invented += 1;
  }
  for (const batch of batches.values()) {
    counts.sent += batch.count;
    if (!batch.acknowledged) continue;
    counts.acknowledged += batch.count;
    for (let index = 0; index < batch.count; index += 1) {
      if (stored.has(`${batch.name}/${index}`)) continue;
      counts.lost += 1;
      differences.push(`${batch.name}/${index} was acknowledged and is lost`);
    }
  }
}
