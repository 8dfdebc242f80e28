import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import WebSocket from 'ws';
import { DOCUMENT } from './fanout.document';

/**
 * The subscribers of the fan-out's bench, in a process of their own. They read of a result what its delivery took and
 * nothing else: what a client costs is not measured.
 */
export type ClientOrder =
  | { order: 'connect'; url: string; building: string; tokens: string[]; subscribers: number }
  /** Answered once every subscriber has so many results more, with how long each took. */
  | { order: 'await'; results: number };

const AT_ONCE = 50;
const AS_OF = '"asOf":"';
/** Characters of an instant. */
const INSTANT = 24;

let open = 0;
let received = 0;
let latencies: number[] = [];
let expected = Infinity;

/** @returns what may be the beginning of the next result. */
function look(text: string): string {
  let begin = 0;
  for (;;) {
    const at = text.indexOf(AS_OF, begin);
    if (at < 0) return text.slice(Math.max(begin, text.length - AS_OF.length));
    if (text.length < at + AS_OF.length + INSTANT) return text.slice(at);
    begin = at + AS_OF.length + INSTANT;
    latencies.push(Date.now() - Date.parse(text.slice(at + AS_OF.length, begin)));
    if (++received === expected) tell();
  }
}

function tell(): void {
  process.send!({ latencies });
  latencies = [];
  received = 0;
  expected = Infinity;
}

/** A round would wait for it for ever. */
function lose(why: string): never {
  process.stderr.write(`a subscriber was lost: ${why}\n`);
  process.exit(1);
}

/** By server-sent events: a request of its own. */
function stream(url: string, building: string, token: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: 'POST',
      agent: false,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'text/event-stream',
        'content-type': 'application/json',
      },
    });
    asked.once('error', reject);
    asked.once('response', (response) => {
      let rest = '';
      response.on('data', (data: Buffer) => (rest = look(rest + data.toString('latin1'))));
      response.once('close', () => lose(`a stream of status ${response.statusCode} ended`));
      open++;
      resolve();
    });
    asked.end(JSON.stringify({ query: DOCUMENT, variables: { building } }));
  });
}

function connect(url: string, building: string, token: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
    socket.once('error', reject);
    socket.once('close', (code, reason) => lose(`closed with ${code} ${String(reason)}`));
    socket.once('open', () => {
      const payload = token === undefined ? {} : { Authorization: `Bearer ${token}` };
      socket.send(JSON.stringify({ type: 'connection_init', payload }));
    });
    socket.once('message', () => {
      socket.on('message', (data: Buffer) => look(data.toString('latin1')));
      const payload = { query: DOCUMENT, variables: { building } };
      socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload }));
      open++;
      resolve();
    });
  });
}

process.on('disconnect', () => process.exit());
process.on('message', (order: ClientOrder) => {
  void (async () => {
    if (order.order === 'await') {
      expected = open * order.results;
      if (received >= expected) tell();
      return;
    }
    const subscribe = order.url.startsWith('http') ? stream : connect;
    for (let n = open; n < order.subscribers; n += AT_ONCE) {
      const part = Math.min(AT_ONCE, order.subscribers - n);
      await Promise.all(
        Array.from({ length: part }, (_, i) => subscribe(order.url, order.building, order.tokens[n + i])),
      );
    }
    process.send!('connected');
  })();
});
