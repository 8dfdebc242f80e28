/**
 * Request units by size, from the service's own table: an item of 1 KB costs 1 RU to read by id and 5 to write, one
 * of 100 KB 10 and 50 (https://learn.microsoft.com/azure/cosmos-db/optimize-cost-reads-writes); between and beyond,
 * a straight line. Writes there are priced with every property indexed, which is the default policy.
 */
const KILOBYTE = 1024;

function onLine(bytes: number, atOne: number, atHundred: number): number {
  const kilobytes = Math.max(1, bytes / KILOBYTE);
  return atOne + ((atHundred - atOne) * (kilobytes - 1)) / 99;
}

/** A read by id and partition key. */
export function readCharge(bytes: number): number {
  return rounded(onLine(bytes, 1, 10));
}

/** A create or delete. */
export function writeCharge(bytes: number): number {
  return rounded(onLine(bytes, 5, 50));
}

/** A replace, an upsert of what is there, or a patch: the old entries leave the index and the new ones enter. */
export function replaceCharge(before: number, after: number): number {
  return rounded(onLine(after, 5, 50) + onLine(before, 5, 50));
}

/** A query's page: a fixed share for its start, then what it loaded and what it sent. */
export function queryCharge(work: { examined: number; bytesExamined: number; bytesSent: number }): number {
  const START = 2.3;
  const EACH = 0.03;
  const KILOBYTE_EXAMINED = 0.1;
  const KILOBYTE_SENT = 0.05;
  return rounded(
    START +
      work.examined * EACH +
      (work.bytesExamined / KILOBYTE) * KILOBYTE_EXAMINED +
      (work.bytesSent / KILOBYTE) * KILOBYTE_SENT,
  );
}

/** A page of the change feed; one that found nothing costs what the smallest read does. */
export function feedCharge(bytes: number, items: number): number {
  return items === 0
    ? 1
    : rounded(1 + queryCharge({ examined: items, bytesExamined: bytes, bytesSent: bytes }) - 2.3);
}

/** A request that looked something up and refused, or read a database's or a container's properties. */
export const SMALL_CHARGE = 1;

/** Charges are answered in hundredths. */
export function rounded(charge: number): number {
  return Math.round(charge * 100) / 100;
}
