import { randomUUID } from 'node:crypto';
import { hourOfInstant } from '../domain/ingestion';
import { partitionOf } from '../domain/partition';
import { type Reading, type RefusedReading } from '../domain/reading';
import { explain, type Logger } from '../observability/logger';
import { type AcceptedBook, type AcceptedWriter } from '../store/ingestion/accepted-writer';

type Readings = readonly Pick<Reading, 'tenantId' | 'buildingId' | 'receivedAt'>[];
type Refused = readonly Pick<RefusedReading, 'tenantId' | 'buildingId' | 'receivedAt'>[];

/**
 * How many readings were acknowledged, by tenant, partition and hour of receipt: one end of the reconciliation, of which
 * the cold store is the other. No acknowledgement waits for it.
 */
export interface AcceptedCounts {
  /** Event Hubs has accepted these. Costs some tens of nanoseconds a message. */
  accepted(readings: Readings, refused: Refused): void;
  /** It is not known whether Event Hubs has: their sender was told to send again. */
  unanswered(readings: Readings): void;
  start(): void;
  /** Tells what has not been told, as far as a few seconds allow. */
  stop(): Promise<void>;
}

/** For a gateway without a store behind it. */
export const NO_COUNTS: AcceptedCounts = {
  accepted: () => undefined,
  unanswered: () => undefined,
  start: () => undefined,
  stop: () => Promise.resolve(),
};

type Cell = [accepted: number, unanswered: number, refused: number];

interface Book extends AcceptedBook {
  size: number;
  dirty: boolean;
}

/** A document has 2 MB; a tenant's counts take some 60 bytes. */
const TENANTS_A_BOOK = 10_000;
/** Of an hour and partition each: a day and a half of Cosmos being away with 32 partitions. */
const MOST_BOOKS = 1_200;
const MOST_BUILDINGS = 100_000;

/**
 * Counts in memory, and writes what has changed every ten seconds: a document an hour and partition, cumulative, so that
 * a writing that is repeated changes nothing. A gateway that is killed loses its last seconds of counting and no reading.
 */
export function createAcceptedCounts(options: {
  logger: Logger;
  writer: AcceptedWriter;
  /** Of the hub as it is now. */
  partitionCount: () => number;
  intervalMilliseconds?: number;
}): AcceptedCounts {
  const { logger, writer, partitionCount, intervalMilliseconds = 10_000 } = options;
  const books = new Map<string, Book>();
  /** The cell that a building's readings go to, so that a message costs one look. */
  const recent = new Map<string, { tenantId: string; hour: number; book: Book; cell: Cell }>();
  let partitions = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const find = (tenantId: string, place: string, hour: number) => {
    const now = partitionCount();
    if (now !== partitions || recent.size >= MOST_BUILDINGS) recent.clear();
    partitions = now;
    const partition = partitionOf(place, partitions);
    const key = `${partition}/${hour}`;
    let book = books.get(key);
    // A further one of the same hour: both count.
    if (book === undefined || (!(tenantId in book.tenants) && book.size >= TENANTS_A_BOOK)) {
      if (book !== undefined) books.set(`${key}/${book.id}`, book);
      const tenants = Object.create(null) as Book['tenants'];
      book = { id: randomUUID(), partition, hour, tenants, size: 0, dirty: false };
      books.set(key, book);
    }
    let cell = book.tenants[tenantId];
    if (cell === undefined) {
      cell = book.tenants[tenantId] = [0, 0, 0];
      book.size++;
    }
    const found = { tenantId, hour, book, cell };
    recent.set(place, found);
    return found;
  };

  const add = (index: 0 | 1 | 2, tenantId: string, place: string, receivedAt: number, by: number): void => {
    const hour = hourOfInstant(receivedAt);
    let at = recent.get(place);
    if (at === undefined || at.hour !== hour || at.tenantId !== tenantId || partitions !== partitionCount()) {
      at = find(tenantId, place, hour);
    }
    at.cell[index] += by;
    at.book.dirty = true;
  };

  const addAll = (index: 0 | 1, readings: Readings): void => {
    // Nearly always all of one building and instant.
    let start = 0;
    for (let i = 1; i <= readings.length; i++) {
      const { tenantId, buildingId, receivedAt } = readings[start]!;
      const each = readings[i];
      if (each?.buildingId === buildingId && each.tenantId === tenantId && each.receivedAt === receivedAt)
        continue;
      add(index, tenantId, buildingId, receivedAt, i - start);
      start = i;
    }
  };

  /** Drops what is told and of another hour, and, while the store is away for too long, the oldest. */
  const tidy = (): void => {
    const hour = hourOfInstant(Date.now());
    for (const [key, book] of books) {
      if ((book.dirty || book.hour >= hour - 1) && books.size <= MOST_BOOKS) continue;
      books.delete(key);
      recent.clear();
    }
  };

  const write = async (): Promise<void> => {
    const dirty = [...books.values()].filter((book) => book.dirty);
    if (dirty.length === 0) return;
    for (const book of dirty) book.dirty = false;
    try {
      await writer.write(dirty);
    } catch (error) {
      for (const book of dirty) book.dirty = true;
      logger.warn({ books: dirty.length, error: explain(error) }, 'what was accepted is told later');
    }
    tidy();
  };

  /** One at a time: an older count never replaces a newer one. */
  const writeNext = (): Promise<void> => (writing = writing.then(write));

  return {
    accepted(readings, refused) {
      if (readings.length > 0) addAll(0, readings);
      for (const { tenantId, buildingId, receivedAt } of refused) {
        add(2, tenantId, buildingId || tenantId, receivedAt, 1);
      }
    },
    unanswered(readings) {
      if (readings.length > 0) addAll(1, readings);
    },
    start() {
      timer ??= setInterval(() => void writeNext(), intervalMilliseconds);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await writeNext();
    },
  };
}
