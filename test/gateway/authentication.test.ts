import fc from 'fast-check';
import { createDeviceAuthentication } from '../../src/gateway/authentication';
import { DEFAULT_LIMITS, type GatewayLimits } from '../../src/gateway/limits';
import { networkOf } from '../../src/gateway/made-up-ids';
import { parseSasToken } from '../../src/gateway/sas-token';
import { buildDevice, directoryOf, tokenOf } from './devices.support';

const NOW = Date.now();

function buildAuthentication(devices = [buildDevice()], limits: Partial<GatewayLimits> = {}) {
  const directory = directoryOf(devices);
  const authentication = createDeviceAuthentication({
    metrics: { lookup: () => undefined },
    directory,
    hostNames: ['hub.example:8080', '127.0.0.1'],
    limits: {
      ...DEFAULT_LIMITS,
      ...{ rememberedTokens: 100, lookupsInFlight: 2, lookedUpWithinMilliseconds: 5_000, ...limits },
    },
  });
  const codeOf = async (deviceId: string, token: string | undefined, now = NOW, remoteAddress?: string) =>
    (await authentication.authenticate(deviceId, token, now, { remoteAddress })).error?.code ?? 'taken';
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
      await authentication.authenticate(device.deviceId, tokenOf(device, { ttlSeconds: -600 }), NOW),
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

describe('ids that are made up', () => {
  const stranger = (): [string, string] => {
    const device = buildDevice();
    return [device.deviceId, tokenOf(device)];
  };
  /** Devices that exist and that the directory has to look up. */
  function build(limits: Partial<GatewayLimits>) {
    const devices = [buildDevice(), buildDevice()];
    const built = buildAuthentication(devices, { lookupsInFlight: 1_000, ...limits });
    for (const { deviceId } of devices) built.directory.forget(deviceId);
    return { ...built, devices };
  }

  test('are looked up at a rate by the address they come from, and at theirs from others', async () => {
    const { codeOf, directory, devices } = build({ madeUpIds: { perSecond: 0.01, burst: 3 } });
    for (let i = 0; i < 4; i++)
      expect(await codeOf(...stranger(), Date.now(), '10.0.0.1')).toBe('UNAUTHENTICATED');
    const asked = directory.lookups.length;
    expect(await codeOf(...stranger(), Date.now(), '10.0.0.1')).toBe('GATEWAY_BUSY');
    expect(directory.lookups).toHaveLength(asked);
    expect(await codeOf(...stranger(), Date.now(), '10.0.0.2')).toBe('UNAUTHENTICATED');
    // Not for ever, and what exists does not count.
    const later = Date.now() + 200_000;
    for (const device of devices) {
      expect(await codeOf(device.deviceId, tokenOf(device), later, '10.0.0.1')).toBe('taken');
    }
  });

  test('leave a few look-ups at once to devices that exist, wherever they all come from', async () => {
    const { codeOf, devices } = build({ madeUpIdsInAll: { perSecond: 0.01, burst: 3 } });
    for (let i = 0; i < 4; i++) await codeOf(...stranger(), Date.now(), `10.0.1.${i}`);
    const flood = Promise.all(
      Array.from({ length: 200 }, (_, i) => codeOf(...stranger(), Date.now(), `10.0.2.${i}`)),
    );
    expect((await flood).filter((code) => code === 'GATEWAY_BUSY')).toHaveLength(150);
    const [device] = devices as [(typeof devices)[0]];
    expect(await codeOf(device.deviceId, tokenOf(device), Date.now(), '10.0.3.1')).toBe('taken');
  });

  test.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:0DB8::9', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
    [undefined, undefined],
  ])('from %s count for %s', (address, network) => expect(networkOf(address)).toBe(network));
});
