import { randomBytes } from 'node:crypto';

/**
 * Resource ids as Cosmos lays them out: 4 bytes a database, 8 a container (the database's and 4 of its own, high bit
 * set), 16 a document (the container's and an 8-byte number), in base64 with '-' for '/'. The SDK checks that a
 * container's decodes to exactly 8 bytes before it keeps a session token.
 *
 * Databases and containers draw theirs at random, so that a container that was deleted and made again, or a wiped
 * data folder, is another container: the SDK then refuses a change feed continuation of the earlier one.
 */
export function newDatabaseRid(): string {
  const bytes = randomBytes(4);
  bytes[0]! &= 0x7f;
  return encode(bytes);
}

export function newContainerRid(databaseRid: string): string {
  const own = randomBytes(4);
  own[0]! |= 0x80;
  return encode(Buffer.concat([decode(databaseRid), own]));
}

/** A function that makes the ids of a container's documents from their numbers. */
export function documentRids(containerRid: string): (number: number) => string {
  const bytes = Buffer.alloc(16);
  decode(containerRid).copy(bytes, 0);
  return (number) => {
    bytes.writeBigUInt64LE(BigInt(number), 8);
    return encode(bytes);
  };
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('/', '-');
}

function decode(rid: string): Buffer {
  return Buffer.from(rid.replaceAll('-', '/'), 'base64');
}
