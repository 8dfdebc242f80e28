import { backoffMilliseconds } from '../../src/field-gateway/backoff';
import { judge } from '../../src/field-gateway/cloud';
import { createTokenSource, parseConnectionString } from '../../src/field-gateway/connection-string';
import { parseSasToken, signingKey } from '../../src/gateway/sas-token';

describe('what the cloud answers', () => {
  const refused = [{ messageIndex: 1, index: 0, channel: 'co2', code: 'UNKNOWN_CHANNEL', message: 'no' }];
  const error = (code: string) => JSON.stringify({ error: { code, message: 'why' } });

  test.each([
    ['204: it has all of it', 204, '', 'delivered'],
    ['200 with refusals: it has the rest as dead letters', 200, JSON.stringify({ refused }), 'delivered'],
    ['400 with refusals: it has all as dead letters', 400, JSON.stringify({ refused }), 'delivered'],
    ['400 in its own words, without refusals', 400, error('PAYLOAD_INVALID'), 'unacceptable'],
    ['413 in its own words', 413, error('PAYLOAD_TOO_LARGE'), 'unacceptable'],
    ['200 of somebody else', 200, '<html>Please sign in</html>', 'failed'],
    ['400 of somebody else', 400, 'Bad Request', 'failed'],
    ['a token that is not taken', 401, error('UNAUTHENTICATED'), 'failed'],
    ['a suspended gateway', 403, error('DEVICE_SUSPENDED'), 'failed'],
    ['a rate', 429, error('TENANT_RATE_EXCEEDED'), 'failed'],
    ['an outage', 503, error('STREAM_UNAVAILABLE'), 'failed'],
    ['a redirection', 302, '', 'failed'],
  ])('%s', (_, status, text, kind) => {
    expect(judge(status, text, undefined).kind).toBe(kind);
  });

  test('Retry-After is read in seconds and as a date, and bounded', () => {
    const wait = (value: unknown) => {
      const delivery = judge(503, '', value);
      return delivery.kind === 'failed' ? delivery.retryAfterMilliseconds : undefined;
    };
    expect(wait('7')).toBe(7_000);
    expect(wait(new Date(Date.now() + 60_000).toUTCString())).toBeGreaterThan(50_000);
    expect(wait('99999999')).toBe(600_000);
    expect(wait('soon')).toBe(0);
    expect(wait(undefined)).toBe(0);
  });

  test('the wait doubles up to its longest, at random between half and whole', () => {
    const limits = { first: 100, longest: 1_000 };
    expect([1, 2, 3, 9].map((failures) => backoffMilliseconds(failures, limits, () => 1))).toEqual([
      100, 200, 400, 1_000,
    ]);
    expect(backoffMilliseconds(1, limits, () => 0)).toBe(50);
  });
});

describe('the field gateway’s token', () => {
  const key = Buffer.alloc(32, 7);
  const text = `HostName=127.0.0.1:8080;DeviceId=dev_a;SharedAccessKey=${key.toString('base64')}`;

  test('is one that the cloud takes, is kept while it is good, and is renewed in time', () => {
    const tokens = createTokenSource(parseConnectionString(`${text}\n`));
    const now = Date.parse('2026-03-01T12:00:00Z');
    const token = tokens.token(now);
    const parsed = parseSasToken(token)!;
    expect(parsed).toMatchObject({ deviceId: 'dev_a', hostName: '127.0.0.1', expiresAt: now + 3_600_000 });
    expect(signingKey(parsed, [key])).toBe(key);
    expect(tokens.token(now + 2_900_000)).toBe(token);
    expect(tokens.token(now + 3_100_000)).not.toBe(token);
    expect(tokens.token(now - 10_000_000)).not.toBe(token);
  });

  test('a connection string that is none is not repeated in the error', () => {
    expect(() => parseConnectionString('HostName=a;SharedAccessKey=c2VjcmV0')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('c2VjcmV0') as string }),
    );
  });
});
