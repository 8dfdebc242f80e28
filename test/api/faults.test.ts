import { once } from 'node:events';
import WebSocket from 'ws';
import { type Registry } from '../../src/store/registry';
import { membershipsOf, startApi, type TestApi } from './api.support';

describe('faults behind the API', () => {
  let api: TestApi;
  const secret = 'AccountKey=abc at 10.1.2.3';
  const broken = (): Promise<never> => Promise.reject(new Error(secret));

  afterEach(() => api.stop());

  it('are masked, with a request id to report, while the rest of the answer stands', async () => {
    api = await startApi({
      memberships: membershipsOf(async () => []),
      registry: { buildings: broken } as unknown as Registry,
    });
    const token = await api.token('anybody');
    const { status, data, errors } = await api.ask<{ viewer: { id: string } }, object>(
      { token },
      '{ viewer { id } building(id: "x") { id } }',
    );
    expect(status).toBe(200);
    expect(data!.viewer.id).toMatch(/^per_/);
    expect(errors).toEqual([
      {
        message: 'a fault of ours: report it with the request id',
        path: ['building'],
        locations: expect.anything(),
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) },
      },
    ]);
  });

  it('leak nothing where the caller’s rights cannot be read', async () => {
    api = await startApi({ memberships: membershipsOf(broken) });
    const token = await api.token('anybody');
    const answer = await api.ask({ token }, '{ viewer { id } }');
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer)).not.toContain('10.1.2.3');
    expect(answer.errors![0]!.extensions).toEqual({
      code: 'INTERNAL_SERVER_ERROR',
      requestId: answer.headers.get('x-request-id'),
    });
  });

  it('say where a service is only away, so that a client tries again', async () => {
    const away = (): Promise<never> =>
      Promise.reject(Object.assign(new Error(secret), { code: 'ECONNREFUSED' }));
    api = await startApi({
      memberships: membershipsOf(async () => []),
      registry: { buildings: away } as unknown as Registry,
    });
    const token = await api.token('anybody');
    const inside = await api.ask({ token }, '{ buildings { nodes { id } } }');
    expect(inside.errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
    await api.stop();
    api = await startApi({ memberships: membershipsOf(away) });
    const before = await api.ask({ token: await api.token('anybody') }, '{ viewer { id } }');
    expect(before.status).toBe(503);
    expect(JSON.stringify([inside, before])).not.toContain('10.1.2.3');
  });

  it('close a socket so that clients come again where a service is away, and for good where the fault is ours', async () => {
    const closedWith = async (fault: Error): Promise<number> => {
      api = await startApi({
        memberships: membershipsOf(() => Promise.reject(fault)),
      });
      const authorization = `Bearer ${await api.token('anybody')}`;
      const socket = new WebSocket(api.webSocketUrl, 'graphql-transport-ws');
      socket.on('open', () =>
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } })),
      );
      socket.on('message', () =>
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ viewer { id } }' } })),
      );
      const [code] = (await once(socket, 'close')) as [number];
      await api.stop();
      return code;
    };
    expect(await closedWith(Object.assign(new Error(secret), { code: 'ECONNREFUSED' }))).toBe(1013);
    expect(await closedWith(new Error(secret))).toBe(1011);
  });
});
