import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSendLog } from '../../simulator/send-log';
import { createSender, type Message, type MessageReading } from '../../simulator/sender';
import { createSendingDevice } from '../../simulator/sending-device';
import { createTotals, summaryOf, unacknowledged } from '../../simulator/totals';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** A gateway that answers by a script, one entry a request; the last entry stands for all that follow. */
async function scriptedGateway(
  script: Answer[],
): Promise<{ origin: string; bodies: string[]; server: Server }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      script[Math.min(bodies.length, script.length) - 1]!(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, server };
}

const answer =
  (status: number, body?: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };

const device = createSendingDevice('HostName=h;DeviceId=dev_1;SharedAccessKey=a2V5');

function buildMessage(parts: Partial<Message> = {}): Message {
  const reading: MessageReading = {
    index: 0,
    channel: 'temperature',
    quantity: 'AIR_TEMPERATURE',
    value: 21.5,
    observedAt: 1_790_000_000_000,
  };
  const humid: MessageReading = { ...reading, channel: 'humidity', quantity: 'RELATIVE_HUMIDITY', value: 40 };
  return { device, body: '{"temperature":21.5}', readings: [reading, humid], dueAt: Date.now(), ...parts };
}

describe('the sender', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  const run = async (script: Answer[], messages = [buildMessage()], connections = 4) => {
    const gateway = await scriptedGateway(script);
    server = gateway.server;
    const totals = createTotals();
    const sender = createSender({ origin: gateway.origin, totals, connections });
    for (const message of messages) sender.submit(message);
    const drained = await sender.drained(Date.now() + 15_000);
    await sender.stop();
    return { ...gateway, totals, drained, summary: summaryOf(totals) };
  };

  it('presents the device by its SAS token on the path of the device protocol', async () => {
    let seen: IncomingMessage | undefined;
    await run([
      (request, response) => {
        seen = request;
        response.writeHead(204).end();
      },
    ]);
    expect(seen!.method).toBe('POST');
    expect(seen!.url).toBe('/devices/dev_1/messages/events?api-version=2021-04-12');
    expect(seen!.headers.authorization).toMatch(
      /^SharedAccessSignature sr=h%2Fdevices%2Fdev_1&sig=.+&se=\d+$/,
    );
    expect(seen!.headers['content-type']).toBe('application/json');
  });

  it('counts every reading of a 204 as acknowledged', async () => {
    const { totals, drained } = await run([answer(204)]);
    expect(drained).toBe(true);
    expect(totals.acknowledged).toBe(2);
    expect(unacknowledged(totals)).toBe(0);
  });

  it.each([[429], [503], [500], [408]])('sends the same body again after a %i', async (status) => {
    const { bodies, totals } = await run([answer(status), answer(status), answer(204)]);
    expect(bodies).toEqual(Array(3).fill('{"temperature":21.5}'));
    expect(totals.acknowledged).toBe(2);
    expect(totals.retried).toBe(2);
    expect(totals.retriedFor).toEqual(new Map([[String(status), 2]]));
  });

  it('waits as long as Retry-After says', async () => {
    const at: number[] = [];
    const timed =
      (next: Answer): Answer =>
      (...all) => {
        at.push(Date.now());
        next(...all);
      };
    await run([timed(answer(429, undefined, { 'retry-after': '1' })), timed(answer(204))]);
    // Jitter takes up to a quarter off.
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(740);
  });

  it('sends again when the connection breaks', async () => {
    const { totals } = await run([(request) => request.socket.destroy(), answer(204)]);
    expect(totals.acknowledged).toBe(2);
    expect(totals.retried).toBe(1);
  });

  it('acknowledges the rest of a message of which one reading was refused', async () => {
    const refused = [{ index: 0, channel: 'temperature', code: 'VALUE_OUT_OF_RANGE', message: 'too hot' }];
    const { totals, bodies } = await run([answer(200, { accepted: 1, refused })]);
    expect(totals.acknowledged).toBe(1);
    expect(totals.refused).toEqual(new Map([['VALUE_OUT_OF_RANGE', 1]]));
    expect(unacknowledged(totals)).toBe(0);
    expect(bodies).toHaveLength(1);
  });

  it('does not send again what was refused altogether', async () => {
    const refused = [
      { index: 0, channel: 'temperature', code: 'VALUE_OUT_OF_RANGE', message: '' },
      { index: 0, channel: 'humidity', code: 'VALUE_NOT_FINITE', message: '' },
    ];
    const { totals, bodies } = await run([answer(400, { error: { code: 'ALL_REFUSED' }, refused })]);
    expect(totals.refused).toEqual(
      new Map([
        ['VALUE_OUT_OF_RANGE', 1],
        ['VALUE_NOT_FINITE', 1],
      ]),
    );
    expect(bodies).toHaveLength(1);
  });

  it('counts a device that is not let in as not acknowledged', async () => {
    const { totals, summary } = await run([
      answer(401, { error: { code: 'UNAUTHENTICATED', message: 'no' } }),
    ]);
    expect(summary.rejected).toEqual({ '401 UNAUTHENTICATED': 2 });
    expect(unacknowledged(totals)).toBe(2);
  });

  it('keeps to its connections and drops nothing of a burst', async () => {
    let most = 0;
    let now = 0;
    const slow: Answer = (_request, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        response.writeHead(204).end();
      }, 5);
    };
    const { totals, drained } = await run(
      [slow],
      Array.from({ length: 200 }, () => buildMessage()),
      3,
    );
    expect(drained).toBe(true);
    expect(most).toBe(3);
    expect(totals.acknowledged).toBe(400);
  });

  it('does not hammer a gateway that is down: one message asks until one is answered', async () => {
    let asked = 0;
    const down: Answer = (request) => {
      asked++;
      request.socket.destroy();
    };
    const messages = Array.from({ length: 100 }, () => buildMessage());
    const { totals } = await run([...Array.from({ length: 12 }, () => down), answer(204)], messages, 10);
    expect(totals.acknowledged).toBe(200);
    expect(totals.sent).toBe(100);
    // Ten were under way when it broke; what follows comes one by one.
    expect(asked).toBe(12);
    expect(totals.retried).toBeLessThanOrEqual(12);
  });

  it('counts a message that leaves more than a second late', async () => {
    const { totals } = await run(
      [answer(204)],
      [buildMessage({ dueAt: Date.now() - 1_500 }), buildMessage()],
    );
    expect(totals.late).toBe(1);
  });

  it('gives up at the deadline and says so', async () => {
    const gateway = await scriptedGateway([answer(503)]);
    server = gateway.server;
    const totals = createTotals();
    const sender = createSender({ origin: gateway.origin, totals });
    sender.submit(buildMessage());
    expect(await sender.drained(Date.now() + 200)).toBe(false);
    await sender.stop();
    expect(unacknowledged(totals)).toBe(2);
  });

  it('logs every attempt and every acknowledged reading in canonical units', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'atrium-log-'));
    try {
      const gateway = await scriptedGateway([
        answer(503),
        answer(200, { refused: [{ channel: 'humidity' }] }),
      ]);
      server = gateway.server;
      const log = createSendLog(join(folder, 'log'));
      const sender = createSender({ origin: gateway.origin, totals: createTotals(), log });
      sender.submit(buildMessage());
      await sender.drained(Date.now() + 10_000);
      await sender.stop();
      log.close();
      const lines = readFileSync(join(folder, 'log'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(lines.map(({ event, quantity }) => `${event} ${quantity}`)).toEqual([
        'sent AIR_TEMPERATURE',
        'sent RELATIVE_HUMIDITY',
        'sent AIR_TEMPERATURE',
        'sent RELATIVE_HUMIDITY',
        'acknowledged AIR_TEMPERATURE',
      ]);
      expect(lines[0]).toMatchObject({
        deviceId: 'dev_1',
        value: 21.5,
        observedAt: '2026-09-21T14:13:20.000Z',
      });
      expect(Date.parse(lines[4]!.at as string)).toBeGreaterThan(Date.now() - 60_000);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
