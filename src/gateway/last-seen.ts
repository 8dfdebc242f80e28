import { codeOfProtocol, type DeviceProtocol } from '../domain/device-protocol';
import { explain, type Logger } from '../observability/logger';
import { type ActivityWriter, type SeenChunk } from '../store/device-activity';
import { SEEN_CHUNK_DEVICES } from '../store/documents';

/**
 * When each device was last heard, gathered in memory and written once a building and interval. Buildings are spread
 * over the interval by a number of their own, so that the store hears of a few at a time, and of others from another
 * replica. What a crash takes with it is an interval's worth of instants, which the next messages bring again.
 */
export interface LastSeenNotes {
  note(buildingId: string, ordinal: number, protocol: DeviceProtocol, receivedAt: number): void;
  start(): void;
  /** Writes all that is noted, as far as a few seconds allow. */
  stop(): Promise<void>;
}

/** By ordinal less the chunk's first: `second * CODES + code of the protocol`, 0 for none. One array, for the cache. */
type Notes = Float64Array;

interface Building {
  buildingId: string;
  /** By the chunk's index; with holes. */
  chunks: (Notes | undefined)[];
}

interface Taken {
  building: Building;
  chunks: (Notes | undefined)[];
}

const CODES = 256;

const INTERVAL_MS = 60_000;
/** In 8 MB. */
const DEFAULT_LIMIT = 1_000_000;
const SMALLEST_CHUNK = 16;
const MOST_SLOTS = 60;
const SHORTEST_SLOT_MS = 10;
const DRAIN_MS = 2_000;

export function createLastSeen(options: {
  logger: Logger;
  writer: ActivityWriter;
  onWritten?: (buildings: number) => void;
  onFailure?: () => void;
  intervalMilliseconds?: number;
  /** The most devices noted at a time; further ones are not noted until some are written. */
  limit?: number;
}): LastSeenNotes {
  const { logger, writer, limit = DEFAULT_LIMIT, intervalMilliseconds = INTERVAL_MS } = options;
  const buildings = new Map<string, Building>();
  const slots = Math.max(1, Math.min(MOST_SLOTS, Math.floor(intervalMilliseconds / SHORTEST_SLOT_MS)));
  const due = Array.from({ length: slots }, () => new Set<Building>());
  // Of this process: replicas that write a building at the same instant would only refuse each other.
  const offset = Math.floor(Math.random() * slots);
  /** Slots whose turn has come, in order. */
  const turns = new Set<number>();
  let rows = 0;
  let slot = 0;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | undefined;
  let failing = false;

  const slotOf = (buildingId: string): number => (hashOf(buildingId) + offset) % slots;

  function begin(buildingId: string): Building {
    const building: Building = { buildingId, chunks: [] };
    buildings.set(buildingId, building);
    due[slotOf(buildingId)]!.add(building);
    return building;
  }

  /** The chunk with room for the row, or undefined where there is none to be had. */
  function roomFor(building: Building, index: number, row: number): Notes | undefined {
    const held = building.chunks[index];
    let size = held?.length ?? SMALLEST_CHUNK;
    while (size <= row) size *= 2;
    size = Math.min(size, SEEN_CHUNK_DEVICES);
    const more = size - (held?.length ?? 0);
    if (rows + more > limit) return undefined;
    rows += more;
    const notes = new Float64Array(size);
    if (held) notes.set(held);
    return (building.chunks[index] = notes);
  }

  function noteRow(building: Building, ordinal: number, note: number): void {
    const index = Math.trunc(ordinal / SEEN_CHUNK_DEVICES);
    const row = ordinal - index * SEEN_CHUNK_DEVICES;
    let notes = building.chunks[index];
    if (notes === undefined || row >= notes.length) {
      notes = roomFor(building, index, row);
      if (notes === undefined) return;
    }
    if (note > notes[row]!) notes[row] = note;
  }

  /** Takes what is noted of the buildings; new notes begin afresh. */
  function take(of: Iterable<Building>): Taken[] {
    return [...of].map((building) => {
      const { chunks } = building;
      building.chunks = [];
      return { building, chunks };
    });
  }

  function putBack({ building, chunks }: Taken): void {
    chunks.forEach((notes, index) => {
      // What is noted stays within the limit: the taken rows are counted no more.
      rows -= notes!.length;
      notes!.forEach((note, row) => {
        if (note > 0) noteRow(building, index * SEEN_CHUNK_DEVICES + row, note);
      });
    });
  }

  function release({ building, chunks }: Taken): void {
    chunks.forEach((notes) => (rows -= notes!.length));
    if (building.chunks.length > 0) return;
    buildings.delete(building.buildingId);
    due[slotOf(building.buildingId)]!.delete(building);
  }

  async function write(of: Iterable<Building>): Promise<void> {
    const taken = take(of);
    if (taken.length === 0) return;
    try {
      await writer.write(
        taken.map(({ building, chunks }) => ({ buildingId: building.buildingId, chunks: seenOf(chunks) })),
      );
      for (const each of taken) release(each);
      options.onWritten?.(taken.length);
      if (failing) logger.info({}, 'last seen is written again');
      failing = false;
    } catch (error) {
      for (const each of taken) putBack(each);
      options.onFailure?.();
      if (!failing) logger.warn({ error: explain(error) }, 'last seen is not written, and kept');
      failing = true;
    }
  }

  /** One slot at a time: while the store is slow or away their turns wait, and none of them twice. */
  async function work(): Promise<void> {
    for (const turn of turns) {
      turns.delete(turn);
      await write(due[turn]!);
    }
    working = undefined;
  }

  return {
    note(buildingId, ordinal, protocol, receivedAt) {
      const building = buildings.get(buildingId) ?? begin(buildingId);
      noteRow(building, ordinal, Math.trunc(receivedAt / 1000) * CODES + codeOfProtocol(protocol));
    },
    start() {
      timer = setInterval(() => {
        slot = (slot + 1) % slots;
        turns.add(slot);
        working ??= work();
      }, intervalMilliseconds / slots);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      turns.clear();
      let late: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => (late = setTimeout(resolve, DRAIN_MS)));
      const drained = (async () => {
        await working;
        await write(buildings.values());
      })();
      await Promise.race([drained, patience]);
      clearTimeout(late);
      if (buildings.size > 0)
        logger.warn({ buildings: buildings.size }, 'last seen is lost of some buildings');
    },
  };
}

function seenOf(chunks: readonly (Notes | undefined)[]): SeenChunk[] {
  const seen: SeenChunk[] = [];
  // Holes are passed over.
  chunks.forEach((notes, index) => {
    const seconds = Uint32Array.from(notes!, (note) => note / CODES);
    const protocols = Uint8Array.from(notes!, (note) => note % CODES);
    seen.push({ index, seconds, protocols });
  });
  return seen;
}

/** FNV-1a, 32 bits: spreads, and no more is asked of it. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
