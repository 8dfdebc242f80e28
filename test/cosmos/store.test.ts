import { ChangeFeedStartFrom } from '@azure/cosmos';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCosmosProcess } from '../support/cosmos-process';
import { crashRounds } from '../verify/crash-cosmos';
import { buildEmulator } from './emulator';

describe("The Cosmos stand-in's store", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cosmos-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('keeps documents, resource ids, positions and indexes over a restart', async () => {
    const first = await buildEmulator(
      { data: folder },
      { uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/x'] }] } },
    );
    for (let x = 0; x < 20; x++) await first.container.items.create({ id: `d${x}`, pk: 'p', x });
    await first.container.item('d19', 'p').delete();
    const ordered = 'SELECT VALUE c.x FROM c ORDER BY c.x DESC';
    const before = await first.container.items.query(ordered, { partitionKey: 'p' }).fetchAll();
    const { resource: container } = await first.container.read();
    const { resource: document } = await first.container.item('d3', 'p').read();
    const feed = first.container.items.getChangeFeedIterator({
      changeFeedStartFrom: ChangeFeedStartFrom.Beginning(),
    });
    await feed.readNext();
    const { continuationToken } = await feed.readNext();
    await first.stop();

    const second = await buildEmulator({ data: folder });
    expect((await second.container.read()).resource).toEqual(container);
    expect((await second.container.item('d3', 'p').read()).resource).toEqual(document);
    const after = await second.container.items.query(ordered, { partitionKey: 'p' }).fetchAll();
    expect(after.resources).toEqual(before.resources);
    await expect(second.container.items.create({ id: 'other', pk: 'p', x: 3 })).rejects.toMatchObject({
      code: 409,
    });
    // The last change before the stop was a delete: its position is not given again.
    const resumed = second.container.items.getChangeFeedIterator({
      changeFeedStartFrom: ChangeFeedStartFrom.Continuation(continuationToken),
    });
    expect((await resumed.readNext()).statusCode).toBe(304);
    await second.container.items.create({ id: 'new', pk: 'p', x: 99 });
    expect((await resumed.readNext()).result).toMatchObject([{ id: 'new' }]);
    await second.stop();
  });

  test('refuses a second process on the same folder, in one sentence', async () => {
    const first = await buildEmulator({ data: folder });
    await expect(startCosmosProcess(folder)).rejects.toThrow(
      /exited with 1.*in use by another process: stop that one/s,
    );
    await first.stop();
  });

  test('refuses a file that is no database, in one sentence', async () => {
    writeFileSync(join(folder, 'cosmos.sqlite'), 'this is no database, whatever its name says'.repeat(100));
    await expect(startCosmosProcess(folder)).rejects.toThrow(/exited with 1.*is damaged.*move it away/s);
  });

  test('refuses a port in use and an option it does not know, in one sentence', async () => {
    const first = await buildEmulator();
    await expect(startCosmosProcess(folder, ['--port', String(first.port)])).rejects.toThrow(
      /the port is in use/,
    );
    await expect(startCosmosProcess(folder, ['--nonsense'])).rejects.toThrow(/see --help/);
    await first.stop();
  });

  test('stops on SIGTERM with 0 and leaves a folded log', async () => {
    const server = await startCosmosProcess(folder);
    const health = await fetch(`${server.healthEndpoint}readyz`);
    expect(await health.json()).toEqual({ ready: true, reasons: [] });
    expect(await server.stop()).toBe(0);
  });

  test('loses nothing acknowledged and invents nothing when unflushed bytes are dropped', async () => {
    const { counts, differences } = await crashRounds({ rounds: 2, seed: 1, progress: () => undefined });
    expect(differences).toEqual([]);
    expect(counts.acknowledged).toBeGreaterThan(0);
  });

  test('is seen by the same proof to lose writes when it does not flush', async () => {
    const { differences } = await crashRounds({
      rounds: 1,
      seed: 1,
      progress: () => undefined,
      flags: ['--no-sync'],
    });
    expect(differences.length).toBeGreaterThan(0);
  });
});
