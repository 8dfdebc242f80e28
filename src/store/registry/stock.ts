import { allows, type TenantScope, tenantsWith } from '../../auth/scope';
import { deviceModelNamed } from '../../domain/device';
import { derivedId, newId } from '../../domain/id';
import { nextState } from '../../domain/lifecycle';
import { type Change, type Cosmos } from '../cosmos';
import {
  type AuditDocument,
  type ClaimDocument,
  type DepartedDocument,
  type EnrollmentGroupDocument,
  type IdempotencyDocument,
  sortKeyOf,
  type StockDocument,
  stockOf,
} from '../documents';
import { type Outcome, type Page, type Refusal } from '../registry';
import { retrying } from '../store-error';
import { notFound, refused } from './access';
import { auditOf } from './audit';
import { claimKeyOf, claimTextOf, newClaimCode } from './claim-code';
import { attemptOf, KEPT_SECONDS, recordOf } from './idempotency';
import { pageOf, sortKeyAfter } from './position';
import { type SerialNumbers } from './serial-numbers';
import { keyProblem, nameProblem } from './validation';

/** A row of a registration. */
export interface NewStockDevice {
  /** Its place in the whole job; what its id follows from, and what refusals name as `rows.<index>`. */
  index: number;
  serialNumber: string;
  model: string;
  /** The group whose keys the device's were derived from in the factory; null where it gets its keys when claimed. */
  enrollmentGroupId: string | null;
  /** 16 bytes that nobody can guess, the same at each try, to make its claim code of; left out, they are drawn anew. */
  secret?: Buffer;
}

/** A device's claim code in words and as its QR code carries it. A secret: whoever has it may claim the device. */
export interface ClaimCode {
  deviceId: string;
  serialNumber: string;
  /** 26 digits of Crockford's base 32, grouped by hyphens. */
  claimCode: string;
  /** `ATRIUM:1:<serial number, URL-encoded>:<claim code>`. */
  claimText: string;
}

/** What became of a row, in the order of the rows. `claimed`: by somebody, before this try; it has no code any more. */
export type RegisteredRow =
  | ({ outcome: 'registered' } & ClaimCode)
  | { outcome: 'claimed'; deviceId: string; serialNumber: string }
  | { outcome: 'refused'; refusal: Refusal };

export interface Stock {
  /**
   * Puts devices into a tenant's stock, each with a one-time claim code. Refused as a whole only where the caller may
   * not or the chunk is too long; a row that is refused keeps no other back. The same `jobId` and index give the same
   * device at each try. Its code is the same too where the row brings its secret; else it is a new one, and that of the
   * earlier try, whose answer may have been lost, is void.
   *
   * @param input.jobId the same at each try of a job, and of no other.
   * @param input.rows at most `MAXIMUM_STOCK_ROWS`.
   */
  registerDevices(
    scope: TenantScope,
    tenantId: string,
    input: { jobId: string; rows: readonly NewStockDevice[] },
  ): Promise<Outcome<RegisteredRow[]>>;
  /** A new code for a device in stock; the one before is void. A repeated key shows no code: it was shown. */
  reissueClaimCode(
    scope: TenantScope,
    deviceId: string,
    idempotencyKey: string,
  ): Promise<Outcome<{ device: StockDocument; code: ClaimCode | null }>>;
  /** Takes a device out of stock for good. Null for a device that is in no stock of the caller's. */
  retireStock(scope: TenantScope, deviceId: string): Promise<Outcome<StockDocument> | null>;
  /** In the order of their serial numbers, then ids; claimed ones are no longer among them. */
  registeredDevices(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<StockDocument>>;
}

/** With their audit event well inside one transactional batch. */
export const MAXIMUM_STOCK_ROWS = 30;
const MAXIMUM_RACES = 50;

interface Row extends NewStockDevice {
  deviceId: string;
  holder: string;
  manufacturer: string;
}

export function createStock({
  cosmos,
  serialNumbers,
}: {
  cosmos: Cosmos;
  serialNumbers: SerialNumbers;
}): Stock {
  /** The rows that may go on, and the refusals of the others, by index in the chunk. */
  async function admitted(
    tenantId: string,
    jobId: string,
    rows: readonly NewStockDevice[],
  ): Promise<{ good: (Row | undefined)[]; bad: (Refusal | undefined)[] }> {
    const bad: (Refusal | undefined)[] = [];
    const seen = new Set<string>();
    const groupIds = [...new Set(rows.flatMap((row) => row.enrollmentGroupId ?? []))];
    const groups = await cosmos.readMany<EnrollmentGroupDocument>(
      'registry',
      groupIds.map((id) => ({ partition: stockOf(tenantId), id })),
    );
    const known = new Set(groups.flatMap((group) => (group?.type === 'enrollmentGroup' ? [group.id] : [])));
    const good = rows.map((given, i): Row | undefined => {
      const row = { ...given, serialNumber: given.serialNumber.trim() };
      const path = `rows.${row.index}`;
      const model = deviceModelNamed(row.model);
      bad[i] = nameProblem(`${path}.serialNumber`, row.serialNumber);
      if (!bad[i] && !model) {
        const message = `${path}.model '${row.model.slice(0, 60)}' is not a known device model`;
        bad[i] = { code: 'INVALID_INPUT', message, path: `${path}.model` };
      }
      if (!bad[i] && row.enrollmentGroupId !== null && !known.has(row.enrollmentGroupId)) {
        const message = `there is no enrollment group ${row.enrollmentGroupId}`;
        bad[i] = { code: 'NOT_FOUND', message, path: `${path}.enrollmentGroupId` };
      }
      const serial = `${model?.manufacturer}\n${row.serialNumber}`;
      if (!bad[i] && seen.has(serial)) bad[i] = takenRefusal(path, row.serialNumber);
      if (bad[i]) return undefined;
      seen.add(serial);
      const index = String(row.index);
      return {
        ...row,
        manufacturer: model!.manufacturer,
        deviceId: derivedId('dev', tenantId, jobId, index),
        holder: derivedId('job', tenantId, jobId, index),
      };
    });
    for (;;) {
      const open = good.flatMap((row, i) => (row ? [{ row, i }] : []));
      const taken = await serialNumbers.take(
        tenantId,
        open.map(({ row }) => row),
      );
      if (taken.length === 0) return { good, bad };
      for (const n of taken) {
        const { row, i } = open[n]!;
        good[i] = undefined;
        bad[i] = takenRefusal(`rows.${row.index}`, row.serialNumber);
      }
    }
  }

  /** Gives each row's device its document and a new code; null where one of them changed meanwhile. */
  async function write(
    scope: TenantScope,
    tenantId: string,
    rows: readonly Row[],
  ): Promise<RegisteredRow[] | null> {
    const buildingId = stockOf(tenantId);
    const at = Date.now();
    const before = await cosmos.readMany<StockDocument | DepartedDocument>(
      'registry',
      rows.map(({ deviceId }) => ({ partition: buildingId, id: deviceId })),
    );
    const changes: Change[] = [];
    const claims: ClaimDocument[] = [];
    const voided: string[] = [];
    const registered: string[] = [];
    const results = rows.map((row, i): RegisteredRow => {
      const { deviceId, serialNumber, model, enrollmentGroupId } = row;
      const found = before[i];
      if (
        found &&
        (found.type === 'departed' || found.claimedBy !== undefined || found.state === 'RETIRED')
      ) {
        return { outcome: 'claimed', deviceId, serialNumber };
      }
      const code = codeFor(deviceId, serialNumber, row.secret);
      const claim = claimKeyOf(serialNumber, code.claimCode);
      if (found?.claim === claim) return { outcome: 'registered', ...code };
      claims.push({ id: 'claim', key: claim, deviceId, tenantId });
      if (found) {
        voided.push(found.claim);
        const changed: StockDocument = { ...found, claim };
        changes.push({ replace: changed, etag: found._etag! });
      } else {
        const stock: StockDocument = {
          id: deviceId,
          type: 'stock',
          buildingId,
          tenantId,
          serialNumber,
          model,
          state: 'REGISTERED',
          sortKey: sortKeyOf(serialNumber, deviceId),
          enrollmentGroupId,
          claim,
          createdAt: at,
        };
        registered.push(deviceId);
        changes.push({ create: stock });
      }
      return { outcome: 'registered', ...code };
    });
    if (changes.length === 0) return results;
    const reissued = changes.length - registered.length;
    const audit = stockAudit(scope, tenantId, at, {
      action: registered.length > 0 ? 'devices.register' : 'devices.claim-code.reissue',
      subject: tenantId,
      before: null,
      after: { devices: registered, reissued },
    });
    // Before the devices, so that a code that was shown works; a code of no device leads nowhere.
    await cosmos.bulkUpsert('directory', claims);
    const outcome = await cosmos.batch('registry', buildingId, [...changes, { create: audit }]);
    if (!outcome.ok) return null;
    await expire(tenantId, voided);
    return results;
  }

  /** Void codes need not be kept: the device's document no longer names them. */
  async function expire(tenantId: string, keys: readonly string[]): Promise<void> {
    await cosmos.bulkUpsert(
      'directory',
      keys.map((key): ClaimDocument => ({ id: 'claim', key, deviceId: '', tenantId, ttl: 1 })),
    );
  }

  /** A device in the stock of any tenant in which the caller may do this: unknown and foreign ones cost the same reads. */
  async function find(
    scope: TenantScope,
    permission: 'device.register' | 'device.retire',
    deviceId: string,
  ): Promise<StockDocument | null> {
    const tenants = tenantsWith(scope, permission).filter((tenantId) =>
      allows(scope, permission, { tenantId }),
    );
    const found = await cosmos.readMany<StockDocument | DepartedDocument>(
      'registry',
      tenants.map((tenantId) => ({ partition: stockOf(tenantId), id: deviceId })),
    );
    for (const each of found) if (each?.type === 'stock') return each;
    return null;
  }

  return {
    async registerDevices(scope, tenantId, { jobId, rows }) {
      if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
      if (!allows(scope, 'device.register', { tenantId })) {
        return refused('FORBIDDEN', 'your role may not register devices here');
      }
      if (rows.length > MAXIMUM_STOCK_ROWS) {
        const message = `rows has ${rows.length} entries and may have ${MAXIMUM_STOCK_ROWS}`;
        return refused('LIMIT_EXCEEDED', message, 'rows');
      }
      const { good, bad } = await retrying(() => admitted(tenantId, jobId, rows));
      const open = good.filter((row) => row !== undefined);
      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const written = await retrying(() => write(scope, tenantId, open));
        if (!written) continue;
        await cosmos.bulkUpsert(
          'directory',
          open.map((row) => serialNumbers.documentOf(tenantId, row)),
        );
        const results = written[Symbol.iterator]();
        return {
          ok: true,
          value: good.map((row, i) =>
            row ? results.next().value! : { outcome: 'refused', refusal: bad[i]! },
          ),
        };
      }
      return refused('CONFLICT', 'these devices are being registered by others: try again');
    },

    async reissueClaimCode(scope, deviceId, idempotencyKey) {
      const problem = keyProblem(idempotencyKey);
      if (problem) return { ok: false, refusal: problem };
      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const outcome = await retrying(async (): Promise<Reissued | undefined> => {
          const stock = await find(scope, 'device.register', deviceId);
          if (!stock) return notFound('registered device', deviceId, 'deviceId');
          const attempt = attemptOf(scope, stock.tenantId, 'reissueClaimCode', idempotencyKey, [deviceId]);
          const record = recordOf(attempt, stock.buildingId, null, KEPT_SECONDS);
          const earlier = await cosmos.read<IdempotencyDocument>('registry', stock.buildingId, record.id);
          if (earlier && earlier.fingerprint !== attempt.fingerprint) {
            return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');
          }
          if (earlier) return { ok: true, value: { device: stock, code: null } };
          if (stock.state !== 'REGISTERED' || stock.claimedBy !== undefined) {
            return refused('WRONG_STATE', `device ${deviceId} is not to be claimed any more`, 'deviceId');
          }
          const { tenantId, serialNumber, buildingId } = stock;
          const code = codeFor(deviceId, serialNumber);
          const claim = claimKeyOf(serialNumber, code.claimCode);
          const document: ClaimDocument = { id: 'claim', key: claim, deviceId, tenantId };
          await cosmos.bulkUpsert('directory', [document]);
          const audit = stockAudit(scope, tenantId, Date.now(), {
            action: 'device.claim-code.reissue',
            subject: deviceId,
            before: null,
            after: null,
          });
          const changed: StockDocument = { ...stock, claim };
          const written = await cosmos.batch('registry', buildingId, [
            { replace: changed, etag: stock._etag! },
            { create: audit },
            { create: record },
          ]);
          if (!written.ok) return undefined;
          await expire(tenantId, [stock.claim]);
          return { ok: true, value: { device: stock, code } };
        });
        if (outcome) return outcome;
      }
      return refused('CONFLICT', `device ${deviceId} is being changed by others: try again`);
    },

    async retireStock(scope, deviceId) {
      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const outcome = await retrying(async (): Promise<Outcome<StockDocument> | null | undefined> => {
          const stock = await find(scope, 'device.retire', deviceId);
          if (!stock) return null;
          if (stock.state === 'RETIRED') return { ok: true, value: stock };
          const state = nextState(stock.state, 'RETIRE');
          if (state !== 'RETIRED' || stock.claimedBy !== undefined) {
            return refused('WRONG_STATE', `device ${deviceId} is being claimed`, 'deviceId');
          }
          const retired: StockDocument = { ...stock, state };
          const audit = stockAudit(scope, stock.tenantId, Date.now(), {
            action: 'device.retire',
            subject: deviceId,
            before: { state: stock.state },
            after: { state },
          });
          const written = await cosmos.batch('registry', stock.buildingId, [
            { replace: retired, etag: stock._etag! },
            { create: audit },
          ]);
          if (!written.ok) return undefined;
          await expire(stock.tenantId, [stock.claim]);
          return { ok: true, value: retired };
        });
        if (outcome !== undefined) return outcome;
      }
      return refused('CONFLICT', `device ${deviceId} is being changed by others: try again`);
    },

    async registeredDevices(scope, tenantId, { first, after }) {
      // Without a right the partition is asked all the same, for nobody's devices: one call, nothing found.
      const owners = allows(scope, 'device.register', { tenantId }) ? [tenantId] : [];
      const found = await cosmos.query<StockDocument>(
        'registry',
        stockOf(tenantId),
        "SELECT * FROM c WHERE c.type = 'stock' AND c.sortKey > @after AND ARRAY_CONTAINS(@owners, c.tenantId) ORDER BY c.sortKey",
        { after: sortKeyAfter(after), owners },
        { limit: first + 1 },
      );
      return pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },
  };
}

type Reissued = Outcome<{ device: StockDocument; code: ClaimCode | null }>;

function takenRefusal(path: string, serialNumber: string): Refusal {
  const message = `${path}.serialNumber ${serialNumber} is that of another of your devices`;
  return { code: 'CONFLICT', message, path: `${path}.serialNumber` };
}

function codeFor(deviceId: string, serialNumber: string, secret?: Buffer): ClaimCode {
  const claimCode = newClaimCode(secret);
  return { deviceId, serialNumber, claimCode, claimText: claimTextOf(serialNumber, claimCode) };
}

function stockAudit(
  scope: TenantScope,
  tenantId: string,
  at: number,
  change: Pick<AuditDocument, 'action' | 'subject' | 'before' | 'after'>,
): AuditDocument {
  return auditOf(scope, { id: newId('aud'), buildingId: stockOf(tenantId), tenantId, at, ...change });
}
