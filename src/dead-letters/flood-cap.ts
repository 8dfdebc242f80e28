import { type DeadLettersDocument, omittedId, type OmittedDocument } from '../store/dead-letters/documents';
import { type EventPlace } from './filing';

/** What is kept of one minute; the rest is counted, and the cold store has it. */
export interface FloodLimits {
  /** Of a building, or of a tenant's devices without a place. */
  letters: number;
  bytes: number;
  /** Of a tenant, all its buildings in one partition of the stream together. */
  tenantLetters: number;
}

export const DEFAULT_FLOOD_LIMITS: FloodLimits = {
  letters: 1_000,
  bytes: 4 * 1024 * 1024,
  tenantLetters: 10_000,
};

interface Tally {
  letters: number;
  bytes: number;
}

/**
 * Decides what of a partition's dead letters is kept. All of an event's letters of a building are kept, or none: so that
 * a document is whole wherever it was written, and an event that comes again after a crash finds it whole.
 */
export interface FloodCap {
  /**
   * Whether the document is to be kept; otherwise it is counted.
   * @param known what is stored of this minute's omissions; asked for once a minute and place, where the event may have
   *   been counted in an earlier life of the process.
   */
  admit(
    document: DeadLettersDocument,
    event: EventPlace,
    known: (minute: number) => Promise<OmittedDocument | null>,
  ): Promise<boolean>;
  /** The counts that changed since they were last taken. */
  take(): OmittedDocument[];
}

export function createFloodCap(options: {
  limits: FloodLimits;
  ttlSeconds: number;
  /** Events up to here may have come before: those that stood in the stream when the partition was taken. */
  mayRepeatThrough: number;
}): FloodCap {
  const { limits, ttlSeconds } = options;
  let minute = -1;
  /** By place and tenant, of the present minute. */
  let places = new Map<string, Tally & { omitted: OmittedDocument | null }>();
  let tenants = new Map<string, Tally>();
  let changed = new Map<string, OmittedDocument>();

  return {
    async admit(document, event, known) {
      const now = Math.floor(event.enqueuedAt / 60_000);
      if (now !== minute) {
        minute = now;
        places = new Map();
        tenants = new Map();
      }
      const { scopeKey, tenantId, buildingId } = document;
      const key = `${scopeKey}/${tenantId}`;
      let place = places.get(key);
      if (place === undefined) {
        const omitted = event.sequence <= options.mayRepeatThrough ? await known(now) : null;
        places.set(key, (place = { letters: 0, bytes: 0, omitted }));
      }
      let tenant = tenants.get(tenantId);
      if (tenant === undefined) tenants.set(tenantId, (tenant = { letters: 0, bytes: 0 }));
      const count = document.letters.length;
      const bytes = document.payloads.reduce((sum, each) => sum + (each?.length ?? 0), 0);
      const room =
        place.letters < limits.letters && place.bytes < limits.bytes && tenant.letters < limits.tenantLetters;
      if (room) {
        place.letters += count;
        place.bytes += bytes;
        tenant.letters += count;
        return true;
      }
      const { incarnation, partition, sequence } = event;
      const before = place.omitted;
      const sameLife = before?.through.incarnation === incarnation && before.through.partition === partition;
      if (sameLife && before.through.sequence >= sequence) return false;
      const codes = { ...before?.codes };
      for (const { code } of document.letters) codes[code] = (codes[code] ?? 0) + 1;
      place.omitted = {
        id: omittedId(now, tenantId),
        scopeKey,
        tenantId,
        buildingId,
        minute: now,
        count: (before?.count ?? 0) + count,
        codes,
        through: { incarnation, partition, sequence },
        ttl: ttlSeconds,
      };
      changed.set(`${key}/${now}`, place.omitted);
      return false;
    },
    take() {
      const taken = [...changed.values()];
      changed = new Map();
      return taken;
    },
  };
}
