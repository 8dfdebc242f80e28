// Everything in the audit log of a building or a tenant, the latest first: a line of JSON for each event.
//
//   node examples/audit-log.mts http://127.0.0.1:4000/graphql "$TOKEN" bld_... > audit.ndjson
//   node examples/audit-log.mts http://127.0.0.1:4000/graphql "$TOKEN" ten_... 2026-01-01T00:00:00Z > audit.ndjson
//
// Node 24 runs this file as it stands. The last argument leaves out what is older. The log is append-only: whoever keeps
// the newest instant can come back for what followed.

interface Page {
  nodes: object[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}
interface Answer {
  data?: { node: { auditLog: Page | null } | null } | null;
  errors?: { message: string; extensions: { code: string; requestId: string } }[];
}

const LOG = `auditLog(first: 200, after: $after, from: $from) {
  nodes { id at actor from { address transport } action subject before after }
  pageInfo { hasNextPage endCursor }
}`;
const QUERY = `
  query Export($id: ID!, $after: String, $from: DateTime) {
    node(id: $id) { ... on Building { ${LOG} } ... on Tenant { ${LOG} } }
  }`;

const [url, token, id, from = null] = process.argv.slice(2);
if (url === undefined || token === undefined || id === undefined) {
  console.error('usage: node examples/audit-log.mts URL TOKEN ID [FROM]');
  process.exit(2);
}

async function page(after: string | null): Promise<Page> {
  for (;;) {
    const response = await fetch(url!, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query: QUERY, variables: { id, after, from } }),
    });
    if (response.status === 429 || response.status === 503) {
      const seconds = Number(response.headers.get('retry-after') ?? 2);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      continue;
    }
    const { data, errors } = (await response.json()) as Answer;
    // Half a log is none: what cannot be told ends it.
    const log = data?.node?.auditLog;
    if (errors !== undefined || log == null) {
      throw new Error(errors?.[0]?.message ?? `${id} does not exist, or is not yours to see`);
    }
    return log;
  }
}

let after: string | null = null;
do {
  const { nodes, pageInfo } = await page(after);
  for (const event of nodes) console.log(JSON.stringify(event));
  after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
} while (after !== null);
