import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerClient, RestError } from '@azure/storage-blob';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  ApproveColdStoreAccessDocument,
  ColdStoreApprovalsDocument,
  IssueColdStoreAccessDocument,
  type IssueColdStoreAccessInput,
  RevokeColdStoreAccessDocument,
} from '../../simulator/generated/graphql';
import { type CuratedManifest } from '../../src/domain/curated';
import { tenantFolder } from '../../src/store/curated-path';
import { createManifests } from '../../src/store/manifests';
import { fill } from '../analytics/exports.support';
import { type ColdStore, type ColdStores, startColdStores } from '../analytics/cold-store';
import { eventually } from '../support/eventually';
import { freshKey, NORTH, type Person, SOUTH, startApi, type TestApi } from './api.support';

const HOUR_MS = 3_600_000;
const inAWeek = (): string => new Date(Date.now() + 7 * 24 * HOUR_MS).toISOString();

describe('access to the files of a tenant’s cold store', () => {
  let stores: ColdStores;
  let cold: ColdStore;
  let api: TestApi;
  let owner: Person;
  let analyst: Person;
  beforeAll(async () => {
    stores = await startColdStores();
    cold = await stores.next();
    api = await startApi({
      blobs: { service: cold.blobs, container: cold.container.containerName },
      manifests: createManifests(cold.container),
    });
    owner = await api.person('owner', NORTH, 'OWNER');
    analyst = await api.person('analyst', NORTH, 'ANALYST');
    await fill(cold, { tenantId: NORTH, buildingId: 'bld_north', spaceId: 'spc_north' });
    await fill(cold, { tenantId: SOUTH, buildingId: 'bld_south', spaceId: 'spc_south' });
  });
  afterAll(async () => {
    await api?.stop();
    await stores?.stop();
  });

  const idOf = (who: Person): string => who.scope.principal.id;

  async function approve(who: Person, personId: string, until = inAWeek(), tenantId = NORTH) {
    const { data, errors } = await api.ask(who, ApproveColdStoreAccessDocument, {
      input: { tenantId, personId, until },
    });
    expect(errors).toBeUndefined();
    return data!.approveColdStoreAccess;
  }

  async function issue(who: Person, more: Partial<IssueColdStoreAccessInput> = {}) {
    const input = { tenantId: NORTH, reason: 'The monthly report', idempotencyKey: freshKey(), ...more };
    const { data, errors } = await api.ask(who, IssueColdStoreAccessDocument, { input });
    expect(errors).toBeUndefined();
    return data!.issueColdStoreAccess;
  }

  async function issued(who: Person, more: Partial<IssueColdStoreAccessInput> = {}) {
    const result = await issue(who, more);
    if (result.__typename !== 'IssueColdStoreAccessSuccess') throw new Error(JSON.stringify(result));
    return result;
  }

  async function auditLog(tenantId = NORTH, who = owner) {
    const { data } = await api.ask<
      {
        tenant: { auditLog: { nodes: { action: string; actor: string; subject: string; after: object }[] } };
      },
      object
    >(
      who,
      `query ($id: ID!) { tenant(id: $id) { auditLog(first: 100) { nodes { action actor subject before after } } } }`,
      { id: tenantId },
    );
    return data!.tenant.auditLog.nodes.filter(({ action }) => action.startsWith('cold-store.'));
  }

  const refusal = (code: string) => expect.objectContaining({ code });
  const status = async (asking: Promise<unknown>): Promise<number | undefined> =>
    asking.then(
      () => undefined,
      (error: unknown) => (error instanceof RestError ? error.statusCode : Promise.reject(error as Error)),
    );

  it('reads the folder’s manifest and files with the credential alone, and changes nothing there', async () => {
    await approve(owner, idOf(analyst));
    const { containerUrl, folder, token, confinedToFolder } = await issued(analyst);
    expect(folder).toBe(tenantFolder(NORTH));
    // The stand-in knows no folders: it says so.
    expect(confinedToFolder).toBe(false);
    const container = new ContainerClient(`${containerUrl}?${token}`);

    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat({ prefix: folder })) names.push(name);
    expect(names).toContain(`${folder}manifest.json`);

    const manifest = (await (
      await fetch(`${containerUrl}/${folder}manifest.json?${token}`)
    ).json()) as CuratedManifest;
    const files = manifest.periods.flatMap((period) => period.files);
    const local = await mkdtemp(join(tmpdir(), 'atrium-access-'));
    const instance = await DuckDBInstance.create(':memory:');
    try {
      for (const [i, { name }] of files.entries()) {
        const answer = await fetch(`${containerUrl}/${name}?${token}`);
        expect(answer.status).toBe(200);
        await writeFile(join(local, `${i}.parquet`), Buffer.from(await answer.arrayBuffer()));
      }
      const connection = await instance.connect();
      const answer = await connection.runAndReadAll(
        `SELECT DISTINCT tenant_id, count(*) OVER ()::INTEGER AS n FROM read_parquet('${join(local, '*.parquet')}')`,
      );
      expect(answer.getRowObjectsJS()).toEqual([{ tenant_id: NORTH, n: 30 }]);
      connection.closeSync();
    } finally {
      instance.closeSync();
      await rm(local, { recursive: true, force: true });
    }

    const [first] = names;
    expect(await status(container.getBlockBlobClient(first!).upload('x', 1))).toBe(403);
    expect(await status(container.getBlockBlobClient(`${folder}new`).upload('x', 1))).toBe(403);
    expect(await status(container.getBlobClient(first!).delete())).toBe(403);
    expect(await status(container.getBlobClient(first!).setMetadata({ a: 'b' }))).toBe(403);
    expect(await status(container.delete())).toBe(403);
    expect(await status(container.getBlobClient(first!).getProperties())).toBeUndefined();
  });

  it('is refused by the storage when it has ended or when a letter of it is changed', async () => {
    await approve(owner, idOf(analyst));
    const { containerUrl, folder, token } = await issued(analyst);
    const get = (changed: string) => fetch(`${containerUrl}/${folder}manifest.json?${changed}`);
    expect((await get(token!)).status).toBe(200);
    const ended = token!.replace(/se=[^&]*/, `se=${encodeURIComponent('2026-01-01T00:00:00Z')}`);
    expect((await get(ended)).status).toBe(403);
    expect((await get(token!.replace('sp=rl', 'sp=rwdl'))).status).toBe(403);
  });

  it('is had by nobody whom no owner has approved, and the refusal says who may', async () => {
    const manager = await api.person('manager', NORTH, 'MANAGER');
    for (const who of [manager, await api.person('owner-2', NORTH, 'OWNER')]) {
      expect(await issue(who)).toEqual({
        __typename: 'ForbiddenError',
        code: 'FORBIDDEN',
        message: `nobody has approved that you have access: an OWNER of the tenant may, by approveColdStoreAccess for ${idOf(who)}`,
        path: null,
      });
    }
    await approve(owner, idOf(manager));
    await issued(manager);
  });

  it('is approved by owners alone, and of those alone who may read readings there', async () => {
    const manager = await api.person('manager-2', NORTH, 'MANAGER');
    expect(await approve(manager, idOf(manager))).toEqual(refusal('FORBIDDEN'));
    expect(await approve(analyst, idOf(analyst))).toEqual(refusal('FORBIDDEN'));
    const technician = await api.person('technician', NORTH, 'TECHNICIAN');
    expect(await approve(owner, idOf(technician))).toEqual(refusal('INVALID_INPUT'));

    // A person of another tenant and one who is unknown are the same to the owner.
    const southern = await api.person('southern', SOUTH, 'ANALYST');
    const unknown = 'per_'.padEnd(idOf(southern).length, 'x');
    api.storeCalls();
    const foreign = await approve(owner, idOf(southern));
    const foreignCalls = api.storeCalls();
    expect(foreign).toEqual(refusal('NOT_FOUND'));
    expect(JSON.stringify(foreign).replace(idOf(southern), unknown)).toBe(
      JSON.stringify(await approve(owner, unknown)),
    );
    expect(api.storeCalls()).toEqual(foreignCalls);

    const [past, far] = [-1, 367 * 24].map((hours) => new Date(Date.now() + hours * HOUR_MS).toISOString());
    expect(await approve(owner, idOf(analyst), past)).toEqual(refusal('INVALID_INPUT'));
    expect(await approve(owner, idOf(analyst), far)).toEqual(refusal('INVALID_INPUT'));
  });

  it('ends when it was asked to, a day later at most, and no later than its approval', async () => {
    const someone = await api.person('short', NORTH, 'ANALYST');
    const until = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 20 * HOUR_MS + 400);
    await approve(owner, idOf(someone), until.toISOString());
    const before = Date.now();
    const usual = await issued(someone);
    expect(Date.parse(usual.expiresAt)).toBeGreaterThanOrEqual(before + 8 * HOUR_MS - 1_000);
    expect(Date.parse(usual.expiresAt)).toBeLessThanOrEqual(Date.now() + 8 * HOUR_MS);
    expect(new URLSearchParams(usual.token!).get('se')).toBe(`${usual.expiresAt.slice(0, 19)}Z`);

    const longest = await issued(someone, { expiresIn: 'PT24H' });
    expect(Date.parse(longest.expiresAt)).toBe(until.getTime() - 400);
    for (const expiresIn of ['PT24H0.001S', 'PT59S', 'P2D']) {
      expect(await issue(someone, { expiresIn })).toMatchObject({
        code: 'INVALID_INPUT',
        path: ['input', 'expiresIn'],
      });
    }
  });

  it('is signed for the addresses that were asked for, where they are addresses', async () => {
    await approve(owner, idOf(analyst));
    const { token } = await issued(analyst, { addresses: '203.0.113.0-203.0.113.255' });
    expect(new URLSearchParams(token!).get('sip')).toBe('203.0.113.0-203.0.113.255');
    for (const addresses of [
      '',
      'a',
      '203.0.113.9-203.0.113.7',
      '1.2.3.4-5.6.7.8-9.9.9.9',
      '::1',
      '1.2.3.4/8',
    ]) {
      expect(await issue(analyst, { addresses })).toMatchObject({
        code: 'INVALID_INPUT',
        path: ['input', 'addresses'],
      });
    }
    expect(await issue(analyst, { reason: ' ' })).toMatchObject({ path: ['input', 'reason'] });
  });

  it('is shown once: the same key gives the same credential’s name and no token', async () => {
    await approve(owner, idOf(analyst));
    const idempotencyKey = freshKey();
    const first = await issued(analyst, { idempotencyKey });
    const again = await issued(analyst, { idempotencyKey });
    expect(first).toMatchObject({ token: expect.any(String), secretsAlreadyShown: false });
    expect(again).toEqual({ ...first, token: null, secretsAlreadyShown: true });
    expect(await issue(analyst, { idempotencyKey, reason: 'Another' })).toEqual(
      refusal('IDEMPOTENCY_KEY_REUSED'),
    );
    const events = (await auditLog()).filter(({ after }) =>
      JSON.stringify(after).includes(first.credentialId),
    );
    expect(events).toHaveLength(1);
  });

  it('stands in the audit log with who, why and until when, and never with the token', async () => {
    const someone = await api.person('audited', NORTH, 'ANALYST');
    await approve(owner, idOf(someone));
    const { credentialId, expiresAt, folder, token } = await issued(someone, {
      reason: 'Energy audit',
      addresses: '203.0.113.7',
    });
    const events = (await auditLog()).filter(({ subject }) => subject === idOf(someone));
    expect(events.map(({ action, actor, after }) => ({ action, actor, after }))).toEqual([
      {
        action: 'cold-store.issue',
        actor: idOf(someone),
        after: {
          credential: credentialId,
          reason: 'Energy audit',
          expiresAt,
          folder,
          addresses: { start: '203.0.113.7', end: '203.0.113.7' },
        },
      },
      { action: 'cold-store.approve', actor: idOf(owner), after: { until: expect.any(String) } },
    ]);
    const signature = new URLSearchParams(token!).get('sig')!;
    const stored = await api.cosmos.query('directory', `cold-access:${NORTH}`, 'SELECT * FROM c');
    expect(JSON.stringify(stored)).not.toContain(signature);
    expect(stored.length).toBeGreaterThan(2);
  });

  it('is given no more once it is revoked, and the owner sees until when what was given is good', async () => {
    const someone = await api.person('revoked', NORTH, 'ANALYST');
    await approve(owner, idOf(someone));
    const { expiresAt } = await issued(someone);
    const revoke = async (who: Person, personId = idOf(someone)) => {
      const input = { tenantId: NORTH, personId };
      const { data } = await api.ask(who, RevokeColdStoreAccessDocument, { input });
      return data!.revokeColdStoreAccess;
    };
    expect(await revoke(analyst)).toEqual(refusal('FORBIDDEN'));
    await issued(someone);
    const revoked = await revoke(owner);
    expect(revoked).toMatchObject({ approval: { personId: idOf(someone), revokedAt: expect.any(String) } });
    expect(await revoke(owner)).toEqual(revoked);
    expect(await issue(someone)).toEqual(refusal('FORBIDDEN'));
    expect(await revoke(owner, 'per_nobody')).toEqual(refusal('NOT_FOUND'));

    const { data } = await api.ask(owner, ColdStoreApprovalsDocument, { tenant: NORTH });
    const listed = data!.tenant!.coldStoreApprovals!.find(({ personId }) => personId === idOf(someone))!;
    expect(Date.parse(listed.openUntil!)).toBeGreaterThanOrEqual(Date.parse(expiresAt));
    expect((await auditLog()).filter(({ action }) => action === 'cold-store.revoke')).toHaveLength(1);

    await approve(owner, idOf(someone));
    await issued(someone);
  });

  it('is given no more to somebody who has lost the role', async () => {
    const someone = await api.person('leaver', NORTH, 'ANALYST');
    await approve(owner, idOf(someone));
    await issued(someone);
    const viewer = await api.person('leaver', NORTH, 'VIEWER');
    await eventually(async () => expect(await issue(viewer)).toEqual(refusal('FORBIDDEN')));
  });

  it('is had of no tenant that was erased', async () => {
    const erased = 'ten_erased';
    const last = await api.person('last-owner', erased, 'OWNER');
    await approve(last, idOf(last), inAWeek(), erased);
    await issued(last, { tenantId: erased });
    const manifests = createManifests(cold.container);
    const { value: template } = (await manifests.read(NORTH))!;
    await manifests.publish(
      { ...template, tenantId: erased, periods: [], erasedAt: Date.now() } as CuratedManifest,
      null,
    );
    expect(await issue(last, { tenantId: erased })).toEqual(refusal('WRONG_STATE'));
  });
});
