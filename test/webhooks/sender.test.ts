import { isPublicAddress, webhookUrlProblem } from '../../src/domain/webhook';
import { createSender } from '../../src/webhooks/sender';
import { DEFAULT_SCHEDULE, nextTryAfter } from '../../src/webhooks/schedule';
import { startReceiver } from './receiver';

describe('the address of a webhook', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
    '2600::1%eth0',
    'ff02::1',
    'nonsense',
    '',
  ])('%s is not connected to', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['8.8.8.8', '1.1.1.1', '100.63.255.255', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450::1'])(
    '%s is',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it('is one of https, of a public host, without a name or a port that is another protocol’s', () => {
    expect(webhookUrlProblem('https://example.com/hook?x=1', false)).toBeUndefined();
    expect(webhookUrlProblem('https://example.com:8443/', false)).toBeUndefined();
    for (const text of [
      'http://example.com/',
      'ftp://example.com/',
      'example.com',
      'https://user:pw@example.com/',
      'https://example.com/#x',
      'https://example.com:25/',
      'https://localhost/',
      'https://db.internal/',
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://[::1]/',
      'https://[::ffff:10.0.0.1]/',
      `https://example.com/${'x'.repeat(2_000)}`,
    ]) {
      expect([text, webhookUrlProblem(text, false)]).toEqual([text, expect.any(String)]);
    }
  });

  it('is looked up once, and refused where one of its addresses is not public', async () => {
    const receiver = await startReceiver();
    const answers = [
      [
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
      [{ address: '127.0.0.1', family: 4 }],
      [],
    ];
    let looked = 0;
    const sender = createSender({
      allowPrivate: false,
      timeoutMs: 500,
      resolve: async () => answers[looked++]!,
    });
    const url = `https://rebinding.example.com:${receiver.port}/`;
    for (const problem of ['not public', 'not public', 'no address']) {
      expect(await sender.send(url, {}, '{}')).toMatchObject({
        status: null,
        problem: expect.stringContaining(problem),
      });
    }
    expect(looked).toBe(3);
    expect(receiver.received).toEqual([]);
    await receiver.stop();
  });

  it('is that which was judged, though the name should stand for another a moment later', async () => {
    const receiver = await startReceiver();
    let looked = 0;
    // A documentation address that leads nowhere first; ours after it.
    const resolve = async () => [{ address: ++looked === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }];
    const sender = createSender({ allowPrivate: true, timeoutMs: 10_000, resolve });
    const url = `http://rebinding.example.com:${receiver.port}/`;
    const body = JSON.stringify({ type: 'alert.raised' });
    expect((await sender.send(url, {}, body)).problem).not.toBeNull();
    expect(looked).toBe(1);
    expect(receiver.received).toEqual([]);
    expect((await sender.send(url, {}, body)).status).toBe(200);
    await receiver.stop();
  });

  it('is tried for about a day, at growing distances that are never quite the same', () => {
    const total = DEFAULT_SCHEDULE.delays.reduce((sum, each) => sum + each, 0);
    expect(total).toBeGreaterThan(23 * 3_600_000);
    expect(total).toBeLessThan(27 * 3_600_000);
    for (const [index, delay] of DEFAULT_SCHEDULE.delays.entries()) {
      const next = nextTryAfter(DEFAULT_SCHEDULE, index + 1)!;
      expect(Math.abs(next - delay)).toBeLessThanOrEqual(delay * 0.2);
    }
    expect(nextTryAfter(DEFAULT_SCHEDULE, DEFAULT_SCHEDULE.delays.length + 1)).toBeNull();
  });
});
