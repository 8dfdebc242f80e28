import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import {
  API_RESOURCE,
  createIdentityEmulator,
  DEMO_PEOPLE,
  type IdentityEmulator,
} from '../../../emulators/identity';

describe('the identity emulator', () => {
  let dataDir: string;
  let emulator: IdentityEmulator;
  let issuer: string;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'atrium-identity-'));
    emulator = createIdentityEmulator({ host: '127.0.0.1', port: 0, dataDir });
    ({ issuer } = await emulator.start());
  });
  afterEach(async () => {
    await emulator.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const postToken = (form: Record<string, string>): Promise<Response> =>
    fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
  const demoToken = (user: string): Promise<Response> =>
    postToken({ grant_type: 'urn:atrium:demo-person', client_id: 'atrium-cli', user });

  it('gives the command line an hour-long token for every demo person, for the API alone', async () => {
    for (const person of DEMO_PEOPLE) {
      const response = await demoToken(person.email);
      expect(response.status).toBe(200);
      const answer = (await response.json()) as { access_token: string; expires_in: number };
      expect(answer.expires_in).toBe(3_600);
      const { payload } = await jwtVerify(
        answer.access_token,
        createRemoteJWKSet(new URL(`${issuer}/jwks`)),
        { issuer, audience: API_RESOURCE },
      );
      expect(payload).toMatchObject({ sub: person.subject, email: person.email, scope: 'api' });
      expect(payload.exp! - payload.iat!).toBe(3_600);
    }
  });

  it('names the demo people when asked for anybody else', async () => {
    const response = await demoToken('mallory@north.example');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringContaining('owner@north.example') as string,
    });
  });

  it('refuses a token for any other resource', async () => {
    const response = await fetch(
      `${issuer}/auth?${new URLSearchParams({
        client_id: 'atrium-web',
        response_type: 'code',
        redirect_uri: 'http://127.0.0.1:4000/graphql',
        scope: 'openid',
        resource: 'https://other.example/',
        code_challenge: createHash('sha256').update('x').digest('base64url'),
        code_challenge_method: 'S256',
      }).toString()}`,
      { redirect: 'manual' },
    );
    expect(response.status).toBe(303);
    expect(new URL(response.headers.get('location')!).searchParams.get('error')).toBe('invalid_target');
  });

  it('keeps its keys over a restart, so that tokens stay valid', async () => {
    const { access_token: token } = (await (await demoToken('owner@north.example')).json()) as {
      access_token: string;
    };
    await emulator.stop();
    const { port } = new URL(issuer);
    emulator = createIdentityEmulator({ host: '127.0.0.1', port: Number(port), dataDir });
    expect((await emulator.start()).issuer).toBe(issuer);
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
    await expect(jwtVerify(token, keys, { issuer, audience: API_RESOURCE })).resolves.toBeDefined();
  });

  it('serves no private key', async () => {
    const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(1);
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(keys[0]).not.toHaveProperty(secret);
  });

  it('signs a person in on a page, with an authorization code and PKCE', async () => {
    const browser = cookieJar();
    const verifier = randomBytes(32).toString('base64url');
    const redirectUri = 'http://127.0.0.1:4000/graphql';
    const authorize = new URL(`${issuer}/auth`);
    authorize.search = new URLSearchParams({
      client_id: 'atrium-web',
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: 'openid email api',
      resource: API_RESOURCE,
      state: 'state-1',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }).toString();

    const toPage = await browser.fetch(authorize);
    expect(toPage.status).toBe(303);
    const page = await browser.fetch(new URL(toPage.headers.get('location')!, issuer));
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).toContain('no password');
    const action = /action="([^"]+)"/.exec(html)![1]!;

    const signedIn = await browser.fetch(new URL(action, issuer), {
      method: 'POST',
      body: new URLSearchParams({ user: 'viewer@north.example' }),
    });
    expect(signedIn.status).toBe(303);
    const back = await browser.fetch(new URL(signedIn.headers.get('location')!, issuer));
    expect(back.status).toBe(303);
    const returned = new URL(back.headers.get('location')!);
    expect(`${returned.origin}${returned.pathname}`).toBe(redirectUri);
    expect(returned.searchParams.get('state')).toBe('state-1');

    const exchange = {
      grant_type: 'authorization_code',
      client_id: 'atrium-web',
      code: returned.searchParams.get('code')!,
      redirect_uri: redirectUri,
    };
    const wrong = await postToken({ ...exchange, code_verifier: randomBytes(32).toString('base64url') });
    expect(wrong.status).toBe(400);

    const response = await postToken({ ...exchange, code_verifier: verifier });
    // A code that was presented with a wrong verifier is still good for its owner.
    expect(response.status).toBe(200);
    const tokens = (await response.json()) as { access_token: string; id_token: string };
    expect(decodeProtectedHeader(tokens.access_token).alg).toBe('RS256');
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      aud: API_RESOURCE,
      email: 'viewer@north.example',
      sub: 'demo-north-viewer',
    });
    expect(decodeJwt(tokens.id_token).aud).toBe('atrium-web');
  });

  it('asks the person to begin again when a sign-in is unknown or over', async () => {
    const response = await fetch(`${issuer}/interaction/unknown`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('Please begin again');
  });

  it('answers to loopback names only, so that a foreign page cannot reach it under its own name', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      httpRequest(`${issuer}/.well-known/openid-configuration`, { headers: { host: 'evil.example' } })
        .once('response', (response) => {
          response.resume();
          resolve(response.statusCode!);
        })
        .once('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });

  it('lets pages on this machine read its answers, and no other page', async () => {
    const ask = async (origin: string): Promise<string | null> => {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({
          grant_type: 'urn:atrium:demo-person',
          client_id: 'atrium-cli',
          user: 'viewer@north.example',
        }),
      });
      return response.headers.get('access-control-allow-origin');
    };
    expect(await ask('http://127.0.0.1:4000')).toBe('http://127.0.0.1:4000');
    expect(await ask('https://evil.example')).toBeNull();
  });

  it('refuses to listen where others could reach it', async () => {
    const open = createIdentityEmulator({ host: '0.0.0.0', port: 0, dataDir });
    await expect(open.start()).rejects.toThrow('listens on 127.0.0.1 only');
  });

  it('says in one sentence that its port is taken', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    try {
      const second = createIdentityEmulator({ host: '127.0.0.1', port, dataDir });
      await expect(second.start()).rejects.toThrow(`127.0.0.1:${port}, the port is in use`);
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  it('says what to do about damaged keys', async () => {
    await writeFile(join(dataDir, 'keys.json'), '{"jwks":');
    const second = createIdentityEmulator({ host: '127.0.0.1', port: 0, dataDir });
    await expect(second.start()).rejects.toThrow(/are damaged: restore them, or remove the file/);
  });
});

/** As much of a browser as a sign-in needs: it keeps cookies and shows redirects. */
function cookieJar(): { fetch(url: URL, init?: RequestInit): Promise<Response> } {
  const cookies = new Map<string, string>();
  return {
    async fetch(url, init) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
      for (const line of response.headers.getSetCookie()) {
        const [pair] = line.split(';');
        const [name, ...value] = pair!.split('=');
        cookies.set(name!, value.join('='));
      }
      return response;
    },
  };
}
