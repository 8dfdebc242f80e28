import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { type ServerResponse } from 'node:http';
import { parse } from 'graphql';
import WebSocket from 'ws';
import { createCrowd } from '../../src/api/crowd';
import { DEFAULT_LIMITS, excessOf } from '../../src/api/limits';
import { eventually } from '../support/eventually';
import { buildBuilding, NORTH, type Person, startApi, type TestApi } from './api.support';

describe('what one client may have under way', () => {
  const response = (): ServerResponse => new EventEmitter() as ServerResponse;

  it('is so many requests, and all together so many, until their answers are out', () => {
    const crowd = createCrowd({ maximumOfClient: 2, maximum: 3, maximumOnConnection: 16 });
    const first = response();
    expect(crowd.enter('a', first)).toBeNull();
    expect(crowd.enter('a', response())).toBeNull();
    expect(crowd.enter('a', response())).toBe('client');
    expect(crowd.enter('b', response())).toBeNull();
    expect(crowd.enter('c', response())).toBe('all');
    first.emit('close');
    expect(crowd.enter('c', response())).toBeNull();
    expect(crowd.enter('a', response())).toBe('all');
  });

  describe('over HTTP', () => {
    let api: TestApi;
    let person: Person;
    beforeAll(async () => {
      api = await startApi({ maximumUnreadBytes: 1024 * 1024 });
      person = await api.person('somebody', NORTH, 'OWNER');
    });
    afterAll(() => api.stop());

    it('is cut off where requests follow one another on a connection whose answers are not waited for', async () => {
      const body = JSON.stringify({ query: '{ viewer { id } }' });
      const request = [
        'POST /graphql HTTP/1.1',
        'Host: somewhere.example',
        'Content-Type: application/json',
        `Authorization: Bearer ${person.token}`,
        `Content-Length: ${body.length}`,
        '',
        body,
      ].join('\r\n');
      const { port } = new URL(api.url);
      const { answers, code } = await new Promise<{ answers: number; code?: string | undefined }>(
        (resolve) => {
          const socket = connect(Number(port), '127.0.0.1');
          let text = '';
          let failed: string | undefined;
          socket.on('data', (data) => (text += data.toString()));
          socket.on('error', (error: NodeJS.ErrnoException) => (failed = error.code));
          socket.once('close', () =>
            resolve({ answers: text.split('HTTP/1.1 200').length - 1, code: failed }),
          );
          socket.write(request.repeat(40));
        },
      );
      expect(answers).toBeLessThan(5);
      expect([undefined, 'ECONNRESET', 'EPIPE']).toContain(code);
      // And everybody else is served.
      expect((await api.ask(person, '{ viewer { id } }')).status).toBe(200);
    });

    /** Signs in, and is then sent so many operations without a look at what comes back. */
    async function closedAfter(times: number, payload: object): Promise<number> {
      const socket = new WebSocket(api.webSocketUrl, 'graphql-transport-ws');
      const closed = new Promise<number>((resolve) => socket.once('close', resolve));
      await once(socket, 'open');
      const authorization = `Bearer ${person.token}`;
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
      await once(socket, 'message');
      socket.pause();
      for (let n = 0; n < times; n++) {
        socket.send(JSON.stringify({ type: 'subscribe', id: String(n), payload }));
      }
      // What was sent before the end is read only now, and the end after it.
      await eventually(async () => expect(await api.metrics.metrics()).toMatch(/^atrium_api_sockets\S* 0$/m));
      socket.resume();
      return closed;
    }

    it('is cut off where a socket goes on to begin operations although it has too many', async () => {
      const { building } = await buildBuilding(api, person, NORTH);
      const query = `subscription { buildingAverages(buildingIds: ["${building.id}"]) { mean } }`;
      expect(await closedAfter(400, { query })).toBe(1008);
    });

    it('is cut off where a socket asks for more and takes nothing of what is answered', async () => {
      const query =
        '{ __schema { types { name description fields { name description args { name description } } } } }';
      // Without its close code: what stands before it is too much to be sent in a second.
      expect([1006, 1008]).toContain(await closedAfter(45, { query }));
    });
  });
});

describe('what a document may hold', () => {
  const excess = (source: string) => excessOf(parse(source), DEFAULT_LIMITS)?.message ?? null;

  it('is each field many times, where they are of different names or few', () => {
    const names = Array.from({ length: 200 }, (_, n) => `f${n} { id }`).join(' ');
    expect(excess(`{ ${names.replaceAll(' { id }', '')} }`)).toBeNull();
    expect(excess(`{ ${'viewer { id } '.repeat(100)} }`)).toBeNull();
    expect(excess(`{ ${'viewer { id } '.repeat(120)} }`)).toMatch(/'viewer' stands in it 120 times/);
  });

  it('is as deep through fragments, and ends where they go round in a circle', () => {
    const chain = Array.from({ length: 15 }, (_, n) => `fragment F${n} on A { a { ...F${n + 1} } }`).join(
      ' ',
    );
    expect(excess(`{ a { ...F0 } } ${chain}`)).toMatch(/16 fields deep/);
    expect(excess('{ a { ...A } } fragment A on A { a { ...B } } fragment B on A { ...A }')).toBeNull();
  });
});
