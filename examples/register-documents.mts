// Registers what a client was built with, so that its requests name documents by `documentId` in place of sending them.
//
//   node examples/register-documents.mts http://127.0.0.1:4000/graphql "$TOKEN" ten_north "app 4.2" persisted-documents.json
//
// The token is an access token, or an API key of a build pipeline. The file is what the client preset of graphql-codegen
// writes with `persistedDocuments: true`: texts by their ids. Other generators write the same under other names.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface Problem {
  documentId: string;
  message: string;
  line: number | null;
  column: number | null;
}

interface Answer {
  data?: {
    registerDocuments: {
      __typename: string;
      documents?: { documentId: string }[];
      problems?: Problem[];
      message?: string;
    };
  } | null;
  errors?: { message: string }[];
}

const MUTATION = `
  mutation RegisterBuild($input: RegisterDocumentsInput!) {
    registerDocuments(input: $input) {
      __typename
      ... on RegisterDocumentsSuccess { documents { documentId } }
      ... on InvalidDocumentsError { problems { documentId message line column } }
      ... on UserError { code message }
    }
  }`;
/** Of one call. */
const MOST = 200;

const [url, token, tenantId, client, file] = process.argv.slice(2);
if (
  url === undefined ||
  token === undefined ||
  tenantId === undefined ||
  client === undefined ||
  file === undefined
) {
  console.error('usage: node examples/register-documents.mts URL TOKEN TENANT CLIENT FILE');
  process.exit(2);
}

const texts = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>);
for (let start = 0; start < texts.length; start += MOST) {
  const documents = texts.slice(start, start + MOST).map(([id, text]) => ({
    // Some generators write the bare hash.
    documentId: id.startsWith('sha256:') ? id : `sha256:${id}`,
    text,
  }));
  // The same documents, the same key: a pipeline may run again.
  const what = [client, ...documents.map(({ documentId }) => documentId)];
  const idempotencyKey = createHash('sha256').update(what.join('\n')).digest('hex');
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({
      query: MUTATION,
      variables: { input: { tenantId, client, documents, idempotencyKey } },
    }),
  });
  const { data, errors } = (await response.json()) as Answer;
  const result = data?.registerDocuments;
  if (result?.__typename === 'RegisterDocumentsSuccess') {
    console.log(`registered ${result.documents?.length ?? 0} documents of ${client}`);
    continue;
  }
  for (const { documentId, message, line, column } of result?.problems ?? []) {
    console.error(`${documentId}${line === null ? '' : `:${line}:${column}`} ${message}`);
  }
  console.error(result?.message ?? errors?.map(({ message }) => message).join('; ') ?? 'no answer');
  process.exit(1);
}
