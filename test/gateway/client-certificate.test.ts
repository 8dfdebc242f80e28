import { X509Certificate } from 'node:crypto';
import { clientCertificate, createClientCertificates } from '../../src/gateway/client-certificate';
import {
  type Certificate,
  CLIENT_USAGE,
  createAuthority,
  selfSigned,
  SERVER_USAGE,
  thumbprintOf,
} from '../support/certificate';
import { buildDevice } from './devices.support';

const HOUR = 3_600_000;
const NOW = Date.now();
const certificates = createClientCertificates();
const read = ({ cert }: Certificate) => clientCertificate(new X509Certificate(cert));
const speaks = (
  certificate: Certificate,
  device: Parameters<typeof buildDevice>[0] & { deviceId?: string },
  now = NOW,
): boolean => {
  const built = { ...buildDevice(device), ...(device.deviceId && { deviceId: device.deviceId }) };
  return certificates.speaksFor(read(certificate), built.deviceId, built, now);
};

describe('a certificate that a device is registered with', () => {
  const mine = selfSigned({ commonName: 'whatever' });
  const other = selfSigned({ commonName: 'whatever' });

  test('is taken as the primary one and as the secondary, and another is not', () => {
    expect(speaks(mine, { thumbprints: [thumbprintOf(mine)] })).toBe(true);
    expect(speaks(mine, { thumbprints: [thumbprintOf(other), thumbprintOf(mine)] })).toBe(true);
    expect(speaks(other, { thumbprints: [thumbprintOf(mine)] })).toBe(false);
    expect(speaks(mine, {})).toBe(false);
    expect(speaks(mine, { thumbprints: [thumbprintOf(mine).slice(0, 62)] })).toBe(false);
    expect(speaks(mine, { thumbprints: [''] })).toBe(false);
  });

  test('is taken while it is valid', () => {
    const device = { thumbprints: [thumbprintOf(mine)] };
    expect(speaks(mine, device, NOW - 2 * HOUR)).toBe(false);
    expect(speaks(mine, device, NOW + 22 * HOUR)).toBe(true);
    expect(speaks(mine, device, NOW + 24 * HOUR)).toBe(false);
  });

  test('may be an authority of its own: most self-signed ones are', () => {
    const own = selfSigned({ commonName: 'x', isCa: true });
    expect(speaks(own, { thumbprints: [thumbprintOf(own)] })).toBe(true);
  });

  test('speaks for nobody who is unknown', () => {
    expect(certificates.speaksFor(read(mine), 'dev_x', null, NOW)).toBe(false);
  });
});

describe('a certificate from a device’s authority', () => {
  const factory = createAuthority('factory');
  const device = { deviceId: 'dev_abc', authority: factory.ca };
  const issue = (parts: Partial<Parameters<typeof factory.issue>[0]> = {}) =>
    factory.issue({ commonName: 'dev_abc', ...parts });

  test('is taken in the device’s name', () => {
    expect(speaks(issue(), device)).toBe(true);
    expect(speaks(issue({ usages: [CLIENT_USAGE] }), device)).toBe(true);
    expect(speaks(issue({ usages: [SERVER_USAGE, CLIENT_USAGE] }), device)).toBe(true);
  });

  test.each<[string, () => Certificate]>([
    ['another device’s name', () => issue({ commonName: 'dev_abd' })],
    ['its name in capitals', () => issue({ commonName: 'DEV_ABC' })],
    ['its name and more', () => issue({ commonName: 'dev_abc\n' })],
    ['a second name', () => issue({ commonName: 'dev_abc', alsoNamed: ['dev_abd'] })],
    ['a second name before its own', () => issue({ commonName: 'dev_abd', alsoNamed: ['dev_abc'] })],
    ['a certificate of an authority', () => issue({ isCa: true })],
    ['a server’s certificate', () => issue({ usages: [SERVER_USAGE] })],
    ['one that has expired', () => issue({ validFrom: -2 * HOUR, validFor: HOUR })],
    ['one that is not yet valid', () => issue({ validFrom: HOUR })],
    ['one that it signed itself', () => selfSigned({ commonName: 'dev_abc' })],
    [
      'one from an authority that only has the same name',
      () => createAuthority('factory').issue({ commonName: 'dev_abc' }),
    ],
    ['one from another authority', () => createAuthority('elsewhere').issue({ commonName: 'dev_abc' })],
    ['the authority’s own', () => ({ cert: factory.ca, key: '' })],
  ])('is refused for %s', (_what, certificate) => {
    expect(speaks(certificate(), device)).toBe(false);
  });

  test('is refused where the authority has expired, is none, or is no certificate', () => {
    const old = createAuthority('old', { validFrom: -2 * HOUR, validFor: HOUR });
    expect(speaks(old.issue({ commonName: 'dev_abc' }), { ...device, authority: old.ca })).toBe(false);
    const none = createAuthority('none', { isCa: false });
    expect(speaks(none.issue({ commonName: 'dev_abc' }), { ...device, authority: none.ca })).toBe(false);
    expect(speaks(issue(), { ...device, authority: 'nonsense' })).toBe(false);
  });

  test('is judged anew when the authority or the device is another', () => {
    const held = read(issue());
    const at = (authority: string, deviceId = 'dev_abc'): boolean =>
      certificates.speaksFor(held, deviceId, { ...buildDevice({ authority }), deviceId }, NOW);
    expect(at(factory.ca)).toBe(true);
    expect(at(factory.ca)).toBe(true);
    expect(at(createAuthority('factory').ca)).toBe(false);
    expect(at(factory.ca, 'dev_other')).toBe(false);
    expect(at(factory.ca)).toBe(true);
  });

  test('whose authority has a key that nobody can read is not taken, and fails nothing else', () => {
    const factory = createAuthority('factory');
    const der = Buffer.from(factory.ca.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    // Its key is of a kind that there is not: id-ecPublicKey (RFC 5480, 2.1.1) is another number now.
    const kind = der.indexOf(Buffer.from('2a8648ce3d0201', 'hex'));
    der[kind + 6] = 0x7f;
    const unreadable = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    const device = buildDevice({ authority: unreadable });
    const certificate = factory.issue({ commonName: device.deviceId });
    expect(certificates.speaksFor(read(certificate), device.deviceId, device, NOW)).toBe(false);
  });
});
