import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBValue,
} from '@duckdb/node-api';
import { explain } from '../observability/logger';
import { createFairQueue, QueueFull } from './fair-queue';

export type Values = Record<string, DuckDBValue>;

/** One question's connection: it ends with the question. */
export interface Session {
  /** All rows as objects, for answers that are bounded by the statement itself. */
  rows<Row>(sql: string, values?: Values): Promise<Row[]>;
  run(sql: string, values?: Values): Promise<void>;
  /** The rows as they are found, in columns, for answers that are worked on as they come. */
  chunks(sql: string, values?: Values): AsyncGenerator<DuckDBDataChunk, void, void>;
  connection: DuckDBConnection;
  /** Aborted when the client goes, the time is over or the process stops. */
  signal: AbortSignal;
}

/** DuckDB for questions of many tenants: on threads of its own, within bounds of memory, time and number. */
export interface Engine {
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * Runs the work when the tenant's turn comes. Throws Busy where too many wait, TooCostly where it takes too long or
   * needs too much memory, and the signal's reason where the client went.
   */
  ask<T>(tenantId: string, signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T>;
  counts(): { running: number; waiting: number };
}

/** Too many questions wait already: try again later. */
export class Busy extends Error {}
/** The question takes too long, or needs more memory or files than one may have. */
export class TooCostly extends Error {}

export interface EngineOptions {
  /** For what does not fit into memory; also the only folder, with those below it, that DuckDB may read. */
  folder: string;
  memoryMegabytes: number;
  threads: number;
  /** Questions at a time, and of one tenant. */
  atOnce: number;
  atOnceEach: number;
  timeoutMs: number;
}

const WAITING_EACH = 20;
const SPILL = 'spill';

export function createEngine(options: EngineOptions): Engine {
  const queue = createFairQueue({
    atOnce: options.atOnce,
    atOnceEach: options.atOnceEach,
    waitingEach: WAITING_EACH,
  });
  const stopping = new AbortController();
  let instance: DuckDBInstance | undefined;
  const underWay = new Set<Promise<unknown>>();

  async function work<T>(signal: AbortSignal, ask: (session: Session) => Promise<T>): Promise<T> {
    const connection = await instance!.connect();
    const deadline = AbortSignal.timeout(options.timeoutMs);
    const over = AbortSignal.any([signal, deadline, stopping.signal]);
    const interrupt = (): void => connection.interrupt();
    over.addEventListener('abort', interrupt, { once: true });
    const session: Session = {
      connection,
      signal: over,
      async rows<Row>(sql: string, values?: Values) {
        over.throwIfAborted();
        const reader = await connection.runAndReadAll(sql, values);
        return reader.getRowObjectsJS() as unknown as Row[];
      },
      async run(sql, values) {
        over.throwIfAborted();
        await connection.run(sql, values);
      },
      async *chunks(sql, values) {
        over.throwIfAborted();
        const result = await connection.stream(sql, values);
        for (;;) {
          over.throwIfAborted();
          const chunk = await result.fetchChunk();
          if (chunk === null || chunk.rowCount === 0) return;
          yield chunk;
        }
      },
    };
    try {
      return await ask(session);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (deadline.aborted) throw new TooCostly(`the question took longer than ${options.timeoutMs} ms`);
      if (stopping.signal.aborted) throw new Busy('the process stops');
      if (/out of memory|could not allocate/i.test(explain(error))) {
        throw new TooCostly('the question needs more memory than one may have');
      }
      throw error;
    } finally {
      over.removeEventListener('abort', interrupt);
      connection.closeSync();
    }
  }

  return {
    async start() {
      const folder = resolve(options.folder);
      await mkdir(join(folder, SPILL), { recursive: true });
      instance = await DuckDBInstance.create(':memory:', {
        threads: String(options.threads),
        memory_limit: `${options.memoryMegabytes}MB`,
        temp_directory: join(folder, SPILL),
        max_temp_directory_size: `${options.memoryMegabytes * 4}MB`,
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
      });
      const connection = await instance.connect();
      await connection.run("SET GLOBAL TimeZone = 'UTC'");
      // Footers of files that never change; a copy's name holds its etag.
      await connection.run('SET GLOBAL parquet_metadata_cache = true');
      // Whatever a statement holds, it reaches nothing but the folder of copies.
      await connection.run(`SET GLOBAL allowed_directories = ['${folder.replaceAll("'", "''")}/']`);
      await connection.run('SET GLOBAL enable_external_access = false');
      await connection.run('SET GLOBAL lock_configuration = true');
      connection.closeSync();
    },
    async stop() {
      stopping.abort(new Busy('the process stops'));
      await Promise.allSettled(underWay);
      instance?.closeSync();
      instance = undefined;
    },
    async ask(tenantId, signal, ask) {
      if (stopping.signal.aborted) throw new Busy('the process stops');
      const either = AbortSignal.any([signal, stopping.signal]);
      const asking = queue.run(tenantId, either, () => work(signal, ask));
      underWay.add(asking);
      try {
        return await asking;
      } catch (error) {
        if (error instanceof QueueFull) throw new Busy(error.message);
        throw error;
      } finally {
        underWay.delete(asking);
      }
    },
    counts: queue.counts,
  };
}
