import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  createWire,
  startCosmosProcess,
  type WireReply,
  type WireRequest,
} from '../test/support/cosmos-process';
import { type Bench, type Figure } from './bench';

const CONNECTIONS = 16;
const BATCH = 100;
/** Operations before the measured ones, in which the code is compiled. */
const WARM_UP = 3000;
const TICKS_A_SECOND = 100;

/** CPU seconds of a process and its resident megabytes, as the system counts them. */
function usage(pid: number): { cpu: number; megabytes: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    megabytes: Number(resident?.[1] ?? 0) / 1024,
  };
}

/** The peer: what the same requests cost a server that reads them and answers a fixed text of a document's size. */
const BARE_SERVER = `
  const server = require('node:http').createServer((request, response) => {
    request.on('data', () => {}).on('end', () => {
      response.writeHead(200, ['content-type', 'application/json', 'content-length', 900]);
      response.end('x'.repeat(900));
    });
  });
  server.keepAliveTimeout = 65000;
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

interface Measured {
  /** Microseconds of the server's CPU an operation. */
  cpu: number;
  rate: number;
  p50: number;
  p99: number;
  charge: number;
}

export const bench: Bench = {
  name: 'cosmos',
  summary: 'the Cosmos stand-in: CPU an operation over keep-alive HTTP, rates, latencies, memory and charges',
  options: [
    '--documents N   documents in the container (200000)',
    '--operations N  operations of each kind (20000)',
  ],
  async run({ args, progress }) {
    const { values } = parseArgs({
      args,
      options: {
        documents: { type: 'string', default: '200000' },
        operations: { type: 'string', default: '20000' },
      },
    });
    const documents = Number(values.documents);
    const operations = Number(values.operations);
    const folder = mkdtempSync(join(tmpdir(), 'cosmos-bench-'));
    const server = await startCosmosProcess(folder);
    const wire = createWire(server.endpoint, server.key, CONNECTIONS);
    const container = 'dbs/bench/colls/registry';

    const post = (
      path: string,
      type: string,
      link: string,
      body: unknown,
      headers?: Record<string, string>,
    ) => wire.send({ method: 'POST', path, type, link, headers, body: JSON.stringify(body) });
    const toItems = (body: unknown, headers: Record<string, string>): Promise<WireReply> =>
      post(`/${container}/docs`, 'docs', container, body, headers);

    async function measure(
      count: number,
      one: (i: number) => Promise<WireReply>,
      pid = server.pid,
    ): Promise<Measured> {
      const before = usage(pid).cpu;
      const started = performance.now();
      const times: number[] = [];
      let charge = 0;
      let next = 0;
      await Promise.all(
        Array.from({ length: CONNECTIONS }, async () => {
          while (next < count) {
            const sent = performance.now();
            const reply = await one(next++);
            times.push(performance.now() - sent);
            if (reply.status >= 400) throw new Error(`${reply.status}: ${reply.body}`);
            charge += Number(reply.headers['x-ms-request-charge'] ?? 0);
          }
        }),
      );
      const seconds = (performance.now() - started) / 1000;
      times.sort((a, b) => a - b);
      return {
        cpu: ((usage(pid).cpu - before) / count) * 1e6,
        rate: count / seconds,
        p50: times[Math.floor(count * 0.5)]!,
        p99: times[Math.floor(count * 0.99)]!,
        charge: charge / count,
      };
    }

    try {
      await post('/dbs', 'dbs', '', { id: 'bench' });
      await post('/dbs/bench/colls', 'colls', 'dbs/bench', {
        id: 'registry',
        partitionKey: { paths: ['/buildingId'] },
      });
      const building = (i: number): string => `building-${Math.floor(i / 5000)}`;
      const keyed = (i: number): Record<string, string> => ({
        'x-ms-documentdb-partitionkey': JSON.stringify([building(i)]),
      });
      const read = (i: number): WireRequest => ({
        method: 'GET',
        path: `/${container}/docs/device-${i}`,
        type: 'docs',
        link: `${container}/docs/device-${i}`,
        headers: keyed(i),
      });
      const document = (i: number): unknown => ({
        id: `device-${i}`,
        buildingId: building(i),
        type: i % 10 === 0 ? 'space' : 'device',
        serialNumber: `SN-${(i * 7919) % 1_000_003}`,
        manufacturer: 'Northwind Sensors',
        model: 'NW-4 room sensor',
        status: 'ACTIVE',
        createdAt: '2026-01-01T00:00:00.000Z',
        keyHash: 'k'.repeat(64),
        channels: [
          { name: 'temperature', quantity: 'AIR_TEMPERATURE', unit: 'Cel' },
          { name: 'humidity', quantity: 'RELATIVE_HUMIDITY', unit: '%' },
        ],
      });
      const query = (text: string, i: number): Promise<WireReply> =>
        toItems(
          { query: text, parameters: [{ name: '@t', value: 'device' }] },
          { ...keyed(i), 'x-ms-documentdb-isquery': 'true', 'content-type': 'application/query+json' },
        );
      // The indexes that the queries want are made while it is empty, as Atrium's are.
      await query('SELECT * FROM c WHERE c.type = @t ORDER BY c.serialNumber', 0);

      progress(`loading ${documents} documents in batches of ${BATCH}`);
      const load = await measure(documents / BATCH, (i) =>
        toItems(
          Array.from({ length: BATCH }, (_, j) => ({
            operationType: 'Create',
            resourceBody: document(i * BATCH + j),
          })),
          {
            ...keyed(i * BATCH),
            'x-ms-cosmos-is-batch-request': 'true',
            'x-ms-cosmos-batch-atomic': 'true',
            prefer: 'return=minimal',
          },
        ),
      );
      const loaded = usage(server.pid).megabytes;
      const scattered = (i: number): number => (i * 7919) % documents;
      progress('warming up');
      await measure(WARM_UP, (i) => wire.send(read(scattered(i))));
      await measure(WARM_UP, (i) =>
        toItems(document(scattered(i)), { ...keyed(scattered(i)), 'x-ms-documentdb-is-upsert': 'true' }),
      );
      progress(`reading ${operations} times`);
      const reads = await measure(operations, (i) => wire.send(read(scattered(i))));
      progress(`upserting ${operations} times`);
      const upserts = await measure(operations, (i) =>
        toItems(document(scattered(i)), { ...keyed(scattered(i)), 'x-ms-documentdb-is-upsert': 'true' }),
      );
      progress('the same requests to a bare server');
      const bare = spawn(process.execPath, ['-e', BARE_SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
      let bareRead: Measured;
      let bareUpsert: Measured;
      try {
        const port = await new Promise<string>((resolve) =>
          createInterface({ input: bare.stdout }).once('line', resolve),
        );
        const bareWire = createWire(`http://127.0.0.1:${port}/`, server.key, CONNECTIONS);
        bareRead = await measure(operations, (i) => bareWire.send(read(scattered(i))), bare.pid!);
        bareUpsert = await measure(
          operations,
          (i) => bareWire.send({ ...read(i), method: 'POST', body: JSON.stringify(document(scattered(i))) }),
          bare.pid!,
        );
        bareWire.close();
      } finally {
        bare.kill();
      }
      progress('querying pages of 100');
      const pages = Math.ceil(operations / 20);
      const byId = await measure(pages, (i) =>
        query('SELECT * FROM c WHERE c.type = @t ORDER BY c.id', scattered(i)),
      );
      const byPath = await measure(pages, (i) =>
        query('SELECT * FROM c ORDER BY c.serialNumber', scattered(i)),
      );
      const counts = await measure(pages, (i) =>
        query('SELECT VALUE COUNT(1) FROM c WHERE c.type = @t', scattered(i)),
      );
      progress('polling the change feed with nothing changed');
      const feed = (position: string): Promise<WireReply> =>
        wire.send({
          method: 'GET',
          path: `/${container}/docs`,
          type: 'docs',
          link: container,
          headers: { 'a-im': 'Incremental Feed', 'if-none-match': position, 'x-ms-max-item-count': '1000' },
        });
      const { headers } = await feed('*');
      const polls = await measure(operations, () => feed(String(headers.etag)));
      progress('reading the change feed from the beginning');
      let position = '"0"';
      let changes = 0;
      const before = usage(server.pid).cpu;
      for (;;) {
        const page = await feed(position);
        if (page.status === 304) break;
        position = String(page.headers.etag);
        changes += Number(page.headers['x-ms-item-count']);
      }
      const change = ((usage(server.pid).cpu - before) / changes) * 1e6;
      const { megabytes } = usage(server.pid);

      const figures: Figure[] = [
        ...described('point read', reads, 150, bareRead),
        ...described('upsert', upserts, 150, bareUpsert),
        { name: 'create in batches of 100: CPU a document', value: load.cpu / BATCH, unit: 'us' },
        {
          name: 'create in batches of 100: rate',
          value: load.rate * BATCH,
          unit: 'documents/s',
          target: { atLeast: 2000 },
        },
        { name: 'create in batches of 100: charge a document', value: load.charge / BATCH, unit: 'RU' },
        ...described('query by type, ordered by id, 100 a page', byId),
        ...described('query ordered by another path, 100 a page', byPath),
        ...described('count by type in a partition of 5,000', counts),
        ...described('change feed poll, nothing changed', polls),
        { name: 'change feed from the beginning: CPU a change', value: change, unit: 'us' },
        {
          name: `memory after loading ${documents} documents`,
          value: loaded,
          unit: 'MB',
          target: { atMost: 250 },
        },
        { name: 'memory at the end', value: megabytes, unit: 'MB', target: { atMost: 250 } },
      ];
      return {
        figures,
        notes: [
          `${CONNECTIONS} keep-alive connections, documents of about 700 bytes, every write flushed to the disk before its answer.`,
          'The peer is a server that does nothing but read the request and answer: what it costs here and now is the floor, and on a busy machine all of it grows.',
          'Upserts come before the queries, whose paths are indexed when first asked for: each index that stands costs an upsert more.',
          'Latencies include the load generator, which shares the machine; CPU is the server process alone, all its threads.',
        ],
      };
    } finally {
      wire.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function described(name: string, measured: Measured, most?: number, bare?: Measured): Figure[] {
  return [
    {
      name: `${name}: server CPU`,
      value: measured.cpu,
      unit: 'us',
      ...(most === undefined ? {} : { target: { atMost: most } }),
      ...(bare ? { peer: { name: 'bare node:http', value: bare.cpu } } : {}),
    },
    { name: `${name}: rate`, value: measured.rate, unit: '/s' },
    { name: `${name}: p50`, value: measured.p50, unit: 'ms' },
    { name: `${name}: p99`, value: measured.p99, unit: 'ms' },
    { name: `${name}: charge`, value: measured.charge, unit: 'RU' },
  ];
}
