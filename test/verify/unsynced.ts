import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

/** A repeatable source of numbers in [0, 1): mulberry32. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The synced length of each file, from the journal that a process wrote before its acknowledgements. */
export function readDurableJournal(path: string): Map<string, number> {
  const lengths = new Map<string, number>();
  if (!existsSync(path)) return lengths;
  const lines = readFileSync(path, 'utf8').split('\n');
  // What follows the last line feed was being written when the process died.
  for (const line of lines.slice(0, -1)) {
    const at = line.indexOf(' ');
    lengths.set(line.slice(at + 1), Number(line.slice(0, at)));
  }
  return lengths;
}

/**
 * Does to a file what a loss of power may do: its synced bytes stay, and of the rest some prefix stays while what
 * follows is gone, zeros, or other bytes. Returns how many bytes were dropped.
 */
export function losePower(path: string, synced: number, random: () => number): number {
  const length = statSync(path).size;
  const kept = synced + Math.floor((length - synced) * random() * random());
  if (kept >= length) return 0;
  const way = random();
  if (way < 0.5) {
    if (kept === 0) unlinkSync(path);
    else truncateSync(path, kept);
    return length - kept;
  }
  const rest = Buffer.alloc(length - kept);
  if (way > 0.75) for (let i = 0; i < rest.length; i += 1) rest[i] = Math.floor(random() * 256);
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, rest, 0, rest.length, kept);
  closeSync(descriptor);
  return length - kept;
}
