import 'reflect-metadata';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { count } from '../../simulator/arguments';
import { createThrottle } from '../../src/api/throttle';
import { documentIdOf } from '../../src/domain/document-id';
import { inParallel } from '../../src/store/in-parallel';
import { freshKey, NORTH, startApi, type TestApi } from '../api/api.support';
import { type Outcome, type Table, type Verification, type VerificationContext } from './verification';

export const verification: Verification = {
  name: 'documents',
  summary:
    'as many trusted documents as a tenant may have, each asked for by its id, then invalid ones and made-up ids: memory stays flat',
  options: [
    '--documents N   how many are registered (5000)',
    '--flood N       how many requests each flood has (5000)',
    '--growth MB     the most that the heap may grow once every document was asked for (10)',
  ],
  run,
};

const AT_ONCE = 16;
const A_CALL = 250;
/** For what ends behind an answer, before the heap is looked at. */
const SETTLE_MS = 200;
/** Nobody is refused for what it costs. */
const PLENTY = { capacity: 1e12, restorePerSecond: 1e9 };
const FIELDS =
  'id name timeZone createdAt averages { quantity unit mean minimum maximum readings windowEnd }';

/** About 300 characters, so that all of them together are three times what is kept parsed. */
const textOf = (n: number): string => `query Registered${n}($first: Int = ${1 + (n % 50)}, $after: String) {
  viewer { id email tenants { role tenant { id name } } }
  buildings(first: $first, after: $after) { nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } }
}`;

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      documents: { type: 'string', default: '5000' },
      flood: { type: 'string', default: '5000' },
      growth: { type: 'string', default: '10' },
    },
  });
  const documents = count(values.documents, 'documents', 5_000);
  const flood = count(values.flood, 'flood', 1_000_000);
  const growth = count(values.growth, 'growth', 1_000);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;

  const api = await startApi({ throttle: createThrottle({ client: PLENTY, tenant: PLENTY }) });
  try {
    const { token } = await api.person('owner', NORTH, 'OWNER');
    const rows: Table['rows'] = [];
    const differences: string[] = [];

    const phase = async (
      name: string,
      requests: number,
      wanted: number | null,
      body: (n: number) => object,
    ) => {
      const { used, seen } = await ask(api, token, requests, body);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      collect();
      const heap = process.memoryUsage().heapUsed / 1e6;
      const each = requests === 0 ? 0 : used / requests;
      rows.push([name, requests, Number(heap.toFixed(1)), Number(each.toFixed(2))]);
      progress(`${name}: ${requests} requests, heap ${heap.toFixed(1)} MB, ${JSON.stringify(seen)}`);
      const others = Object.entries(seen).filter(([status]) => Number(status) !== wanted);
      for (const [status, times] of others) differences.push(`${name}: ${times} were answered by ${status}`);
      return heap;
    };

    await register(api, token, documents);
    await phase('before', 0, null, () => ({}));
    const byId = (n: number) => ({ documentId: documentIdOf(textOf(n)) });
    const once = await phase('every document, by its id', documents, 200, byId);
    const again = await phase('every document once more', documents, 200, byId);
    const invalid = await phase('invalid documents, each another', flood, 400, (n) => ({
      query: `{ nothing${n} ${'x'.repeat(200)} }`,
    }));
    const madeUp = await phase('ids that are made up', flood, 400, (n) => ({
      documentId: documentIdOf(`made up ${n}`),
    }));
    for (const [what, heap] of [
      ['asking for every document again', again],
      ['invalid documents', invalid],
      ['ids that are made up', madeUp],
    ] as const) {
      if (heap - once > growth) differences.push(`${what} left ${Math.round(heap - once)} MB more`);
    }
    return {
      tables: [
        {
          columns: ['what was asked', 'requests', 'heap MB afterwards', 'CPU ms a request, all parts'],
          rows,
        },
      ],
      counts: {
        'documents registered': documents,
        'characters of each': textOf(0).length,
        'requests in all': 2 * documents + 2 * flood,
      },
      differences,
    };
  } finally {
    await api.stop();
  }
}

async function register(api: TestApi, token: string, documents: number): Promise<void> {
  for (let start = 0; start < documents; start += A_CALL) {
    const texts = Array.from({ length: Math.min(A_CALL, documents - start) }, (_, n) => textOf(start + n));
    const { data, errors } = await api.ask<{ registerDocuments: { message?: string } }, object>(
      { token },
      'mutation ($input: RegisterDocumentsInput!) { registerDocuments(input: $input) { ... on UserError { message } } }',
      {
        input: {
          tenantId: NORTH,
          client: 'app',
          documents: texts.map((text) => ({ documentId: documentIdOf(text), text })),
          idempotencyKey: freshKey(),
        },
      },
    );
    const wrong = errors?.[0]?.message ?? data?.registerDocuments.message;
    if (wrong !== undefined) throw new Error(`the documents were refused: ${wrong}`);
  }
}

/** CPU of this process, in which everything runs, in ms; and what came back. */
async function ask(api: TestApi, token: string, requests: number, body: (n: number) => object) {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const seen: Record<string, number> = {};
  const before = process.cpuUsage();
  await inParallel(Array.from({ length: requests }), AT_ONCE, async (_, n) => {
    const status = await new Promise<string>((resolve, reject) => {
      const sent = request(
        `${api.url}/graphql`,
        {
          agent,
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        },
        (response) => {
          response.resume();
          response.once('end', () => resolve(String(response.statusCode)));
        },
      );
      sent.once('error', reject);
      sent.end(JSON.stringify(body(n)));
    });
    seen[status] = (seen[status] ?? 0) + 1;
  });
  agent.destroy();
  const { user, system } = process.cpuUsage(before);
  return { used: (user + system) / 1_000, seen };
}
