import { parseArgs } from 'node:util';
import { OperatorError } from '../../observability/operator-error';
import { type Cosmos } from '../../store/cosmos';
import { type BuildingEntryDocument, type TenantDocument } from '../../store/documents';
import { ERASURE_STEPS, type ErasureDocument, type Looked } from '../../store/erasure/documents';
import { createErasures } from '../../store/erasure/erasures';
import { type Command } from './command';
import { openStore } from './store';

/** Asks for a tenant to be erased, for good; the jobs process does it. */
export const eraseTenant: Command = {
  name: 'erase-tenant',
  summary: 'erases a tenant and everything of it, for good',
  options: [
    '--tenant ID    the tenant',
    '--confirm ID   the same once more: without it nothing is erased, and what would go is told',
    '--status       how far the erasure is, and what its proof looked at',
  ],
  async run(args, say) {
    const { tenantId, confirm, status } = optionsOf(args);
    const { cosmos } = openStore();
    try {
      const erasures = createErasures({ cosmos });
      if (status) {
        const found = await erasures.read(tenantId);
        if (found === null) throw new OperatorError(`nobody has asked for ${tenantId} to be erased`);
        for (const line of told(found)) say(line);
        return;
      }
      if (confirm !== null && confirm !== tenantId) {
        throw new OperatorError(`--confirm ${confirm} is not --tenant ${tenantId}: nothing was erased`);
      }
      for (const line of await preview(cosmos, tenantId)) say(line);
      if (confirm === null) {
        say(`Nothing was erased. This cannot be undone; to do it, add: --confirm ${tenantId}`);
        return;
      }
      const erasure = await erasures.request(tenantId);
      if (erasure === null) throw new OperatorError(`there is no tenant ${tenantId}`);
      say(`From now on nothing of ${tenantId} is told or taken. The jobs process removes it; see --status.`);
    } finally {
      cosmos.stop();
    }
  },
};

/** What would go, as far as one call tells. */
async function preview(cosmos: Cosmos, tenantId: string): Promise<string[]> {
  const tenant = await cosmos.read<TenantDocument>('directory', `tenant:${tenantId}`, 'tenant');
  if (tenant === null) {
    if ((await createErasures({ cosmos }).read(tenantId)) === null) {
      throw new OperatorError(`there is no tenant ${tenantId}`);
    }
    return [`${tenantId} is being erased, or was`];
  }
  const buildings = await cosmos.query<BuildingEntryDocument>(
    'directory',
    `tenant:${tenantId}`,
    "SELECT * FROM c WHERE c.kind = 'building'",
  );
  let devices = 0;
  for (const { id } of buildings) {
    devices += (await cosmos.read<{ id: string; devices: number }>('registry', id, id))?.devices ?? 0;
  }
  return [
    `${tenantId}, ${tenant.name}: ${buildings.length} buildings with ${devices} devices, every reading of theirs,`,
    'averages, alerts and rules, webhooks, dead letters, exports, jobs, the audit log, and what people belong to it.',
  ];
}

function told(erasure: ErasureDocument): string[] {
  const { tenantId, state, requestedAt, erasedAt, round, done, counts, waitsFor, scan } = erasure;
  const time = (at: number): string => new Date(at).toISOString();
  const lines = [
    state === 'ERASED'
      ? `${tenantId} is erased since ${time(erasedAt!)}; it was asked for at ${time(requestedAt)}`
      : `${tenantId} is being erased since ${time(requestedAt)}: round ${round}, ${done.length} of ${ERASURE_STEPS.length} steps done`,
  ];
  if (waitsFor !== null) lines.push(`waits for ${waitsFor}`);
  const counted = ERASURE_STEPS.filter((step) => counts[step] !== undefined);
  if (counted.length > 0)
    lines.push(`changed: ${counted.map((step) => `${step} ${counts[step]}`).join(', ')}`);
  if (scan !== null) {
    lines.push(`looked through at ${time(scan.at)}: ${scan.findings} findings in ${lookedText(scan.looked)}`);
    for (const { container, place, found } of scan.examples) lines.push(`  ${container}: ${place}: ${found}`);
  }
  return lines;
}

function lookedText(looked: Looked): string {
  return Object.entries(looked)
    .map(([container, { documents, blobs, bytes, rows }]) =>
      documents === undefined
        ? `${container} (${blobs} blobs, ${bytes} bytes, ${rows} rows)`
        : `${container} (${documents} documents)`,
    )
    .join(', ');
}

function optionsOf(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        tenant: { type: 'string' },
        confirm: { type: 'string' },
        status: { type: 'boolean', default: false },
      },
    });
    if (values.tenant === undefined || !/^[A-Za-z0-9_-]+$/.test(values.tenant)) {
      throw new Error('say by --tenant which: its id, e.g. ten_north');
    }
    return { tenantId: values.tenant, confirm: values.confirm ?? null, status: values.status };
  } catch (error) {
    throw new OperatorError((error as Error).message);
  }
}
