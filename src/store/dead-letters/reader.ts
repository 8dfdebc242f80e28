import { type JSONValue } from '@azure/cosmos';
import { allows, type TenantScope } from '../../auth/scope';
import { type RefusalCode } from '../../domain/reading';
import { type Cosmos } from '../cosmos';
import { type Page } from '../registry';
import { ownersIn } from '../registry/access';
import { positionAfter, sortKeyAfter } from '../registry/position';
import { createTraces, type ToldDevices } from '../registry/traces';
import {
  type DeadLettersDocument,
  isReplayable,
  letterId,
  omittedIds,
  type OmittedDocument,
  parseLetterId,
  type StoredLetter,
} from './documents';

/** A building, or the tenant itself for what devices without a place sent. */
export type LettersPlace = { tenantId: string; buildingId: string } | { tenantId: string; buildingId: null };

export interface LetterFilter {
  code?: RefusalCode;
  deviceId?: string;
  /** Of receipt: milliseconds since 1970, the first inclusive, the last exclusive. */
  from?: number;
  to?: number;
}

export interface FiledLetter extends StoredLetter {
  id: string;
  tenantId: string;
  buildingId: string | null;
}

/**
 * Dead letters as their tenant sees them, without those of devices that measure what tells of presence where the scope may
 * not see that; nothing where the scope has no right, after the same calls.
 */
export interface DeadLettersReader {
  /** Newest first. A page may hold fewer than `first` and have a next all the same. */
  deadLetters(
    scope: TenantScope,
    place: LettersPlace,
    options: LetterFilter & { first: number; after: string | null },
  ): Promise<Page<FiledLetter>>;
  /** The messages that can be judged again; null where there is none. All of one place. */
  deadLetterPayloads(
    scope: TenantScope,
    keys: readonly { scopeKey: string; id: string }[],
  ): Promise<(Buffer | null)[]>;
  /** What was refused beyond what is kept here, newest minute first, at most `limit`. */
  omittedDeadLetters(
    scope: TenantScope,
    place: LettersPlace,
    options: { from: number; to: number; limit: number },
  ): Promise<OmittedDocument[]>;
  /**
   * Ids of letters that can be judged again and have not been accepted yet, oldest first, at most `limit`; of the ids
   * given, where they are.
   */
  replayableLetters(
    scope: TenantScope,
    place: LettersPlace,
    options: LetterFilter & { ids?: readonly string[]; limit: number },
  ): Promise<string[]>;
}

type ListedDocument = Omit<DeadLettersDocument, 'payloads'>;

/** Documents that one page looks at: a rare code or device is found over several pages. */
const DOCUMENTS_A_PAGE = 100;
/** Each may have as much as a frame. */
const DOCUMENTS_AT_ONCE = 20;
/** What was received before is enqueued up to so much later: a gateway gives up sending after some seconds. */
const ENQUEUED_WITHIN_MS = 120_000;
/** Clocks of the gateways and the hub differ. */
const CLOCKS_MS = 60_000;

export function createDeadLettersReader({ cosmos }: { cosmos: Cosmos }): DeadLettersReader {
  function queryOf(
    scope: TenantScope,
    place: LettersPlace,
    permission: 'dead-letter.read' | 'dead-letter.replay',
    { code, deviceId, from, to }: LetterFilter,
  ): { where: string; parameters: Record<string, JSONValue> } {
    let where = 'ARRAY_CONTAINS(@owners, c.tenantId) AND c.sortKey >= @from AND c.sortKey < @to';
    const instant = (at: number): string => String(Math.max(0, at)).padStart(15, '0');
    const parameters: Record<string, JSONValue> = {
      owners: ownersOf(scope, place, permission),
      from: instant((from ?? 0) - CLOCKS_MS),
      to: to === undefined ? ':' : instant(to + ENQUEUED_WITHIN_MS),
    };
    if (code !== undefined) {
      where += ' AND ARRAY_CONTAINS(c.codes, @code)';
      parameters.code = code;
    }
    if (deviceId !== undefined) {
      where += ' AND ARRAY_CONTAINS(c.deviceIds, @deviceId)';
      parameters.deviceId = deviceId;
    }
    return { where, parameters };
  }

  const traces = createTraces({ cosmos });

  /** Of which devices it may be told that something was refused: that it was sent tells as much as what was taken. */
  async function toldOf(scope: TenantScope, { tenantId, buildingId }: LettersPlace): Promise<ToldDevices> {
    if (buildingId !== null) return traces.toldDevices(scope, buildingId);
    // Of devices without a place nobody knows where they will be, or were.
    const all = allows(scope, 'presence.read', { tenantId, quantity: null });
    return { has: () => all };
  }

  const FIELDS = 'c.id, c.tenantId, c.buildingId, c.sortKey, c.letters';

  return {
    async deadLetters(scope, place, { first, after, ...filter }) {
      const { where, parameters } = queryOf(scope, place, 'dead-letter.read', filter);
      const told = await toldOf(scope, place);
      // A position is a document and the row in it that the page follows.
      const [key = '', rowText = ''] = sortKeyAfter(after).split('\t');
      const before = after === null ? '' : ' AND c.sortKey <= @before';
      const pages = cosmos.pages<ListedDocument>(
        'deadletters',
        scopeKeyOf(place),
        `SELECT ${FIELDS} FROM c WHERE ${where}${before} ORDER BY c.sortKey DESC`,
        { ...parameters, ...(after === null ? {} : { before: key }) },
        { pageSize: DOCUMENTS_AT_ONCE },
      );
      const items: FiledLetter[] = [];
      const positions: string[] = [];
      let lookedAt = 0;
      for await (const documents of pages) {
        for (const document of documents) {
          const end = document.sortKey === key ? Number(rowText) : document.letters.length;
          for (let row = Math.min(end, document.letters.length) - 1; row >= 0; row--) {
            if (!matches(document.letters[row]!, filter)) continue;
            if (!told.has(document.letters[row]!.deviceId)) continue;
            if (items.length === first) return { items, positions, next: positions.at(-1)! };
            items.push(filed(document, row));
            positions.push(positionAfter(`${document.sortKey}\t${row}`));
          }
        }
        lookedAt += documents.length;
        // There may be more behind what was looked at.
        if (lookedAt >= DOCUMENTS_A_PAGE) {
          return { items, positions, next: positionAfter(`${documents.at(-1)!.sortKey}\t0`) };
        }
      }
      return { items, positions, next: null };
    },

    async deadLetterPayloads(scope, keys) {
      const parsed = keys.map(({ scopeKey, id }) => ({ scopeKey, ...parseLetterId(id) }));
      const wanted = new Map<string, { partition: string; id: string }>();
      for (const { scopeKey, documentId } of parsed) {
        if (documentId === undefined) continue;
        wanted.set(`${scopeKey}/${documentId}`, { partition: scopeKey, id: documentId });
      }
      const documents = await cosmos.readMany<DeadLettersDocument>('deadletters', [...wanted.values()]);
      const found = new Map([...wanted.keys()].map((key, index) => [key, documents[index]]));
      return parsed.map(({ scopeKey, documentId, row }) => {
        const document = found.get(`${scopeKey}/${documentId}`);
        if (!document || row === undefined) return null;
        if (!allowed(scope, document, 'dead-letter.read')) return null;
        const payload = document.payloads[row];
        return payload == null ? null : Buffer.from(payload, 'base64');
      });
    },

    async omittedDeadLetters(scope, place, { from, to, limit }) {
      // They are counted together.
      const { tenantId, buildingId } = place;
      const seen = allows(scope, 'presence.read', {
        tenantId,
        quantity: null,
        ...(buildingId !== null && { buildingId }),
      });
      const owners = seen ? ownersOf(scope, place, 'dead-letter.read') : [];
      const ids = omittedIds(Math.floor(from / 60_000), Math.floor(to / 60_000));
      return cosmos.query<OmittedDocument>(
        'deadletters',
        scopeKeyOf(place),
        'SELECT * FROM c WHERE c.id >= @from AND c.id < @to AND ARRAY_CONTAINS(@owners, c.tenantId) ORDER BY c.id DESC',
        { ...ids, owners },
        { limit },
      );
    },

    async replayableLetters(scope, place, { ids, limit, ...filter }) {
      const scopeKey = scopeKeyOf(place);
      const found: string[] = [];
      const open = (document: ListedDocument, row: number): boolean => {
        const letter = document.letters[row];
        if (letter === undefined || !matches(letter, filter)) return false;
        return isReplayable(letter) && letter.replay?.outcome !== 'ACCEPTED';
      };
      if (ids !== undefined) {
        const parsed = [...new Set(ids)].flatMap((id) => parseLetterId(id) ?? []);
        const documentIds = [...new Set(parsed.map(({ documentId }) => documentId))];
        const documents = await cosmos.readMany<DeadLettersDocument>(
          'deadletters',
          documentIds.map((id) => ({ partition: scopeKey, id })),
        );
        const byId = new Map(documents.flatMap((each) => (each ? [[each.id, each]] : [])));
        for (const { documentId, row } of parsed) {
          const document = byId.get(documentId);
          if (!document || !allowed(scope, document, 'dead-letter.replay')) continue;
          if (open(document, row) && found.length < limit) found.push(letterId(documentId, row));
        }
        return found;
      }
      const { where, parameters } = queryOf(scope, place, 'dead-letter.replay', filter);
      const pages = cosmos.pages<ListedDocument>(
        'deadletters',
        scopeKey,
        `SELECT ${FIELDS} FROM c WHERE ${where} ORDER BY c.sortKey`,
        parameters,
        { pageSize: DOCUMENTS_AT_ONCE },
      );
      for await (const page of pages) {
        for (const document of page) {
          for (let row = 0; row < document.letters.length; row++) {
            if (!open(document, row)) continue;
            if (found.length === limit) return found;
            found.push(letterId(document.id, row));
          }
        }
      }
      return found;
    },
  };
}

export function scopeKeyOf({ tenantId, buildingId }: LettersPlace): string {
  return buildingId ?? tenantId;
}

type Right = 'dead-letter.read' | 'dead-letter.replay';

/** What has no building is the tenant's as a whole, and so is the right to it. */
export function allowed(
  scope: TenantScope,
  { tenantId, buildingId }: Pick<DeadLettersDocument, 'tenantId' | 'buildingId'>,
  right: Right,
): boolean {
  return allows(scope, right, buildingId === null ? { tenantId } : { tenantId, buildingId });
}

function ownersOf(scope: TenantScope, place: LettersPlace, right: Right): string[] {
  if (place.buildingId !== null) return ownersIn(scope, right, place.buildingId);
  return allowed(scope, place, right) ? [place.tenantId] : [];
}

function matches(letter: StoredLetter, { code, deviceId, from, to }: LetterFilter): boolean {
  return (
    (code === undefined || letter.code === code) &&
    (deviceId === undefined || letter.deviceId === deviceId) &&
    (from === undefined || letter.receivedAt >= from) &&
    (to === undefined || letter.receivedAt < to)
  );
}

function filed({ id, tenantId, buildingId, letters }: ListedDocument, row: number): FiledLetter {
  return { ...letters[row]!, id: letterId(id, row), tenantId, buildingId };
}
