import { latestEventPosition } from '@azure/event-hubs';
import {
  codeOf,
  collect,
  HUBS,
  marker,
  openTarget,
  type Target,
  withPolicy,
  withToken,
} from './event-hubs.target';

describe('Event Hubs checks who is asking', () => {
  let target: Target;
  beforeAll(async () => {
    target = await openTarget();
  });
  afterEach(() => target.closeClients());
  afterAll(() => target.stop());

  const soon = (): Date => new Date(Date.now() + 600_000);

  test('a wrong key is refused: UnauthorizedError', async () => {
    const connectionString = withPolicy(target.connectionString, 'RootManageSharedAccessKey', 'd3Jvbmc=');
    const producer = target.producer({ connectionString });
    expect(await codeOf(producer.getEventHubProperties())).toBe('UnauthorizedError');
    expect(await codeOf(producer.sendBatch([{ body: 1 }]))).toBe('UnauthorizedError');
  });

  test('a key under an unknown name is refused: UnauthorizedError', async () => {
    const connectionString = withPolicy(target.connectionString, 'NoSuchPolicy', 'd3Jvbmc=');
    expect(await codeOf(target.producer({ connectionString }).getEventHubProperties())).toBe(
      'UnauthorizedError',
    );
  });

  test('a reader with a wrong key is told so', async () => {
    const connectionString = withPolicy(target.connectionString, 'RootManageSharedAccessKey', 'd3Jvbmc=');
    const reader = collect(target.consumer({ connectionString }), {
      partition: '0',
      startPosition: latestEventPosition,
    });
    expect(await reader.failure()).toMatchObject({ code: 'UnauthorizedError' });
    await reader.close();
  });

  test('a policy with Send alone sends and does not receive', async () => {
    await target.producer({ connectionString: target.sendOnly }).sendBatch([{ body: marker() }]);
    const reader = collect(target.consumer({ connectionString: target.sendOnly }), {
      partition: '0',
      startPosition: latestEventPosition,
    });
    const error = await reader.failure();
    expect(error).toMatchObject({ code: 'UnauthorizedError' });
    expect(error.message).toMatch(/Listen/);
    await reader.close();
  });

  test('a policy with Listen alone receives and does not send', async () => {
    const reader = collect(target.consumer({ connectionString: target.listenOnly }), {
      partition: '0',
      startPosition: latestEventPosition,
    });
    await reader.attached();
    expect(reader.errors).toEqual([]);
    await reader.close();
    const call = target.producer({ connectionString: target.listenOnly }).sendBatch([{ body: 1 }]);
    await expect(call).rejects.toMatchObject({
      code: 'UnauthorizedError',
      message: expect.stringMatching(/Send/) as string,
    });
  });

  test('a policy with Send alone may read the properties of the hub', async () => {
    const producer = target.producer({ connectionString: target.sendOnly });
    expect((await producer.getEventHubProperties()).name).toBe(HUBS.used);
  });

  test('a token for the hub is as good as a key', async () => {
    const connectionString = withToken(target.connectionString, { path: HUBS.used, expires: soon() });
    await target.producer({ connectionString }).sendBatch([{ body: marker() }]);
  });

  test('a token for another hub is refused: UnauthorizedError', async () => {
    const connectionString = withToken(target.connectionString, { path: HUBS.other, expires: soon() });
    expect(await codeOf(target.producer({ connectionString }).sendBatch([{ body: 1 }]))).toBe(
      'UnauthorizedError',
    );
  });

  test('an expired token is refused: UnauthorizedError', async () => {
    const expires = new Date(Date.now() - 3_600_000);
    const connectionString = withToken(target.connectionString, { path: HUBS.used, expires });
    expect(await codeOf(target.producer({ connectionString }).sendBatch([{ body: 1 }]))).toBe(
      'UnauthorizedError',
    );
  });

  test('a token whose signature was altered is refused: UnauthorizedError', async () => {
    const connectionString = withToken(target.connectionString, { path: HUBS.used, expires: soon() }).replace(
      /&se=(\d+)/,
      (_all, expiry: string) => `&se=${Number(expiry) + 1}`,
    );
    expect(await codeOf(target.producer({ connectionString }).sendBatch([{ body: 1 }]))).toBe(
      'UnauthorizedError',
    );
  });
});
