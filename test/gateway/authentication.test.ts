import fc from 'fast-check';
import { createDeviceAuthentication } from '../../src/gateway/authentication';
import { parseSasToken } from '../../src/gateway/sas-token';
import { buildDevice, directoryOf, tokenOf } from './devices.support';

const NOW = Date.now();

function buildAuthentication(
  devices = [buildDevice()],
  { rememberedTokens = 100, lookupsInFlight = 2, lookedUpWithinMilliseconds = 5_000 } = {},
) {
  const directory = directoryOf(devices);
  const authentication = createDeviceAuthentication({
    metrics: { lookup: () => undefined },
    directory,
    hostNames: ['hub.example:8080', '127.0.0.1'],
    lookupsInFlight,
    lookedUpWithinMilliseconds,
    rememberedTokens,
  });
  const codeOf = async (deviceId: string, token: string | undefined, now = NOW) =>
    (await authentication.authenticate(deviceId, token, now)).error?.code ?? 'taken';
  return { directory, authentication, codeOf, device: devices[0]! };
}

describe('SAS tokens of devices', () => {
  test.each([
    ['the primary key', { key: 0 }],
    ['the secondary key', { key: 1 }],
    ['a host name with a port', { host: 'hub.example:443' }],
    ['a host name in capitals', { host: 'Hub.Example' }],
  ])('one made with %s is taken, at once and again', async (_, how) => {
    const { codeOf, device } = buildAuthentication();
    const token = tokenOf(device, how);
    expect(await codeOf(device.deviceId, token)).toBe('taken');
    expect(await codeOf(device.deviceId, token)).toBe('taken');
  });

  test('a known device is authenticated without a promise, so that nothing waits', () => {
    const { authentication, device } = buildAuthentication();
    expect(authentication.authenticate(device.deviceId, tokenOf(device), NOW)).not.toBeInstanceOf(Promise);
  });

  test('unknown, foreign, forged, expired and misdirected are one answer', async () => {
    const other = buildDevice();
    const device = buildDevice();
    const { authentication } = buildAuthentication([device, other]);
    const unknown = buildDevice();
    const good = tokenOf(device);
    const answers = [
      await authentication.authenticate(unknown.deviceId, tokenOf(unknown), NOW),
      await authentication.authenticate(device.deviceId, tokenOf(other), NOW),
      await authentication.authenticate(device.deviceId, undefined, NOW),
      await authentication.authenticate(device.deviceId, 'Bearer x', NOW),
      await authentication.authenticate(device.deviceId, good.replace(/sig=.../, 'sig=AAA'), NOW),
      await authentication.authenticate(device.deviceId, good.replace(/se=\d+/, 'se=9999999999'), NOW),
      await authentication.authenticate(device.deviceId, tokenOf(device, { ttlSeconds: -1 }), NOW),
      await authentication.authenticate(device.deviceId, tokenOf(device, { host: 'elsewhere.example' }), NOW),
      await authentication.authenticate(device.deviceId, `${good}&skn=owner`, NOW),
      await authentication.authenticate(device.deviceId, good.replace(/&sig=[^&]+/, '&sig='), NOW),
    ];
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
  });

  test('a device signs for itself alone', async () => {
    const device = buildDevice();
    const other = buildDevice();
    const { codeOf } = buildAuthentication([device, other]);
    const { deviceId } = other;
    const forOther = tokenOf({ ...device, deviceId });
    expect(await codeOf(deviceId, forOther)).toBe('UNAUTHENTICATED');
    expect(await codeOf(device.deviceId, forOther)).toBe('UNAUTHENTICATED');
  });

  test('a token ends when it says, also one that is remembered', async () => {
    const { codeOf, device } = buildAuthentication();
    const token = tokenOf(device, { ttlSeconds: 60 });
    expect(await codeOf(device.deviceId, token)).toBe('taken');
    expect(await codeOf(device.deviceId, token, NOW + 61_000)).toBe('UNAUTHENTICATED');
  });

  test.each([
    ['SUSPENDED', 'DEVICE_SUSPENDED'],
    ['REGISTERED', 'DEVICE_REGISTERED'],
  ] as const)(
    'a %s device with a good token is told so, one with a bad token is not',
    async (state, code) => {
      const { codeOf, device } = buildAuthentication([buildDevice({ state })]);
      expect(await codeOf(device.deviceId, tokenOf(device))).toBe(code);
      expect(await codeOf(device.deviceId, tokenOf(buildDevice()))).toBe('UNAUTHENTICATED');
    },
  );

  test('a change of the device outdates what was remembered of it', async () => {
    const { codeOf, device, directory } = buildAuthentication();
    const token = tokenOf(device);
    expect(await codeOf(device.deviceId, token)).toBe('taken');
    directory.put({ ...device, state: 'SUSPENDED' });
    expect(await codeOf(device.deviceId, token)).toBe('DEVICE_SUSPENDED');
    directory.put({ ...device, state: 'RETIRED', keys: [] });
    expect(await codeOf(device.deviceId, token)).toBe('UNAUTHENTICATED');
    directory.put({ ...device, keys: [device.keys[1]!, device.keys[1]!] });
    expect(await codeOf(device.deviceId, token)).toBe('UNAUTHENTICATED');
  });

  test('what is remembered is bounded, and a forgotten token is checked again', async () => {
    const { codeOf, device } = buildAuthentication([buildDevice()], { rememberedTokens: 2 });
    const tokens = [1, 2, 3].map((hours) => tokenOf(device, { ttlSeconds: hours * 3600 }));
    for (const token of [...tokens, ...tokens]) expect(await codeOf(device.deviceId, token)).toBe('taken');
  });

  test('an unknown device is looked up only for somebody who could be it', async () => {
    const { codeOf, device, directory } = buildAuthentication();
    directory.forget(device.deviceId);
    await codeOf(device.deviceId, 'SharedAccessSignature nonsense');
    await codeOf(device.deviceId, tokenOf(device, { ttlSeconds: -1 }));
    await codeOf(device.deviceId, tokenOf(buildDevice()));
    expect(directory.lookups).toEqual([]);
    expect(await codeOf(device.deviceId, tokenOf(device))).toBe('taken');
    expect(directory.lookups).toEqual([device.deviceId]);
  });

  test('a registry that cannot be asked is said, and asked again next time', async () => {
    const { codeOf, device, directory } = buildAuthentication();
    directory.forget(device.deviceId);
    directory.failing = true;
    expect(await codeOf(device.deviceId, tokenOf(device))).toBe('DIRECTORY_UNAVAILABLE');
    directory.failing = false;
    expect(await codeOf(device.deviceId, tokenOf(device))).toBe('taken');
  });

  test('a registry that stays silent holds nobody longer than the limit', async () => {
    const { codeOf, device, directory } = buildAuthentication([buildDevice()], {
      lookedUpWithinMilliseconds: 20,
    });
    directory.forget(device.deviceId);
    directory.lookup = () => new Promise(() => undefined);
    expect(await codeOf(device.deviceId, tokenOf(device))).toBe('DIRECTORY_UNAVAILABLE');
  });

  test('lookups in flight are bounded', async () => {
    const devices = [buildDevice(), buildDevice(), buildDevice()];
    const { codeOf, directory } = buildAuthentication(devices, { lookupsInFlight: 2 });
    for (const each of devices) directory.forget(each.deviceId);
    const codes = await Promise.all(devices.map((each) => codeOf(each.deviceId, tokenOf(each))));
    expect(codes).toEqual(['taken', 'taken', 'GATEWAY_BUSY']);
  });

  test('no text makes the parser throw', () => {
    const good = tokenOf(buildDevice());
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(good.length), (junk, at) => {
        parseSasToken(good.slice(0, at) + junk + good.slice(at));
        parseSasToken(`SharedAccessSignature ${junk}`);
      }),
    );
  });
});
