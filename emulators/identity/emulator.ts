import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { listenError, OperatorError } from '../../src/observability/operator-error';
import { loadKeys } from './keys';
import { DEMO_PEOPLE, demoPersonByEmail } from './people';
import { createProvider, isLoopback } from './provider';
import { messagePage, signInPage } from './sign-in.page';

export interface IdentityEmulator {
  /** Resolves once tokens are issued. Port 0 binds a free one. */
  start(): Promise<{ issuer: string }>;
  stop(): Promise<void>;
}

const MAXIMUM_FORM_BYTES = 4_096;

/**
 * A stand-in for an identity provider, with the demo people and no passwords. Since anybody who reaches it is whoever
 * they say, it listens on a loopback address only and answers only to loopback names (a web page that has its own name
 * resolve to 127.0.0.1 gets nothing).
 */
export function createIdentityEmulator(options: {
  host: string;
  port: number;
  dataDir: string;
  redirectUris?: readonly string[];
}): IdentityEmulator {
  const { host, port, dataDir } = options;
  const redirectUris = options.redirectUris ?? [
    'http://127.0.0.1/graphql',
    'http://127.0.0.1/callback',
    'http://localhost/graphql',
    'http://localhost/callback',
  ];
  const server = createServer();
  return {
    async start() {
      if (!isLoopback(host)) {
        throw new OperatorError(`it signs anybody in and so listens on 127.0.0.1 only, not on ${host}`);
      }
      const keys = await loadKeys(dataDir);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) => reject(listenError(error, 'The provider', host, port)));
        server.listen(port, host, resolve);
      });
      // The issuer names the port, and the port is known only now when a free one was asked for.
      const issuer = `http://${host === '::1' ? '[::1]' : host}:${(server.address() as AddressInfo).port}`;
      const provider = await createProvider({ issuer, keys, redirectUris });
      const answer = provider.callback();
      server.on('request', (request, response) => {
        const path = (request.url ?? '/').split('?', 1)[0]!;
        if (!isLoopback(nameOf(request))) {
          sendPage(response, 421, messagePage('Not here', 'This provider answers on 127.0.0.1 only.'));
        } else if (path.startsWith('/interaction/')) {
          interaction(request, response).catch((error: unknown) => {
            // An interaction that is unknown or over: the person begins again where they came from.
            sendPage(response, 400, messagePage('Please begin again', (error as Error).message));
          });
        } else {
          void answer(request, response);
        }
      });

      async function interaction(request: IncomingMessage, response: ServerResponse): Promise<void> {
        const { uid } = await provider.interactionDetails(request, response);
        if (request.method !== 'POST') return sendPage(response, 200, signInPage(uid, DEMO_PEOPLE));
        const form = new URLSearchParams(await bodyOf(request));
        const person = demoPersonByEmail(form.get('user') ?? '');
        if (person === undefined) return sendPage(response, 400, signInPage(uid, DEMO_PEOPLE));
        await provider.interactionFinished(request, response, { login: { accountId: person.subject } });
      }

      return { issuer };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function nameOf(request: IncomingMessage): string {
  return (request.headers.host ?? '').replace(/:\d+$/, '');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) {
    body += String(chunk);
    if (body.length > MAXIMUM_FORM_BYTES) throw new Error('the form is too large');
  }
  return body;
}

function sendPage(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
  response.end(html);
}
