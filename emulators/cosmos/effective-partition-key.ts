import { type KeyComponent, type PartitionKeyDefinition } from './partition-key';

/**
 * A partition key's place in the space that Cosmos divides among physical partitions, as the SDK computes it: for V2
 * and hierarchical keys MurmurHash3 (128 bits, x64) over the typed bytes of a component, in hex, most significant
 * byte first with its two top bits cleared; a hierarchical key is its components' hashes one after the other.
 *
 * Needed only where a client asks for a range of that space, as it does for a prefix of a hierarchical key. V1
 * containers have one range, and no client asks for a part of it.
 */
export function effectivePartitionKey(pk: string, definition: PartitionKeyDefinition): string {
  const components = (JSON.parse(pk) as (KeyComponent | Record<string, never>)[]).map((each) =>
    typeof each === 'object' && each !== null ? undefined : (each as KeyComponent),
  );
  if (definition.kind === 'MultiHash') return components.map((each) => hashed(typedBytes(each))).join('');
  return hashed(Buffer.concat(components.map(typedBytes)));
}

function typedBytes(component: KeyComponent): Buffer {
  if (component === undefined) return Buffer.from([0x00]);
  if (component === null) return Buffer.from([0x01]);
  if (typeof component === 'boolean') return Buffer.from([component ? 0x03 : 0x02]);
  if (typeof component === 'number') {
    const bytes = Buffer.alloc(9);
    bytes[0] = 0x05;
    bytes.writeDoubleLE(component, 1);
    return bytes;
  }
  return Buffer.concat([Buffer.from([0x08]), Buffer.from(component, 'utf8'), Buffer.from([0xff])]);
}

function hashed(bytes: Buffer): string {
  const [h1, h2] = murmur128(bytes);
  const out = Buffer.alloc(16);
  // The function's second half comes first.
  out.writeBigUInt64BE(h2, 0);
  out.writeBigUInt64BE(h1, 8);
  out[0]! &= 0x3f;
  return out.toString('hex').toUpperCase();
}

const MASK = (1n << 64n) - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

function finalMix(value: bigint): bigint {
  let k = value;
  k = ((k ^ (k >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  k = ((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return k ^ (k >> 33n);
}

/** MurmurHash3_x64_128 with seed 0 (Austin Appleby, public domain). */
function murmur128(bytes: Buffer): [bigint, bigint] {
  let h1 = 0n;
  let h2 = 0n;
  const blocks = Math.floor(bytes.length / 16);
  for (let i = 0; i < blocks; i++) {
    const k1 = bytes.readBigUInt64LE(i * 16);
    const k2 = bytes.readBigUInt64LE(i * 16 + 8);
    h1 ^= (rotate((k1 * C1) & MASK, 31n) * C2) & MASK;
    h1 = (((rotate(h1, 27n) + h2) & MASK) * 5n + 0x52dce729n) & MASK;
    h2 ^= (rotate((k2 * C2) & MASK, 33n) * C1) & MASK;
    h2 = (((rotate(h2, 31n) + h1) & MASK) * 5n + 0x38495ab5n) & MASK;
  }
  const tail = Buffer.alloc(16);
  bytes.copy(tail, 0, blocks * 16);
  const rest = bytes.length - blocks * 16;
  if (rest > 8) h2 ^= (rotate((tail.readBigUInt64LE(8) * C2) & MASK, 33n) * C1) & MASK;
  if (rest > 0) h1 ^= (rotate((tail.readBigUInt64LE(0) * C1) & MASK, 31n) * C2) & MASK;
  const length = BigInt(bytes.length);
  h1 ^= length;
  h2 ^= length;
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  h1 = finalMix(h1);
  h2 = finalMix(h2);
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  return [h1, h2];
}
