import { BATCH_HEADER, EVENT_HEADER } from './batch';
import { findInIndex, loadIndex, type Segment, type SegmentIndex, walk } from './segment';

/** Where a reader asks to begin. Positions past the end are refused before this is asked: see `start-position.ts`. */
export type StartPosition =
  | { kind: 'earliest' }
  | { kind: 'latest' }
  | { kind: 'sequence'; sequence: number; inclusive: boolean }
  | { kind: 'position'; position: number; inclusive: boolean }
  | { kind: 'time'; after: number };

/** The sequence number of the first event at or after a start position; the log's end where there is none yet. */
export async function locate(segments: readonly Segment[], start: StartPosition): Promise<number> {
  const oldest = segments[0];
  try {
    return await find(segments, start);
  } catch (error) {
    if (segments[0] === oldest) throw error;
    // Retention removed the file that was being read.
    return locate(segments, start);
  }
}

async function find(segments: readonly Segment[], start: StartPosition): Promise<number> {
  const first = segments[0]!.firstSequence;
  const end = segments[segments.length - 1]!.endSequence;
  switch (start.kind) {
    case 'earliest':
      return first;
    case 'latest':
      return end;
    case 'sequence':
      return Math.max(first, Math.min(end, start.inclusive ? start.sequence : start.sequence + 1));
    case 'position': {
      const segment = segments.findLast((each) => each.basePosition <= start.position);
      if (segment === undefined) return first;
      return findEvent(segment, 'positions', start.position - segment.basePosition, (_time, position) =>
        start.inclusive ? position >= start.position : position > start.position,
      );
    }
    case 'time': {
      const segment = segments.find((each) => each.lastTime > start.after);
      if (segment === undefined) return end;
      return findEvent(segment, 'times', start.after, (time) => time > start.after);
    }
  }
}

/** The first event of a segment that `matches`, or the segment's end. */
async function findEvent(
  segment: Segment,
  column: keyof SegmentIndex,
  value: number,
  matches: (enqueuedTime: number, position: number) => boolean,
): Promise<number> {
  const index = await loadIndex(segment);
  // Equal times can begin before the indexed batch; positions cannot.
  const from = findInIndex(index, column, column === 'times' ? value - 1 : value);
  let found = segment.endSequence;
  await walk(segment, from, (header, position, buffer, at) => {
    let entry = at + BATCH_HEADER;
    for (let i = 0; i < header.count; i += 1) {
      if (matches(header.enqueuedTime, segment.basePosition + position + (entry - at))) {
        found = header.firstSequence + i;
        return false;
      }
      entry += EVENT_HEADER + buffer.readUInt32BE(entry);
    }
    return true;
  });
  return found;
}
