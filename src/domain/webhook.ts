import { BlockList, isIP } from 'node:net';

/** Webhooks a tenant may have at a time. */
export const MAXIMUM_WEBHOOKS = 20;
export const MAXIMUM_WEBHOOK_BUILDINGS = 100;
const MAXIMUM_URL = 2_000;

/**
 * Where nobody may send us to: addresses that are not of one host on the public internet (IANA's special-purpose registries
 * for IPv4 and IPv6, multicast), because what they name lies in our own network, or in none.
 */
const REFUSED_4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** Of the only block from which addresses of hosts are given, 2000::/3, what is none of them: Teredo, 6to4, and the like. */
const REFUSED_6: readonly [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

const refused = new BlockList();
for (const [network, bits] of REFUSED_4) refused.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of REFUSED_6) refused.addSubnet(network, bits, 'ipv6');
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');

/**
 * Whether an address may be connected to. What is not plainly a public host's is not: so IPv4 in IPv6 (mapped, 6to4, NAT64,
 * Teredo), which would reach an IPv4 address around this list, is refused as a whole.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !refused.check(address, 'ipv4');
    case 6:
      // A zone names an interface of ours.
      return !address.includes('%') && global6.check(address, 'ipv6') && !refused.check(address, 'ipv6');
    default:
      return false;
  }
}

/**
 * What is wrong with a webhook's address, or undefined. Which address its name stands for is looked up and judged at each
 * delivery, since it may be another by then.
 *
 * @param allowPrivate for tests and laptops: any address, and http.
 */
export function webhookUrlProblem(text: string, allowPrivate: boolean): string | undefined {
  if (text.length > MAXIMUM_URL) return `has ${text.length} characters and may have ${MAXIMUM_URL}`;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'is not an address such as https://example.com/hook';
  }
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:'))
    return 'must begin with https://';
  if (url.username !== '' || url.password !== '') return 'must not hold a name or password';
  if (url.hash !== '') return 'must not have a fragment';
  if (allowPrivate) return undefined;
  // Ports below are those of other protocols, to which a request could be made to say something.
  if (url.port !== '' && url.port !== '443' && Number(url.port) < 1024)
    return 'must use port 443, or 1024 and above';
  const host = hostOf(url);
  if (isIP(host) !== 0 && !isPublicAddress(host)) return 'must name a public host';
  // What has no dot, or one of these ends, is no public name.
  if (
    isIP(host) === 0 &&
    (!host.includes('.') || /\.(localhost|local|internal|home\.arpa)\.?$/i.test(host))
  ) {
    return 'must name a public host';
  }
  return undefined;
}

/** The host's name or address, without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
