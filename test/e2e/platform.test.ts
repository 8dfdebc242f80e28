import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { connectAsync } from 'mqtt';
import { createSasToken } from '../../simulator/sas-token';
import { openSession, type Session } from '../../simulator/session';
import { eventually } from '../support/eventually';
import { downloadLanding, openLanding } from '../support/landing';
import { type Platform, startPlatform } from '../support/platform';
import { createLiveSubscriber, type LiveAverage } from '../verify/live-subscriber';

/** The whole house, as `npm start` runs it, through its public doors alone. */
describe('the whole of Atrium on one laptop', () => {
  let platform: Platform;
  let session: Session;
  let buildingId: string;
  let deviceId: string;
  let connectionString: string;

  beforeAll(async () => {
    platform = await startPlatform({ env: { INGEST_FLUSH_SECONDS: '1' } });
    session = await openSession({ endpointsFile: platform.endpointsFile, user: 'owner@north.example' });
    const building = await session.api.createBuilding(
      {
        tenantId: session.tenantId,
        name: 'Test House',
        timeZone: 'Europe/Berlin',
        spaces: [{ name: 'Hall', kind: 'ROOM', parent: null }],
      },
      'e2e-building',
    );
    buildingId = building.id;
    const [device] = await session.api.provisionDevices(
      { buildingId, devices: [{ name: 'Sensor', model: 'room-sensor', spaceId: building.spaces.Hall! }] },
      'e2e-devices',
    );
    deviceId = device!.deviceId;
    connectionString = device!.connectionString!;
  });

  afterAll(async () => {
    await session?.close();
    await platform?.stop();
  });

  const send = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${platform.endpoints().gateway}/devices/${deviceId}/messages/events?api-version=2021-04-12`, {
      method: 'POST',
      headers: {
        authorization: createSasToken(connectionString, 600),
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(body),
    });

  /** Sends until it is taken: a process that was killed a moment ago may still be coming back. */
  const sendUntilTaken = (body: unknown): Promise<void> =>
    eventually(async () => {
      expect((await send(body)).status).toBe(204);
    });

  const averages = async (): Promise<{ quantity: string; mean: number }[]> => {
    const answer = await fetch(platform.endpoints().api, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await session.client.token()}`,
      },
      body: JSON.stringify({
        query: 'query Now($id: ID!) { building(id: $id) { averages { quantity mean } } }',
        variables: { id: buildingId },
      }),
    });
    const { data } = (await answer.json()) as {
      data: { building: { averages: { quantity: string; mean: number }[] } };
    };
    return data.building.averages;
  };

  it('pushes a reading’s average to a subscriber, records it, and lands it in Parquet', async () => {
    const values: LiveAverage[] = [];
    const subscriber = createLiveSubscriber({
      url: platform.endpoints().subscriptions,
      token: () => session.client.token(),
      onValue: (_, value) => values.push(value),
      onRefused: (_, reason) => {
        throw new Error(reason);
      },
    });
    try {
      subscriber.follow(buildingId);
      await sendUntilTaken({ temperature: 20, humidity: 40 });
      await sendUntilTaken({ temperature: 23 });
      await eventually(() => {
        expect(values.filter(({ quantity }) => quantity === 'AIR_TEMPERATURE').at(-1)).toMatchObject({
          mean: 21.5,
          minimum: 20,
          maximum: 23,
          devicesReporting: 1,
          devicesExpected: 1,
        });
      });
    } finally {
      await subscriber.stop();
    }
    const folder = await mkdtemp(join(tmpdir(), 'atrium-e2e-'));
    try {
      const blobs = BlobServiceClient.fromConnectionString(platform.endpoints().blob);
      await eventually(async () => {
        await rm(folder, { recursive: true, force: true });
        await downloadLanding(blobs, folder);
        const landing = await openLanding(folder);
        try {
          const rows = await landing.query<{ value: number }>(
            `SELECT value FROM landing WHERE building_id = '${buildingId}' AND quantity = 'AIR_TEMPERATURE' ORDER BY value`,
          );
          expect(rows.map(({ value }) => value)).toEqual([20, 23]);
        } finally {
          landing.close();
        }
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('takes the good part of a batch, names what it refused and keeps that with its reason', async () => {
    const answer = await send([{ temperature: 21 }, { temperature: 394 }, { temperature: 'warm' }]);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      accepted: 1,
      refused: [
        { index: 1, channel: 'temperature', code: 'VALUE_OUT_OF_RANGE' },
        { index: 2, channel: 'temperature', code: 'VALUE_NOT_A_NUMBER' },
      ],
    });
  });

  it('takes a reading over MQTT, and averages it', async () => {
    const client = await connectAsync(platform.endpoints().mqtt, {
      protocolVersion: 4,
      clientId: deviceId,
      username: `127.0.0.1/${deviceId}/?api-version=2021-04-12`,
      password: createSasToken(connectionString, 600),
    });
    await client.publishAsync(`devices/${deviceId}/messages/events/`, '{"light": 300}', { qos: 1 });
    await client.endAsync();
    await eventually(async () => {
      expect(await averages()).toContainEqual({ quantity: 'ILLUMINANCE', mean: 300 });
    });
  });

  it('shows its tenant what was refused, and averages it once it is mended and replayed', async () => {
    const ask = async <Data>(query: string, variables: object): Promise<Data> => {
      const answer = await fetch(platform.endpoints().api, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${await session.client.token()}`,
        },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await answer.json()) as { data: Data; errors?: unknown };
      expect(errors).toBeUndefined();
      return data;
    };
    const { building } = await ask<{ building: { spaces: { id: string }[] } }>(
      'query ($id: ID!) { building(id: $id) { spaces { id } } }',
      { id: buildingId },
    );
    const [child] = await session.api.provisionDevices(
      { buildingId, devices: [{ name: 'Child', model: 'motion-meter', spaceId: building.spaces[0]!.id }] },
      'e2e-child',
    );
    const parentId = deviceId;
    const pack = [{ n: `${child!.deviceId}/motion`, v: 7 }];
    expect((await send(pack, { 'content-type': 'application/senml+json' })).status).toBe(400);
    const letters = async () => {
      const found = await ask<{
        building: {
          deadLetters: { nodes: { id: string; code: string; replay: { outcome: string } | null }[] };
        };
      }>('query ($id: ID!) { building(id: $id) { deadLetters { nodes { id code replay { outcome } } } } }', {
        id: buildingId,
      });
      return found.building.deadLetters.nodes;
    };
    const [letter] = await eventually(async () => {
      const [first, ...rest] = await letters();
      expect(first).toMatchObject({ code: 'CHILD_NOT_YOURS', replay: null });
      return [first!, ...rest];
    });

    const mended = await ask<{ setDeviceParent: object }>(
      'mutation ($input: SetDeviceParentInput!) { setDeviceParent(input: $input) { __typename } }',
      { input: { deviceId: child!.deviceId, parentId } },
    );
    expect(mended.setDeviceParent).toEqual({ __typename: 'SetDeviceParentSuccess' });
    await ask(
      'mutation ($input: ReplayDeadLettersInput!) { replayDeadLetters(input: $input) { __typename } }',
      { input: { buildingId, filter: { ids: [letter.id] }, idempotencyKey: 'e2e-replay' } },
    );
    // Whoever works on it dies; another takes it over.
    await platform.kill('jobs');
    await eventually(async () => {
      const replayed = (await letters()).find(({ id }) => id === letter.id);
      expect(replayed!.replay).toEqual({ outcome: 'ACCEPTED' });
      expect(await averages()).toContainEqual({ quantity: 'MOTION_LEVEL', mean: 7 });
    });
  });

  it('goes on after any of its processes was killed, under the same addresses', async () => {
    for (const name of ['gateway', 'aggregate', 'ingest', 'api', 'event-hubs']) await platform.kill(name);
    await sendUntilTaken({ co2: 500 });
    await eventually(async () => {
      expect(await averages()).toContainEqual({ quantity: 'CO2_LEVEL', mean: 500 });
    });
  });

  it('answers health, readiness and metrics for every process', async () => {
    for (const [name, url] of Object.entries(platform.endpoints().metrics)) {
      const metrics = await eventually(async () => {
        const answer = await fetch(url);
        expect(answer.status).toBe(200);
        return answer.text();
      });
      expect(metrics).toContain('process_cpu_user_seconds_total');
      await eventually(async () => {
        const ready = await fetch(url.replace('/metrics', '/readyz'));
        expect({ name, ready: ready.status }).toEqual({ name, ready: 200 });
      });
      expect((await fetch(url.replace('/metrics', '/healthz'))).status).toBe(200);
    }
  });
});

describe('a start that cannot be', () => {
  const start = (env: Record<string, string>): Promise<{ code: number; stderr: string }> =>
    promisify(execFile)(process.execPath, [resolve(__dirname, '../../dist/src/main/local.js')], {
      env: { ...process.env, DEMO: 'off', ...env },
    }).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => error,
    );

  it('says in one sentence that a port is in use and what to do, and exits 1', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'atrium-port-'));
    const squatter = createServer();
    const port = await new Promise<number>((found) =>
      squatter.listen(0, '127.0.0.1', () => found((squatter.address() as { port: number }).port)),
    );
    try {
      const free = Object.fromEntries(
        [
          'API',
          'IDENTITY',
          'GATEWAY',
          'GATEWAY_HTTPS',
          'MQTT',
          'MQTTS',
          'AMQPS',
          'COSMOS',
          'BLOB',
          'GATEWAY_HEALTH',
          'INGEST_HEALTH',
          'AGGREGATE_HEALTH',
        ]
          .concat(['EVENT_HUBS_HEALTH', 'COSMOS_HEALTH'])
          .map((name) => [`${name}_PORT`, '0']),
      );
      const { code, stderr } = await start({ ...free, DATA_DIR: folder, EVENT_HUBS_PORT: String(port) });
      expect(code).toBe(1);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*in use.*choose another port`));
    } finally {
      squatter.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('names every setting that is wrong at once', async () => {
    const { code, stderr } = await start({ API_PORT: 'x', DEMO: 'maybe' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/API_PORT is 'x'.*DEMO is 'maybe'|DEMO is 'maybe'.*API_PORT is 'x'/);
  });
});
