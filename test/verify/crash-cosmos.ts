import { ChangeFeedStartFrom, type Container, CosmosClient, type OperationInput } from '@azure/cosmos';
import {
  closeSync,
  ftruncateSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startCosmosProcess } from '../support/cosmos-process';
import { type Outcome, type Verification } from './verification';

/**
 * Loads the stand-in through the SDK, kills it, drops what was written after the last flush, starts it again and
 * compares. SIGKILL alone would prove little: the page cache outlives the process. So the log is cut at a random point
 * at or after its flushed length, and what is left of the unflushed part is scrambled, as a power cut may leave it.
 */
export const crashCosmos: Verification = {
  name: 'crash cosmos',
  summary: 'kills the Cosmos stand-in under load, drops its unflushed bytes: 0 acknowledged lost, 0 invented',
  options: [
    '--rounds N      kills (50)',
    '--from-round N  number of the first (1)',
    '--seed N        of the random choices (the time)',
  ],
  run({ args, progress }) {
    const { values } = parseArgs({
      args,
      options: {
        rounds: { type: 'string', default: '50' },
        'from-round': { type: 'string', default: '1' },
        seed: { type: 'string' },
      },
    });
    return crashRounds({
      rounds: Number(values.rounds),
      fromRound: Number(values['from-round']),
      seed: values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed),
      progress,
    });
  },
};

const WORKERS = 12;
const DOCUMENTS_A_WORKER = 25;
const PARTITIONS = 5;
const LEAST_LOAD_MILLISECONDS = 150;
const MOST_LOAD_MILLISECONDS = 700;

/** A document's version as written; `null` is none: never made, or deleted. */
type Version = number | null;

interface Expected {
  acknowledged: Version;
  /** Sent and not answered when the process was killed: both outcomes are right. */
  underWay?: { version: Version; batch?: number };
}

export async function crashRounds(options: {
  rounds: number;
  fromRound?: number;
  seed: number;
  progress: (line: string) => void;
  /** More arguments for the stand-in: the proof itself is proved with `--no-sync`. */
  flags?: string[];
}): Promise<Outcome> {
  const { rounds, fromRound: first = 1, progress } = options;
  const random = randomFrom(options.seed);
  const folder = mkdtempSync(join(tmpdir(), 'cosmos-crash-'));
  const synced = join(folder, 'synced');
  const expected = new Map<string, Expected>();
  const differences: string[] = [];
  const counts = {
    rounds: 0,
    acknowledged: 0,
    'in flight at a kill': 0,
    'of those kept': 0,
    'bytes dropped': 0,
    'kills with bytes dropped': 0,
    'documents compared': 0,
    'changes followed': 0,
    'acknowledged lost': 0,
    invented: 0,
  };
  let version = 0;
  let batches = 0;
  /** The greatest position that any reply has shown. */
  let shown = 0;
  let position: string | undefined;
  /** What a follower of the change feed has seen, over all the crashes. */
  const followed = new Map<string, number>();
  progress(`seed ${options.seed}`);

  const differ = (kind: 'acknowledged lost' | 'invented', text: string): void => {
    counts[kind] += 1;
    differences.push(`round ${counts.rounds}: ${kind}: ${text}`);
  };

  async function follow(container: Container): Promise<void> {
    const feed = container.items.getChangeFeedIterator({
      changeFeedStartFrom:
        position === undefined ? ChangeFeedStartFrom.Beginning() : ChangeFeedStartFrom.Continuation(position),
      maxItemCount: 1000,
    });
    for (;;) {
      const page = await feed.readNext();
      position = page.continuationToken;
      if (page.statusCode === 304) return;
      for (const each of page.result as unknown as { id: string; version: number; _lsn: number }[]) {
        followed.set(each.id, each.version);
        shown = Math.max(shown, each._lsn);
        counts['changes followed'] += 1;
      }
    }
  }

  async function compare(container: Container): Promise<void> {
    const stored = new Map<string, number>();
    const feed = container.items.getChangeFeedIterator({
      changeFeedStartFrom: ChangeFeedStartFrom.Beginning(),
      maxItemCount: 1000,
    });
    for (;;) {
      const page = await feed.readNext();
      const lsn = Number(page.headers['lsn']);
      if (lsn < shown) differ('acknowledged lost', `position ${lsn} after ${shown} was shown`);
      if (page.statusCode === 304) break;
      for (const each of page.result as unknown as { id: string; version: number }[])
        stored.set(each.id, each.version);
    }
    const keptOf = new Map<number, Set<boolean>>();
    for (const [id, expectation] of expected) {
      counts['documents compared'] += 1;
      const found: Version = stored.get(id) ?? null;
      stored.delete(id);
      const { acknowledged, underWay } = expectation;
      const kept = underWay !== undefined && found === underWay.version;
      if (found !== acknowledged && !kept) {
        const older = found === null || (acknowledged !== null && found < acknowledged);
        differ(older ? 'acknowledged lost' : 'invented', `${id} is ${found}, acknowledged ${acknowledged}`);
      }
      if (kept) counts['of those kept'] += 1;
      if (underWay?.batch !== undefined && underWay.version !== acknowledged) {
        const seen = keptOf.get(underWay.batch) ?? new Set();
        keptOf.set(underWay.batch, seen.add(kept));
      }
      expected.set(id, { acknowledged: found });
    }
    for (const id of stored.keys()) differ('invented', `${id} was never written`);
    for (const [batch, seen] of keptOf) if (seen.size > 1) differ('invented', `half of batch ${batch}`);
    // What one follower put together from all its pages is what there is.
    await follow(container);
    for (const [id, { acknowledged }] of expected) {
      if (acknowledged !== null && followed.get(id) !== acknowledged) {
        differ('acknowledged lost', `${id} is ${acknowledged}, a follower saw ${followed.get(id)}`);
      }
    }
  }

  async function work(container: Container, worker: number, stopped: () => boolean): Promise<void> {
    const idOf = (n: number): string => `w${worker}-${n}`;
    const keyOf = (): string => `p${worker % PARTITIONS}`;
    while (!stopped()) {
      const n = Math.floor(random() * DOCUMENTS_A_WORKER);
      const id = idOf(n);
      const own = expected.get(id)?.acknowledged ?? null;
      const kind = random();
      version += 1;
      const next = version;
      const document = { id, pk: keyOf(), version: next, filling: 'x'.repeat(Math.floor(random() * 3000)) };
      try {
        if (kind < 0.2) {
          // Two documents in one batch: both or neither.
          batches += 1;
          const other = idOf((n + 1) % DOCUMENTS_A_WORKER);
          const batch: OperationInput[] = [document, { ...document, id: other }].map((resourceBody) => ({
            operationType: 'Upsert',
            resourceBody,
          }));
          for (const each of [id, other]) begin(each, { version: next, batch: batches });
          const reply = await container.items.batch(batch, document.pk);
          if (reply.code !== 200) throw new Error(`batch answered ${reply.code}`);
          for (const each of [id, other]) acknowledge(each, next);
        } else if (own !== null && kind < 0.35) {
          begin(id, { version: null });
          await container.item(id, document.pk).delete();
          acknowledge(id, null);
          followed.delete(id);
        } else if (own === null) {
          begin(id, { version: next });
          await container.items.create(document);
          acknowledge(id, next);
        } else {
          begin(id, { version: next });
          const reply = await container.items.upsert(document);
          acknowledge(id, next);
          shown = Math.max(shown, Number(reply.headers['lsn']));
        }
      } catch (error) {
        if (stopped()) return;
        throw error;
      }
    }
  }

  function begin(id: string, underWay: { version: Version; batch?: number }): void {
    expected.set(id, { acknowledged: expected.get(id)?.acknowledged ?? null, underWay });
  }
  function acknowledge(id: string, acknowledged: Version): void {
    expected.set(id, { acknowledged });
    counts.acknowledged += 1;
  }

  try {
    for (let round = first; round <= rounds + 1; round++) {
      const server = await startCosmosProcess(join(folder, 'data'), [
        '--record-synced',
        synced,
        ...(options.flags ?? []),
      ]);
      const client = new CosmosClient({
        endpoint: server.endpoint,
        key: server.key,
        connectionPolicy: { enableEndpointDiscovery: false },
      });
      try {
        const { database } = await client.databases.createIfNotExists({ id: 'crash' });
        const { container, statusCode } = await database.containers.createIfNotExists({
          id: 'documents',
          partitionKey: { paths: ['/pk'] },
        });
        if (round > first && statusCode === 201) {
          differ('acknowledged lost', 'the container itself');
          position = undefined;
        }
        await compare(container);
        if (round > rounds) {
          await server.stop();
          break;
        }
        counts.rounds = round - first + 1;
        let stopped = false;
        const follower = (async () => {
          while (!stopped) await follow(container);
        })().catch((error: unknown) => {
          if (!stopped) throw error;
        });
        const workers = Array.from({ length: WORKERS }, (_, i) => work(container, i, () => stopped));
        const load = LEAST_LOAD_MILLISECONDS + random() * (MOST_LOAD_MILLISECONDS - LEAST_LOAD_MILLISECONDS);
        await Promise.race([
          new Promise((resolve) => setTimeout(resolve, load)),
          Promise.all([...workers, follower]),
        ]);
        stopped = true;
        await server.kill();
        await Promise.all([...workers, follower]);
        for (const { underWay } of expected.values()) if (underWay) counts['in flight at a kill'] += 1;
        const dropped = dropUnsynced(join(folder, 'data', 'cosmos.sqlite-wal'), synced, random);
        counts['bytes dropped'] += dropped;
        if (dropped > 0) counts['kills with bytes dropped'] += 1;
        progress(
          `round ${round}: killed after ${Math.round(load)} ms, ${counts.acknowledged} acknowledged so far, ${dropped} bytes dropped, ${differences.length} differences`,
        );
      } finally {
        client.dispose();
        await server.kill();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { counts, differences };
}

/** About what one transaction of this load writes. */
const UNFLUSHED_BYTES = 64 * 1024;

/** Cuts the log at a random point at or after its flushed length and scrambles what is left beyond it; says how much. */
function dropUnsynced(log: string, synced: string, random: () => number): number {
  const flushed = Number(readFileSync(synced, 'utf8'));
  const file = openSync(log, 'r+');
  try {
    const { size } = fstatSync(file);
    // The log was folded into the database and is shorter: all of it is new, none is known to be flushed or not.
    if (size <= flushed) return 0;
    // Far beyond the flushed length lies what an earlier round of the log left; what was being written is close to it.
    const most = random() < 0.5 ? size - flushed : Math.min(size - flushed, UNFLUSHED_BYTES);
    const cut = flushed + Math.floor(random() * (most + 1));
    ftruncateSync(file, cut);
    if (cut > flushed && random() < 0.5) {
      const torn = Buffer.from(Array.from({ length: cut - flushed }, () => Math.floor(random() * 256)));
      writeSync(file, torn, 0, torn.length, flushed);
    }
    return size - flushed;
  } finally {
    closeSync(file);
  }
}

/** Numbers in [0, 1) from a seed, the same each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
