import { partitionOf } from '../domain/partition';
import { type Reading, type RefusedReading } from '../domain/reading';
import { type StreamProducer } from '../stream/producer';
import { createLane, type Lane, type LaneObserver } from './lane';
import { createSubmissions, type Settled } from './submission';

/** Packs the readings of many requests into frames, a lane a partition, and sends them. */
export interface Packer {
  /**
   * Resolves once Event Hubs has accepted every frame that holds these readings, in their order; rejects with a
   * `NotAcceptedError` when that is not known within the deadline. Nothing of a rejected submission is certain: it may be
   * stored all the same, and its sender sends again.
   */
  submit(readings: readonly Reading[], refused: readonly RefusedReading[]): Promise<void>;
  /** The same for whoever has thousands of them: told in a later turn, once, without a promise. */
  hand(readings: readonly Reading[], refused: readonly RefusedReading[], settled: Settled): void;
  /** Of frames that are open, waiting or being sent. */
  bytesInFlight(): number;
  /** Sends what is open and resolves once nothing is in flight or the deadline of each has passed. */
  drain(): Promise<void>;
}

export { NotAcceptedError } from './submission';

export function createPacker(options: {
  producer: Pick<StreamProducer, 'send' | 'partitionCount'>;
  lingerMilliseconds: number;
  acceptedWithinMilliseconds: number;
  observer?: LaneObserver;
}): Packer {
  const { producer } = options;
  // By partition. A hub that was made again with more partitions gets further lanes; one with fewer leaves some idle.
  const lanes: Lane[] = [];
  const submissions = createSubmissions();

  // Lanes that send in one turn share a write, and mostly the answers' reading: soon all of them keep one time.
  const onDue = (): void => {
    for (const lane of lanes) lane?.sendAlong();
  };

  const laneOf = (partition: number): Lane =>
    (lanes[partition] ??= createLane({
      send: (schema, bodies, properties) => producer.send(partition, schema, bodies, properties),
      lingerMilliseconds: options.lingerMilliseconds,
      acceptedWithinMilliseconds: options.acceptedWithinMilliseconds,
      onDue,
      register: submissions,
      ...(options.observer ? { observer: options.observer } : {}),
    }));

  const hand = (readings: readonly Reading[], refused: readonly RefusedReading[], settled: Settled): void => {
    const submission = submissions.begin(settled);
    const { partitionCount } = producer;
    // Nearly always one building a request: its readings go to its lane together, in runs where there are several.
    let start = 0;
    for (let i = 1; i <= readings.length; i++) {
      if (i < readings.length && readings[i]!.buildingId === readings[start]!.buildingId) continue;
      const lane = laneOf(partitionOf(readings[start]!.buildingId, partitionCount));
      lane.add(readings, start, i, submission);
      start = i;
    }
    for (const each of refused) {
      laneOf(partitionOf(each.buildingId || each.tenantId, partitionCount)).refuse(each, submission);
    }
    submissions.leave(submission);
  };

  return {
    hand,
    submit: (readings, refused) =>
      new Promise((resolve, reject) =>
        hand(readings, refused, (error) => (error === undefined ? resolve() : reject(error))),
      ),
    bytesInFlight: () => lanes.reduce((sum, lane) => sum + lane.bytes(), 0),
    async drain() {
      await Promise.all(lanes.map((lane) => lane.drain()));
    },
  };
}
