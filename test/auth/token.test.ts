import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createTokenVerifier, type TokenError } from '../../src/auth/token';
import { personId } from '../../src/domain/id';
import { freezeDate } from '../support/frozen-date';

const AUDIENCE = 'https://api.atrium.example/';

/** An issuer with a discovery document and keys that a test can turn over or take offline. */
async function buildIssuer() {
  const state = { kid: 'key-1', down: false, keyFetches: 0 };
  let pair = await generateKeyPair('ES256', { extractable: true });
  const server: Server = createServer((request, response) => {
    void (async () => {
      if (state.down) return response.writeHead(503).end();
      if (request.url === '/.well-known/openid-configuration') {
        return response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` }));
      }
      state.keyFetches++;
      const key = { ...(await exportJWK(pair.publicKey)), kid: state.kid, alg: 'ES256', use: 'sig' };
      response.end(JSON.stringify({ keys: [key] }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    state,
    async rotate(kid: string) {
      pair = await generateKeyPair('ES256', { extractable: true });
      state.kid = kid;
    },
    sign(claims: JWTPayload = {}, options: { alg?: string; kid?: string } = {}): Promise<string> {
      const now = Math.floor(Date.now() / 1_000);
      return new SignJWT({ sub: 'person-1', iss: issuer, aud: AUDIENCE, exp: now + 600, iat: now, ...claims })
        .setProtectedHeader({ alg: options.alg ?? 'ES256', kid: options.kid ?? state.kid })
        .sign(pair.privateKey);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

describe('the token verifier', () => {
  let source: Awaited<ReturnType<typeof buildIssuer>>;
  beforeEach(async () => {
    source = await buildIssuer();
  });
  afterEach(() => source.stop());

  const buildVerifier = (keysCooldownMilliseconds = 0) =>
    createTokenVerifier({
      issuers: [{ issuer: source.issuer }],
      audience: AUDIENCE,
      clockToleranceSeconds: 5,
      keysCooldownMilliseconds,
    });
  const refusal = async (token: string, verifier = buildVerifier()): Promise<string> =>
    verifier.verify(token).then(
      () => 'accepted',
      (error: TokenError) => error.code,
    );

  it('takes a person from issuer and subject, never from the email', async () => {
    const expiry = Math.floor(Date.now() / 1_000) + 300;
    const principal = await buildVerifier().verify(
      await source.sign({ email: 'someone@north.example', exp: expiry }),
    );
    expect(principal).toEqual({
      kind: 'person',
      id: personId(source.issuer, 'person-1'),
      email: 'someone@north.example',
      expiresAt: expiry * 1_000,
    });
  });

  it('refuses another audience, among them that of an ID token', async () => {
    expect(await refusal(await source.sign({ aud: 'atrium-web' }))).toBe('TOKEN_AUDIENCE_WRONG');
  });

  it('refuses an expired token, and one that is not valid yet, but for the clock tolerance', async () => {
    const now = Math.floor(Date.now() / 1_000);
    expect(await refusal(await source.sign({ exp: now - 10 }))).toBe('TOKEN_EXPIRED');
    expect(await refusal(await source.sign({ nbf: now + 60 }))).toBe('TOKEN_NOT_YET_VALID');
    expect(await refusal(await source.sign({ exp: now - 2 }))).toBe('accepted');
  });

  it('refuses an issuer that is not on the list', async () => {
    const other = await buildIssuer();
    try {
      expect(await refusal(await other.sign())).toBe('TOKEN_ISSUER_UNKNOWN');
    } finally {
      await other.stop();
    }
  });

  it('refuses a token that another signed in the name of an issuer on the list', async () => {
    const other = await buildIssuer();
    try {
      expect(await refusal(await other.sign({ iss: source.issuer }))).toBe('TOKEN_SIGNATURE_INVALID');
    } finally {
      await other.stop();
    }
  });

  it('refuses a token whose claims were changed', async () => {
    const [header, , signature] = (await source.sign()).split('.');
    const claims = { sub: 'person-2', iss: source.issuer, aud: AUDIENCE, exp: 9_999_999_999 };
    const forged = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    expect(await refusal(forged)).toBe('TOKEN_SIGNATURE_INVALID');
  });

  it('refuses symmetric signatures and none', async () => {
    const claims = { sub: 'person-1', iss: source.issuer, aud: AUDIENCE, exp: 9_999_999_999 };
    const symmetric = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32));
    expect(await refusal(symmetric)).toBe('TOKEN_ALGORITHM_REFUSED');
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    expect(await refusal(`${part({ alg: 'none' })}.${part(claims)}.`)).toBe('TOKEN_ALGORITHM_REFUSED');
  });

  it.each(['', 'garbage', 'a.b.c', 'x'.repeat(9_000)])('refuses what is no token (%#)', async (text) => {
    expect(await refusal(text)).toBe('TOKEN_MALFORMED');
  });

  it('refuses a token without subject or expiry', async () => {
    expect(await refusal(await source.sign({ sub: undefined }))).toBe('TOKEN_MALFORMED');
    expect(await refusal(await source.sign({ exp: undefined }))).toBe('TOKEN_MALFORMED');
  });

  it('follows the issuer when it rotates its keys', async () => {
    const verifier = buildVerifier();
    expect(await refusal(await source.sign(), verifier)).toBe('accepted');
    await source.rotate('key-2');
    expect(await refusal(await source.sign({ jti: 'second' }), verifier)).toBe('accepted');
  });

  it('fetches keys no oftener than the cool-down, however many forged key ids arrive', async () => {
    const verifier = buildVerifier(60_000);
    await verifier.verify(await source.sign());
    for (let i = 0; i < 5; i++) {
      expect(await refusal(await source.sign({}, { kid: `forged-${i}` }), verifier)).toBe(
        'TOKEN_SIGNATURE_INVALID',
      );
    }
    expect(source.state.keyFetches).toBe(1);
  });

  it('says that the keys cannot be fetched, and takes the token once they can', async () => {
    const verifier = buildVerifier();
    const token = await source.sign();
    source.state.down = true;
    expect(await refusal(token, verifier)).toBe('TOKEN_KEYS_UNAVAILABLE');
    source.state.down = false;
    expect(await refusal(token, verifier)).toBe('accepted');
  });

  it('remembers a verified token only until it ends', async () => {
    const verifier = createTokenVerifier({
      issuers: [{ issuer: source.issuer, jwksUri: `${source.issuer}/jwks` }],
      audience: AUDIENCE,
      clockToleranceSeconds: 0,
    });
    const expiry = Math.floor(Date.now() / 1_000) + 60;
    const token = await source.sign({ exp: expiry });
    expect(await refusal(token, verifier)).toBe('accepted');
    expect(await refusal(token, verifier)).toBe('accepted');
    freezeDate(expiry * 1_000 - 1);
    try {
      expect(await refusal(token, verifier)).toBe('accepted');
      jest.setSystemTime(expiry * 1_000);
      expect(await refusal(token, verifier)).toBe('TOKEN_EXPIRED');
    } finally {
      jest.useRealTimers();
    }
  });
});
