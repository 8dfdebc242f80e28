import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  ExportDocument,
  ExportReadingsDocument,
  type ExportReadingsInput,
  ExportsDocument,
  ReadingsDocument,
} from '../../simulator/generated/graphql';
import { byteRangeOf } from '../../src/api/byte-range';
import {
  buildExporting,
  type Exporting,
  fill,
  FROM,
  HEADER,
  linesIn,
  TO,
} from '../analytics/exports.support';
import { type ColdStore, type ColdStores, startColdStores } from '../analytics/cold-store';
import { openWorkshop, type Workshop } from '../store/jobs.support';
import { eventually } from '../support/eventually';
import { buildBuilding, freshKey, NORTH, type Person, SOUTH, startApi, type TestApi } from './api.support';

const RANGE = { from: new Date(FROM).toISOString(), to: new Date(TO).toISOString() };

describe('exports through the API', () => {
  let stores: ColdStores;
  let cold: ColdStore;
  let api: TestApi;
  let exporting: Exporting;
  let workshop: Workshop;
  let owner: Person;
  let analyst: Person;
  let building: string;
  beforeAll(async () => {
    stores = await startColdStores();
    cold = await stores.next();
    const open: Exporting['parts']['open'] = (...asked) => exporting.parts.open(...asked);
    api = await startApi({ questions: cold.questions, exportFiles: { open } });
    exporting = buildExporting(api, cold);
    owner = await api.person('owner', NORTH, 'OWNER');
    analyst = await api.person('analyst', NORTH, 'ANALYST');
    const built = await buildBuilding(api, owner, NORTH, { devices: 0 });
    building = built.building.id;
    await fill(cold, { tenantId: NORTH, buildingId: building, spaceId: built.spaceId });
    workshop = openWorkshop(api);
    await workshop.worker({ handlers: { EXPORT_READINGS: exporting.handler } });
  });
  afterAll(async () => {
    exporting?.stop();
    await workshop?.stop();
    await api?.stop();
    await stores?.stop();
  });

  async function request(who: Person, more: Partial<ExportReadingsInput> = {}) {
    const input = {
      buildingId: building,
      ...RANGE,
      format: 'CSV' as const,
      idempotencyKey: freshKey(),
      ...more,
    };
    const { data, errors } = await api.ask(who, ExportReadingsDocument, { input });
    expect(errors).toBeUndefined();
    return data!.exportReadings;
  }

  async function made(who: Person, more: Partial<ExportReadingsInput> = {}) {
    const result = await request(who, more);
    if (result.__typename !== 'ExportReadingsSuccess') throw new Error(JSON.stringify(result));
    return eventually(async () => {
      const { data } = await api.ask(who, ExportDocument, { id: result.export.id });
      expect(data!.export!.job.finishedAt).not.toBeNull();
      return data!.export!;
    });
  }

  const get = (who: { token: string } | null, url: string, headers: Record<string, string> = {}) =>
    fetch(`${api.url}${url}`, {
      headers: { ...(who === null ? {} : { authorization: `Bearer ${who.token}` }), ...headers },
    });

  async function readings() {
    const narrowed = { quantity: null, space: null, device: null, point: null, after: null };
    const { data } = await api.ask(analyst, ReadingsDocument, {
      building,
      ...RANGE,
      first: 200,
      ...narrowed,
    });
    return data!.building!.readings!.nodes;
  }

  it('hold the rows that readings tells, as CSV and as Parquet, with the header and instants of their format', async () => {
    const csv = await made(analyst);
    expect(csv).toMatchObject({ buildingId: building, job: { state: 'SUCCEEDED', total: 3, done: 3 } });
    expect(csv.parts.map(({ name, rows }) => [name, rows])).toEqual([
      ['001-2026-03-01.csv', 10],
      ['002-2026-03-02.csv', 10],
      ['003-2026-03-03.csv', 10],
    ]);
    const texts: string[] = [];
    for (const { url, bytes, name } of csv.parts) {
      const answer = await get(analyst, url);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${name}"`);
      expect(answer.headers.get('content-length')).toBe(String(bytes));
      texts.push(await answer.text());
    }
    const columns = HEADER.split(',');
    const told = (cells: string[]) => Object.fromEntries(columns.map((column, i) => [column, cells[i]]));
    const fromCsv = linesIn(texts).map((line) => {
      const { point_id, observed_at, value } = told(line.split(','));
      return { pointId: point_id, observedAt: observed_at, value: Number(value) };
    });
    const expected = (await readings()).map(({ pointId, observedAt, value }) => ({
      pointId,
      observedAt,
      value,
    }));
    expect(expected).toHaveLength(30);
    expect(fromCsv).toEqual(expected);

    const parquet = await made(analyst, { format: 'PARQUET' });
    const folder = await mkdtemp(join(tmpdir(), 'atrium-export-'));
    try {
      for (const { url, name } of parquet.parts) {
        await writeFile(join(folder, name), Buffer.from(await (await get(analyst, url)).arrayBuffer()));
      }
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const rows = await connection.runAndReadAll(
        `SELECT point_id AS "pointId", epoch_ms(observed_at)::DOUBLE AS "observedAt", value
        FROM read_parquet('${folder}/*.parquet') ORDER BY observed_at, point_id`,
      );
      connection.closeSync();
      instance.closeSync();
      const fromParquet = rows.getRowObjectsJS().map((row) => ({
        ...row,
        observedAt: new Date(row.observedAt as number).toISOString(),
      }));
      expect(fromParquet).toEqual(expected);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('are one for one key, and are listed for those who may read them', async () => {
    const idempotencyKey = freshKey();
    const [first, again] = [
      await request(analyst, { idempotencyKey }),
      await request(analyst, { idempotencyKey }),
    ];
    expect(again).toMatchObject({ export: { id: (first as { export: { id: string } }).export.id } });
    const { id } = (first as { export: { id: string } }).export;
    const listed = async (who: Person) => {
      const { data } = await api.ask(who, ExportsDocument, { tenantId: NORTH, first: 20 });
      return data!.tenant!.exports.nodes.map((each) => each.id);
    };
    expect((await listed(owner))[0]).toBe(id);
    expect(await listed(await api.person('viewer', NORTH, 'VIEWER'))).toEqual([]);
    const node = await api.ask<{ node: object }, object>(
      owner,
      'query ($id: ID!) { node(id: $id) { id ... on Export { format } } }',
      { id },
    );
    expect(node.data!.node).toEqual({ id, format: 'CSV' });
  });

  it.each([
    ['neither a building nor a tenant', { buildingId: null }, 'INVALID_INPUT', 'buildingId'],
    [
      'spaces without a building',
      { buildingId: null, tenantId: NORTH, spaces: ['spc_a'] },
      'INVALID_INPUT',
      'spaces',
    ],
    ['the range the wrong way round', { from: RANGE.to, to: RANGE.from }, 'INVALID_INPUT', 'from'],
    ['more than a year', { from: '2024-01-01T00:00:00Z' }, 'LIMIT_EXCEEDED', 'to'],
    ['no quantity at all', { quantities: [] }, 'INVALID_INPUT', 'quantities'],
    [
      'too many devices',
      { devices: Array.from({ length: 51 }, (_, i) => `dev_${i}`) },
      'LIMIT_EXCEEDED',
      'devices',
    ],
  ])('are refused with %s', async (_, more, code, path) => {
    expect(await request(analyst, more)).toMatchObject({ code, path: ['input', path] });
  });

  it('are handed out to nobody else: foreign, unknown and without a right any more are answered alike', async () => {
    const leaver = await api.person('leaver', NORTH, 'ANALYST');
    const { id, parts } = await made(leaver);
    const { url } = parts[0]!;
    expect((await get(leaver, url)).status).toBe(200);
    expect((await get(null, url)).status).toBe(401);
    expect((await get(null, url, { accept: 'text/html' })).status).toBe(401);

    const answerTo = async (who: Person, path: string) => {
      api.storeCalls();
      const answer = await get(who, path);
      const body = (await answer.text()).replace(/"requestId":"[^"]*"/, '');
      return { status: answer.status, body, calls: api.storeCalls() };
    };
    const stranger = await api.person('stranger', SOUTH, 'OWNER');
    const unknown = await answerTo(stranger, url.replace(id, 'exp_AAAAAAAAAAAAAAAAAAAAAA'));
    expect(unknown).toMatchObject({ status: 404, body: expect.stringContaining('"code":"NOT_FOUND"') });
    expect(await answerTo(stranger, url)).toEqual(unknown);
    for (const path of [
      url.replace('001-', '009-'),
      url.replace('.csv', '.parquet'),
      `/exports/${id}/x`,
      '/exports/x/y',
    ]) {
      expect(await answerTo(leaver, path)).toMatchObject({ status: 404, body: unknown.body });
    }

    // They may look on, and read no more.
    await api.person('leaver', NORTH, 'VIEWER');
    await eventually(async () => expect(await answerTo(leaver, url)).toEqual(unknown));
    const { data } = await api.ask(leaver, ExportDocument, { id });
    expect(data!.export).toBeNull();
    expect((await get(owner, url)).status).toBe(200);
  });

  it('can be gone on with where a download broke off', async () => {
    const { parts } = await made(analyst);
    const { url, bytes } = parts[0]!;
    const whole = await get(analyst, url);
    const etag = whole.headers.get('etag')!;
    const text = await whole.text();
    const rest = await get(analyst, url, { range: 'bytes=100-', 'if-range': etag });
    expect([rest.status, rest.headers.get('content-range')]).toEqual([
      206,
      `bytes 100-${bytes - 1}/${bytes}`,
    ]);
    expect(await rest.text()).toBe(text.slice(100));
    expect((await get(analyst, url, { range: 'bytes=100-', 'if-range': '"another"' })).status).toBe(200);
    const behind = await get(analyst, url, { range: `bytes=${bytes}-` });
    expect([behind.status, behind.headers.get('content-range')]).toEqual([416, `bytes */${bytes}`]);
  });

  it('are told of in the audit log: who asked for them, and who took them', async () => {
    const { id, parts } = await made(analyst, { quantities: ['AIR_TEMPERATURE'] });
    for (const who of [analyst, owner, owner]) expect((await get(who, parts[0]!.url)).status).toBe(200);
    const { data } = await api.ask<
      { building: { auditLog: { nodes: { action: string; actor: string; after: object }[] } } },
      object
    >(
      owner,
      'query ($building: ID!, $id: ID!) { building(id: $building) { auditLog(subject: $id) { nodes { action actor after } } } }',
      { building, id },
    );
    const by = ({ scope }: Person): string => scope.principal.id;
    const told = data!.building.auditLog.nodes.map(({ action, actor }) => `${action} ${actor}`);
    expect(told.sort()).toEqual(
      [
        `reading.download ${by(analyst)}`,
        `reading.download ${by(owner)}`,
        `reading.export ${by(analyst)}`,
      ].sort(),
    );
    expect(data!.building.auditLog.nodes.at(-1)!.after).toMatchObject({
      quantities: ['AIR_TEMPERATURE'],
      ...RANGE,
    });
  });

  it('are had by what the page for integrators shows', async () => {
    const guide = await readFile(join(__dirname, '..', '..', 'docs', 'graphql.md'), 'utf8');
    const [, section] = /\n## Exporting readings\n([^]*?)\n## /.exec(guide)!;
    const [request, ask, download] = [...section!.matchAll(/```sh\n([^]*?)```/g)].map(
      ([, script]) => script!,
    );
    const folder = await mkdtemp(join(tmpdir(), 'atrium-export-'));
    const env = { PATH: process.env.PATH, API: api.url, TOKEN: analyst.token, BUILDING: building };
    const run = async (script: string, more: Record<string, string> = {}): Promise<string> =>
      (await promisify(execFile)('sh', ['-c', script], { cwd: folder, env: { ...env, ...more } })).stdout;
    try {
      const EXPORT = JSON.parse(await run(request!)).data.exportReadings.export.id as string;
      const made = await eventually(async () => {
        const { data } = JSON.parse(await run(ask!, { EXPORT }));
        expect(data.export.job.state).toBe('SUCCEEDED');
        return data.export as { parts: { name: string; url: string; bytes: number }[] };
      });
      const [first] = made.parts;
      await run(download!, { URL: first!.url });
      expect(await readFile(join(folder, first!.name), 'utf8')).toContain(HEADER);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it.each([
    [undefined, undefined],
    ['bytes=0-', { start: 0, end: 99 }],
    ['bytes=10-19', { start: 10, end: 19 }],
    ['bytes=90-1000', { start: 90, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=-1000', { start: 0, end: 99 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=20-10', undefined],
    ['bytes=0-1,5-6', undefined],
    ['bytes=-', undefined],
    ['lines=0-1', undefined],
  ])('take the range %s of a hundred bytes for %j', (header, range) => {
    expect(byteRangeOf(header, 100)).toEqual(range);
  });
});
