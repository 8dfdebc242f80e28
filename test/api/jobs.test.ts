import {
  CancelJobDocument,
  JobDocument,
  JobRowsDocument,
  JobsDocument,
  ProvisionDevicesJobDocument,
  RegisterDevicesDocument,
} from '../../simulator/generated/graphql';
import { type JobRunner } from '../../src/store/jobs/runner';
import { eventually } from '../support/eventually';
import { openWorkshop, serials, type Workshop } from '../store/jobs.support';
import { buildBuilding, freshKey, NORTH, type Person, startApi, type TestApi } from './api.support';

describe('jobs through the API', () => {
  let api: TestApi;
  let owner: Person;
  let manager: Person;
  let workshop: Workshop;
  let worker: JobRunner;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    manager = await api.person('manager', NORTH, 'MANAGER');
    workshop = openWorkshop(api);
    worker = await workshop.worker();
  });
  afterAll(async () => {
    await workshop.stop();
    await api.stop();
  });

  async function register(devices: { serialNumber: string; model: string }[]): Promise<string> {
    const { data, errors } = await api.ask(owner, RegisterDevicesDocument, {
      input: { tenantId: NORTH, devices, idempotencyKey: freshKey() },
    });
    expect(errors).toBeUndefined();
    const result = data!.registerDevices;
    if (result.__typename !== 'RegisterDevicesSuccess') throw new Error(JSON.stringify(result));
    return result.job.id;
  }

  async function ended(id: string) {
    return eventually(async () => {
      const { data } = await api.ask(owner, JobDocument, { id });
      expect(data!.job!.finishedAt).not.toBeNull();
      return data!.job!;
    });
  }

  async function rows(who: Person, id: string, more: object = {}) {
    const { data, errors } = await api.ask(who, JobRowsDocument, { id, ...more });
    expect(errors).toBeUndefined();
    return data!.job!.rows;
  }

  it('register devices and hand out each claim code once, to whoever started the job', async () => {
    const id = await register([
      ...serials('A', 3).map((serialNumber) => ({ serialNumber, model: 'thermometer' })),
      { serialNumber: 'A-9', model: 'nonsense' },
    ]);
    expect(await ended(id)).toMatchObject({
      kind: 'REGISTER_DEVICES',
      state: 'SUCCEEDED',
      done: 4,
      failed: 1,
    });

    const none = { claimCode: null, claimText: null, connectionString: null };
    const seenByManager = (await rows(manager, id)).nodes;
    expect(seenByManager[0]!.secret).toEqual({ ...none, secretsAlreadyShown: false });

    const first = await rows(owner, id, { first: 2 });
    const code = first.nodes[0]!.secret!.claimCode!;
    expect(first.nodes[0]!.secret!.claimText).toBe(`ATRIUM:1:A-0000:${code}`);
    expect(first.pageInfo.hasNextPage).toBe(true);
    const rest = await rows(owner, id, { after: first.pageInfo.endCursor });
    expect(rest.nodes.map(({ index }) => index)).toEqual([2, 3]);
    expect(rest.nodes[0]!.secret!.claimCode).toMatch(/\w/);
    expect(rest.nodes[1]).toMatchObject({
      deviceId: null,
      secret: null,
      error: { code: 'INVALID_INPUT', path: ['input', 'devices', '3', 'model'] },
    });

    const again = (await rows(owner, id)).nodes;
    expect(again.slice(0, 3).map(({ secret }) => secret)).toEqual(
      Array(3).fill({ ...none, secretsAlreadyShown: true }),
    );
    expect((await rows(owner, id, { only: 'FAILED' })).nodes.map(({ index }) => index)).toEqual([3]);
  });

  it('keep a secret that was not asked for', async () => {
    const id = await register([{ serialNumber: 'K-1', model: 'thermometer' }]);
    await ended(id);
    const looked = await api.ask<{ job: { rows: { nodes: object[] } } }, object>(
      owner,
      'query ($id: ID!) { job(id: $id) { rows { nodes { index device { id } } } } }',
      { id },
    );
    expect(looked.data!.job.rows.nodes).toEqual([{ index: 0, device: null }]);
    expect((await rows(owner, id)).nodes[0]!.secret!.claimCode).not.toBeNull();
  });

  it('show a secret once where two readers ask at the same time', async () => {
    const id = await register([{ serialNumber: 'R-1', model: 'thermometer' }]);
    await ended(id);
    const readers = await Promise.all(Array.from({ length: 6 }, () => rows(owner, id)));
    const secrets = readers.map(({ nodes }) => nodes[0]!.secret!);
    expect(secrets.filter(({ claimCode }) => claimCode !== null)).toHaveLength(1);
    expect(secrets.filter(({ secretsAlreadyShown }) => secretsAlreadyShown)).toHaveLength(5);
  });

  it('provision devices with connection strings, and say of each refused row why', async () => {
    const { building, spaceId } = await buildBuilding(api, owner, NORTH, { devices: 0 });
    const { data } = await api.ask(owner, ProvisionDevicesJobDocument, {
      input: {
        buildingId: building.id,
        devices: [
          { name: 'Good', model: 'thermometer', spaceId },
          { name: 'Nowhere', model: 'thermometer', spaceId: 'spc_nowhere' },
        ],
        idempotencyKey: freshKey(),
      },
    });
    const result = data!.provisionDevicesJob;
    if (result.__typename !== 'ProvisionDevicesJobSuccess') throw new Error(JSON.stringify(result));
    expect(await ended(result.job.id)).toMatchObject({ state: 'SUCCEEDED', done: 2, failed: 1 });
    const { nodes } = await rows(owner, result.job.id);
    expect(nodes[0]!.secret!.connectionString).toMatch(
      new RegExp(`^HostName=gateway.example:8443;DeviceId=${nodes[0]!.deviceId};SharedAccessKey=.{44}$`),
    );
    expect(nodes[1]!.error).toMatchObject({
      code: 'NOT_FOUND',
      path: ['input', 'devices', '1', 'spaceId'],
    });
  });

  it('are listed newest first, and end when they are cancelled', async () => {
    await worker.stop();
    const id = await register([{ serialNumber: 'C-1', model: 'thermometer' }]);
    const listed = await api.ask(manager, JobsDocument, { tenantId: NORTH, first: 2 });
    expect(listed.data!.tenant!.jobs.nodes[0]).toMatchObject({ id, state: 'QUEUED' });
    expect(listed.data!.tenant!.jobs.pageInfo.hasNextPage).toBe(true);
    const { data } = await api.ask(manager, CancelJobDocument, { input: { jobId: id } });
    expect(data!.cancelJob).toMatchObject({ job: { id, state: 'CANCELLED', done: 0 } });
  });

  it('are refused without rows, and with more than ten thousand', async () => {
    const ask = async (count: number) => {
      const devices = serials('N', count).map((serialNumber) => ({ serialNumber, model: 'thermometer' }));
      const { data } = await api.ask(owner, RegisterDevicesDocument, {
        input: { tenantId: NORTH, devices, idempotencyKey: freshKey() },
      });
      return data!.registerDevices;
    };
    expect(await ask(0)).toMatchObject({ code: 'INVALID_INPUT', path: ['input', 'devices'] });
    expect(await ask(10_001)).toMatchObject({ code: 'LIMIT_EXCEEDED', path: ['input', 'devices'] });
  });
});
