import { type AmqpError } from 'rhea';
import {
  epochRequired,
  lowerEpoch,
  MAX_READERS,
  stolenBy,
  stolenFromNonEpoch,
  tooManyReaders,
} from './conditions';

/** A link that reads one partition for one consumer group. */
export interface Reader {
  /** The owner level, undefined for a reader without one. */
  epoch: number | undefined;
  close(error: AmqpError): void;
}

/**
 * Who reads what. A partition has, in a consumer group, either one reader with an epoch (owner level) or up to five
 * without. An epoch that is equal or higher takes the partition; a lower one, and a reader without one, are refused.
 * See https://learn.microsoft.com/azure/event-hubs/event-hubs-event-processor-host#epoch.
 */
export interface Readers {
  /** Admits the reader, disconnecting those it displaces, or says why not. `path` names partition and group. */
  admit(path: string, reader: Reader): AmqpError | undefined;
  leave(path: string, reader: Reader): void;
  count(): number;
}

export function createReaders(): Readers {
  const paths = new Map<string, Set<Reader>>();
  return {
    admit(path, reader) {
      const others = paths.get(path) ?? new Set();
      const owner = [...others].find((each) => each.epoch !== undefined);
      if (reader.epoch === undefined) {
        if (owner !== undefined) return epochRequired(owner.epoch!);
        if (others.size >= MAX_READERS) return tooManyReaders(path);
      } else {
        if (owner !== undefined && owner.epoch! > reader.epoch) return lowerEpoch(owner.epoch!, reader.epoch);
        for (const each of [...others]) {
          others.delete(each);
          each.close(
            each.epoch === undefined ? stolenFromNonEpoch(reader.epoch) : stolenBy(reader.epoch, each.epoch),
          );
        }
      }
      others.add(reader);
      paths.set(path, others);
      return undefined;
    },
    leave(path, reader) {
      const all = paths.get(path);
      all?.delete(reader);
      if (all?.size === 0) paths.delete(path);
    },
    count: () => [...paths.values()].reduce((sum, each) => sum + each.size, 0),
  };
}
