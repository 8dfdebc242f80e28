import { type JSONValue } from '@azure/cosmos';
import { allows, type TenantScope } from '../../auth/scope';
import { alertRulesOf } from '../alert-documents';
import { configurationAuditKey } from '../alerts/configuration';
import { apiKeysOf } from '../api-keys/documents';
import { coldAccessOf } from '../cold-access/documents';
import { type Cosmos } from '../cosmos';
import { type AuditDocument, auditKeyOf, membersOf, OF_KIND, stockOf } from '../documents';
import { grantsOf, receivedOf } from '../grants/documents';
import { presenceOf } from '../presence/documents';
import { trustedDocumentsOf } from '../trusted-documents/documents';
import { webhooksOf } from '../webhooks/documents';
import { type Page, type Registry } from '../registry';
import { ownersIn } from './access';

/** Where a log stands: in a building, or with the stock of a tenant. */
export type AuditLogOf = { buildingId: string } | { tenantId: string };

export interface AuditFilter {
  /** Milliseconds since 1970, both inclusive. */
  from?: number;
  to?: number;
  /** What was changed: an id, also of a device that an event about several names. */
  subject?: string;
  action?: string;
}

/** The last instant of fifteen digits: beyond it keys would order otherwise than their instants. */
const LAST_INSTANT = 999_999_999_999_999;
/** Of the first release's events of one building, at most. They have no key and are put in order here. */
const MAXIMUM_KEYLESS = 20_000;

/** In which of the two parts of a log a position lies, as its first character. */
const KEYED = 'k';
const KEYLESS = 'l';

/**
 * Audit events, newest first: those with a key in its order, then those of the first release, which wrote none. Filtered
 * by owner as everything is: in a building that changed hands each owner sees what was done in their time.
 */
export function createAuditLog({ cosmos }: { cosmos: Cosmos }): Pick<Registry, 'auditLog'> {
  function conditionsOf(
    scope: TenantScope,
    of: AuditLogOf,
    { subject, action }: AuditFilter,
  ): { partition: string; conditions: string[]; parameters: Record<string, JSONValue> } {
    const partition = 'buildingId' in of ? of.buildingId : stockOf(of.tenantId);
    const owners =
      'buildingId' in of
        ? ownersIn(scope, 'audit.read', of.buildingId)
        : allows(scope, 'audit.read', of)
          ? [of.tenantId]
          : [];
    const conditions = ['ARRAY_CONTAINS(@owners, c.tenantId)'];
    const parameters: Record<string, JSONValue> = { owners };
    if (subject !== undefined) {
      // A batch of devices has one event, which names them.
      conditions.push('(c.subject = @subject OR ARRAY_CONTAINS(c.after.devices, @subject))');
      parameters.subject = subject;
    }
    if (action !== undefined) {
      conditions.push('c.action = @action');
      parameters.action = action;
    }
    return { partition, conditions, parameters };
  }

  /** The keyed events below `before`, as far as the filter reaches. */
  async function keyed(
    scope: TenantScope,
    of: AuditLogOf,
    filter: AuditFilter,
    before: string | null,
    limit: number,
  ): Promise<AuditDocument[]> {
    const { partition, conditions, parameters } = conditionsOf(scope, of, filter);
    const low = keyFrom(filter.from ?? 0);
    const last = keyFrom((filter.to ?? LAST_INSTANT - 1) + 1);
    const high = before !== null && before < last ? before : last;
    if ('buildingId' in of) return inRegistry(partition, conditions, { ...parameters, low, high }, limit);
    // What is configured for the tenant as a whole is told of in partitions of its own.
    const bounds = { low: configurationAuditKey(low), high: configurationAuditKey(high) };
    const parts = await Promise.all([
      inRegistry(partition, conditions, { ...parameters, low, high }, limit),
      ...configurationsOf(of.tenantId).map((key) =>
        cosmos.query<AuditDocument>(
          'directory',
          key,
          `SELECT * FROM c WHERE ${['c.sortKey >= @low', 'c.sortKey < @high', ...conditions].join(' AND ')} ORDER BY c.sortKey DESC`,
          { ...parameters, ...bounds },
          { limit },
        ),
      ),
    ]);
    return parts
      .flat()
      .sort((a, b) => (a.auditKey! < b.auditKey! ? 1 : -1))
      .slice(0, limit);
  }

  function inRegistry(
    partition: string,
    conditions: readonly string[],
    parameters: Record<string, JSONValue>,
    limit: number,
  ): Promise<AuditDocument[]> {
    return cosmos.query<AuditDocument>(
      'registry',
      partition,
      `SELECT * FROM c WHERE ${['c.auditKey >= @low', 'c.auditKey < @high', ...conditions].join(' AND ')} ORDER BY c.auditKey DESC`,
      parameters,
      { limit },
    );
  }

  async function keyless(
    scope: TenantScope,
    of: AuditLogOf,
    filter: AuditFilter,
    before: string | null,
    limit: number,
  ): Promise<AuditDocument[]> {
    const { partition, conditions, parameters } = conditionsOf(scope, of, filter);
    conditions.push(OF_KIND.audit, 'NOT IS_DEFINED(c.auditKey)', 'c.at >= @from', 'c.at <= @to');
    parameters.from = filter.from ?? 0;
    parameters.to = filter.to ?? LAST_INSTANT;
    const found = await cosmos.query<{ id: string; at: number }>(
      'registry',
      partition,
      `SELECT c.id, c.at FROM c WHERE ${conditions.join(' AND ')}`,
      parameters,
      { limit: MAXIMUM_KEYLESS },
    );
    const keys = found
      .map(({ id, at }) => ({ id, key: auditKeyOf(at, id) }))
      .filter(({ key }) => before === null || key < before)
      .sort((a, b) => (a.key < b.key ? 1 : -1))
      .slice(0, limit);
    const documents = await cosmos.readMany<AuditDocument>(
      'registry',
      keys.map(({ id }) => ({ partition, id })),
    );
    return documents.filter((each) => each !== null);
  }

  return {
    async auditLog(scope, of, { first, after, ...filter }): Promise<Page<AuditDocument>> {
      const position = after === null ? null : Buffer.from(after, 'base64url').toString();
      const before = position === null ? null : position.slice(1);
      const found: { event: AuditDocument; position: string }[] = [];
      const add = (part: string, events: readonly AuditDocument[]): void => {
        for (const event of events) {
          found.push({ event, position: part + auditKeyOf(event.at, event.id) });
        }
      };
      // One more than asked for tells whether another page follows.
      if (position === null || position.startsWith(KEYED)) {
        add(KEYED, await keyed(scope, of, filter, before, first + 1));
      }
      if (found.length <= first) {
        const within = position?.startsWith(KEYLESS) ? before : null;
        add(KEYLESS, await keyless(scope, of, filter, within, first + 1 - found.length));
      }
      const shown = found.slice(0, first);
      const positions = shown.map((each) => Buffer.from(each.position).toString('base64url'));
      return {
        items: shown.map(({ event }) => event),
        positions,
        next: found.length > first ? (positions.at(-1) ?? null) : null,
      };
    },
  };
}

/** Where in `directory` what is configured for a tenant stands, with its audit events. */
function configurationsOf(tenantId: string): string[] {
  return [
    alertRulesOf(tenantId),
    webhooksOf(tenantId),
    coldAccessOf(tenantId),
    grantsOf(tenantId),
    receivedOf(tenantId),
    presenceOf(tenantId),
    membersOf(tenantId),
    apiKeysOf(tenantId),
    trustedDocumentsOf(tenantId),
  ];
}

/** Before every event of that instant, behind every earlier one. */
function keyFrom(instant: number): string {
  return auditKeyOf(Math.min(Math.max(Math.trunc(instant), 0), LAST_INSTANT), '');
}
