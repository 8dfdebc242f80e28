import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GraphQLSchema, introspectionFromSchema } from 'graphql';
import { GRAPHIQL_SCRIPT } from './graphiql-script';
import { type PageSignIn, SIGN_IN_SCRIPT } from './graphiql-sign-in';
import { schemaFolder } from './schema-file';

export interface PageFile {
  type: string;
  body: string | Buffer;
}

/** Where the page's files are served; the page itself answers a browser's GET /graphql. */
export const GRAPHIQL_PATH = '/graphiql';

const SCRIPT = 'text/javascript; charset=utf-8';
const PACKAGE_FILES: Record<string, { file: string; type: string }> = {
  'react.js': { file: 'react/umd/react.production.min.js', type: SCRIPT },
  'react-dom.js': { file: 'react-dom/umd/react-dom.production.min.js', type: SCRIPT },
  'graphiql.js': { file: 'graphiql/graphiql.min.js', type: SCRIPT },
  'graphiql.css': { file: 'graphiql/graphiql.min.css', type: 'text/css; charset=utf-8' },
  'graphql-ws.js': { file: 'graphql-ws/umd/graphql-ws.min.js', type: SCRIPT },
};

/** GraphiQL from the npm packages: everything it needs comes from this server, so that it works with no internet. */
export function createGraphiQL(
  schema: GraphQLSchema,
  signIn?: PageSignIn,
): {
  page: PageFile;
  file(name: string): PageFile | undefined;
} {
  const files = new Map<string, PageFile>([
    ['page.js', { type: SCRIPT, body: GRAPHIQL_SCRIPT }],
    ['sign-in.js', { type: SCRIPT, body: SIGN_IN_SCRIPT }],
    // Public as the schema's text is: the page explains itself before anybody is signed in.
    ['schema.json', { type: 'application/json', body: JSON.stringify(introspectionFromSchema(schema)) }],
  ]);
  return {
    page: { type: 'text/html; charset=utf-8', body: pageOf(exampleOperations(), signIn) },
    // Only these names exist, so that no path reaches anything else. Read when first asked for, then kept.
    file(name) {
      const known = files.get(name);
      if (known !== undefined || !Object.hasOwn(PACKAGE_FILES, name)) return known;
      const { file, type } = PACKAGE_FILES[name]!;
      const [packageName = ''] = file.split('/');
      const folder = require.resolve(`${packageName}/package.json`).slice(0, -'package.json'.length);
      const read = { type, body: readFileSync(join(folder, file.slice(packageName.length + 1))) };
      files.set(name, read);
      return read;
    },
  };
}

/**
 * The page may run its own files and talk to its own server, and nothing else. A browser need not count a WebSocket of the
 * page's own origin as `'self'`, so that the host is named; one that is none stands in no policy.
 *
 * @param provider the origin at which its user is signed in, where there is one.
 */
export function pageSecurityPolicy(host: string | undefined, provider?: string): string {
  const sockets = /^[\w.:[\]-]+$/.test(host ?? '') ? ` ws://${host} wss://${host}` : '';
  return [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `connect-src 'self'${sockets}${provider === undefined ? '' : ` ${provider}`}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const ORDER = ['Viewer', 'Buildings', 'BuildingNow', 'OnBuildingAverage', 'BuildingHistory', 'DeviceDetail'];

function exampleOperations(): { query: string; variables: string | null }[] {
  const folder = join(schemaFolder(), 'operations');
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.graphql'))
    .map((file) => file.slice(0, -'.graphql'.length));
  const place = (name: string): number => (ORDER.indexOf(name) + ORDER.length) % ORDER.length;
  return names
    .sort((a, b) => Number(ORDER.includes(b)) - Number(ORDER.includes(a)) || place(a) - place(b))
    .map((name) => ({
      query: readFileSync(join(folder, `${name}.graphql`), 'utf8'),
      // GraphiQL takes a tab for another one when its empty variables are written out.
      variables: EXAMPLE_VARIABLES[name] ?? null,
    }));
}

const variables = (values: object): string => JSON.stringify(values, null, 2);
const EXAMPLE_VARIABLES: Record<string, string> = {
  Buildings: variables({ first: 20 }),
  BuildingNow: variables({ id: 'a building’s id, from Buildings' }),
  OnBuildingAverage: variables({ building: 'a building’s id, from Buildings', quantity: 'AIR_TEMPERATURE' }),
  BuildingHistory: variables({
    id: 'a building’s id, from Buildings',
    quantity: 'AIR_TEMPERATURE',
    from: '2026-01-01T00:00:00Z',
    to: '2026-12-31T00:00:00Z',
  }),
  DeviceDetail: variables({ id: 'a device’s id' }),
  CreateBuilding: variables({
    input: {
      tenantId: 'a tenant’s id, from Viewer',
      name: 'Building 25',
      timeZone: 'Europe/Berlin',
      spaces: [
        { name: 'Ground floor', kind: 'LEVEL' },
        { name: 'Room 001', kind: 'ROOM', parent: 0 },
      ],
      idempotencyKey: 'building-25',
    },
  }),
  ProvisionDevices: variables({
    input: {
      buildingId: 'a building’s id, from Buildings',
      devices: [{ name: 'Sensor 1', model: 'room-sensor', spaceId: 'a space’s id, from CreateBuilding' }],
      idempotencyKey: 'sensor-1',
    },
  }),
  RetireDevice: variables({ input: { deviceId: 'a device’s id' } }),
};

function pageOf(
  examples: { query: string; variables: string | null }[],
  signIn: PageSignIn | undefined,
): string {
  // A script element of type JSON is data; `<` is escaped so that no example can end it.
  const dataOf = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Atrium: GraphiQL</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="${GRAPHIQL_PATH}/graphiql.css" />
    <style>
      body { margin: 0; height: 100vh; display: flex; flex-direction: column; font-family: system-ui, sans-serif; }
      form { display: flex; gap: 8px; align-items: center; padding: 8px 12px; border-bottom: 1px solid #ccc; font-size: 14px; }
      form input { flex: 1; padding: 4px 8px; font-family: monospace; }
      #graphiql { flex: 1; min-height: 0; }
    </style>
  </head>
  <body>
    <form id="sign-in">
      <label for="token">Access token</label>
      <input id="token" type="password" autocomplete="off" placeholder="from npm run -s token -- --user owner@north.example" />
      <button type="submit">Use</button>
      <button type="button" id="provider-sign-in" hidden>Sign in</button>
      <output id="signed-in"></output>
    </form>
    <div id="graphiql">Loading …</div>
    <script type="application/json" id="examples">${dataOf(examples)}</script>
    <script type="application/json" id="provider">${dataOf(signIn ?? null)}</script>
    <script src="${GRAPHIQL_PATH}/react.js"></script>
    <script src="${GRAPHIQL_PATH}/react-dom.js"></script>
    <script src="${GRAPHIQL_PATH}/graphiql.js"></script>
    <script src="${GRAPHIQL_PATH}/graphql-ws.js"></script>
    <script src="${GRAPHIQL_PATH}/page.js"></script>
    <script src="${GRAPHIQL_PATH}/sign-in.js"></script>
  </body>
</html>
`;
}
