import { connect } from 'node:net';
import fc from 'fast-check';
import { eventually } from '../support/eventually';
import { buildDevice, tokenOf } from './devices.support';
import { post, startPlatform } from './gateway.support';

const RUNS = 150;

describe('whatever is thrown at the gateway', () => {
  const device = buildDevice();
  let platform: Awaited<ReturnType<typeof startPlatform>>;

  beforeAll(async () => {
    platform = await startPlatform({ devices: [device] });
  });
  afterAll(() => platform.stop());

  /** Writes the bytes, ends, and resolves with all that comes back until the connection ends. */
  const throwBytes = (bytes: Buffer): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      const socket = connect(platform.port, '127.0.0.1', () => socket.end(bytes));
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(text));
    });

  const stillWorks = async (): Promise<void> => {
    expect((await post(platform, device, { temperature: 20 })).status).toBe(204);
    await eventually(async () =>
      expect(await platform.metrics.metrics()).toMatch(/bytes_in_flight\{process="gateway"\} 0\n/),
    );
  };

  const payloads = [
    '{"temperature": 21.5, "observedAt": "2026-03-01T12:00:00Z"}',
    '[{"temperature": 21.5}, {"humidity": 40, "observedAt": "2026-03-01T12:00:00Z"}]',
    `[{"bn":"${device.deviceId}/","bt":1772366400,"bu":"Cel","n":"temperature","v":20},{"n":"temperature","t":-60,"v":19}]`,
    '[{"body":"eyJ0ZW1wZXJhdHVyZSI6IDIxLjV9","properties":{"iothub-messageid":"m-1"}}]',
  ];
  const contentTypes = [
    'application/json',
    'application/senml+json',
    'application/vnd.microsoft.iothub.json',
    'application/json; charset=utf-8',
  ];
  /** Takes some bytes out, puts some in, doubles a part. */
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(20),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc
        .constantFrom('"', '[', '{', '}', ',', '1e999', '-', 'null', '\u0000', '__proto__', '\\ud800', '_":1')
        .map((text) => new Uint8Array(Buffer.from(text))),
    ),
  });
  type Mutation = { at: number; remove: number; insert: Uint8Array };
  const mutated = (original: Buffer, mutations: readonly Mutation[]): Buffer =>
    mutations.reduce((bytes, { at, remove, insert }) => {
      const from = Math.floor(at * bytes.length);
      return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + remove)]);
    }, original);

  test('mutated bodies are always answered, and never with a fault of ours', async () => {
    const allowed = new Set([200, 204, 400, 413, 415, 429]);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...payloads),
        fc.constantFrom(...contentTypes),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        async (payload, contentType, mutations) => {
          const response = await fetch(`${platform.url}/devices/${device.deviceId}/messages/events`, {
            method: 'POST',
            headers: { authorization: tokenOf(device), 'content-type': contentType },
            body: new Uint8Array(mutated(Buffer.from(payload), mutations)),
          });
          const text = await response.text();
          expect(allowed).toContain(response.status);
          if (response.status !== 204) JSON.parse(text);
        },
      ),
      { numRuns: RUNS },
    );
    await stillWorks();
  });

  test('JSON of any shape is always answered, in every content type', async () => {
    const allowed = new Set([200, 204, 400]);
    const word = fc.constantFrom(
      'temperature',
      'observedAt',
      'n',
      'v',
      'bn',
      'bt',
      'bver',
      'body',
      'properties',
      '',
    );
    const shape = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.dictionary(word, fc.oneof(fc.jsonValue(), fc.double(), fc.string()))),
    );
    await fc.assert(
      fc.asyncProperty(shape, fc.constantFrom(...contentTypes), async (payload, contentType) => {
        const headers = { 'content-type': contentType };
        const { status } = await post(platform, device, JSON.stringify(payload), { headers });
        expect(allowed).toContain(status);
      }),
      { numRuns: RUNS },
    );
    await stillWorks();
  });

  test('mutated requests are answered or closed', async () => {
    const whole = (payload: string): Buffer =>
      Buffer.from(
        `POST /devices/${device.deviceId}/messages/events?api-version=2021-04-12 HTTP/1.1\r\n` +
          `host: 127.0.0.1\r\nauthorization: ${tokenOf(device)}\r\ncontent-type: application/json\r\n` +
          `iothub-messageid: m\r\nconnection: close\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`,
      );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...payloads),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        async (payload, mutations) => {
          const text = await throwBytes(mutated(whole(payload), mutations));
          expect(text === '' || text.startsWith('HTTP/1.1 ')).toBe(true);
          expect(text).not.toContain(' 500 ');
        },
      ),
      { numRuns: RUNS },
    );
    await stillWorks();
  });

  test('tokens of any form are answered 401 and nothing else', async () => {
    const token = tokenOf(device);
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        const forged = mutated(Buffer.from(token), mutations)
          .toString('latin1')
          .replace(/[^\x20-\x7e]/g, '')
          .trim();
        fc.pre(forged !== token);
        const { status } = await post(platform, device, { temperature: 1 }, { token: forged });
        // A mutation that leaves the meaning (a byte of padding, a blank) leaves the token good.
        expect([401, 204]).toContain(status);
        if (status === 204) expect(decodeURIComponent(forged)).toContain(device.deviceId);
      }),
      { numRuns: RUNS },
    );
    await stillWorks();
  });
});
