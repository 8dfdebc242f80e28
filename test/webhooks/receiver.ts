import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface Received {
  id: string;
  type: string;
  body: string;
  verified: boolean;
}

/** A tenant's own server: it checks signatures as Standard Webhooks says, and answers as a test wants it to. */
export async function startReceiver() {
  const received: Received[] = [];
  const answer = { with: (_request: IncomingMessage, response: ServerResponse): void => void response.end() };
  let secret = '';
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const id = String(request.headers['webhook-id']);
      received.push({
        id,
        type: (JSON.parse(body) as { type: string }).type,
        body,
        verified: verifies(secret, request.headers, body),
      });
      answer.with(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://hook.example.test:${port}/alerts`,
    received,
    answer,
    useSecret: (text: string) => (secret = text),
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

export function verifies(secret: string, headers: IncomingMessage['headers'], body: string): boolean {
  const timestamp = Number(headers['webhook-timestamp']);
  if (Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const expected = createHmac('sha256', key)
    .update(`${String(headers['webhook-id'])}.${timestamp}.${body}`)
    .digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .some((each) => {
      const [version, text = ''] = each.split(',');
      const given = Buffer.from(text, 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
}
