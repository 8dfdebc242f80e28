import { type ReceivedEventData } from '@azure/event-hubs';
import { explain, type Logger } from '../observability/logger';
import { hourOf } from '../store/landing-path';
import { type OwnedPartition, type PartitionProcessor } from '../stream/consumer';
import { readEvent } from './dead-letter';
import { createHeldEvents, type HeldEvent } from './held-events';
import { type InTurn } from './in-turn';
import { encodeLanding } from './landing-file';
import { type LandingStore } from './landing-store';
import { type IngestMetrics } from './metrics';
import { retryUntil } from './retry';

export interface FlushLimits {
  /** Readings of one file. */
  rows: number;
  /** Memory that the events of all partitions may hold together; each owned partition has an equal share. */
  bytes: number;
  /** How long an event may wait for its file. */
  milliseconds: number;
}

export interface LandingChain extends PartitionProcessor {
  /** When the oldest event held was enqueued; null when none is held. */
  oldestHeldAt(): number | null;
  /** Memory that the events take that are held: at most its share of `FlushLimits.bytes` and one event more. */
  heldBytes(): number;
  /** Why files cannot be written now; null when they can. */
  trouble(): string | null;
}

/**
 * Where the stream was found not to hold what comes next, by incarnation and partition: the sequence that was missing.
 * Kept by the worker over closing and opening.
 */
export type KnownHoles = Map<string, number>;

const CLOSE_MS = 6_000;

/**
 * Lands the events of one partition.
 *
 * The invariant: the files of a partition (of one incarnation) form a chain. Each begins at the event behind the last
 * of the one before, and every event of the stream is in exactly one. It holds by induction, whoever writes:
 *
 * - A file's name is a function of its first event, and it is created only where it does not exist. So at most one file
 *   begins at any event.
 * - A writer's next file begins at a place of the chain (`next` while nothing is held): behind a checkpoint, which is
 *   only ever the end of a file; behind a file that it created or met; or at the first event that the stream holds when
 *   there is no file yet. Meeting a file (409) it drops what that file covers and goes on behind its end, so that it
 *   follows the chain that stands, whatever it would have written. It never begins before the guarded head
 *   (`src/store/heads.ts`), behind which files are gone because they are curated.
 * - Checkpoints follow files, so one that is lost, late or rolled back only leads to meeting files again. Where it is so
 *   old that the stream no longer holds what follows, the place comes from the files themselves (`chainEnd`).
 *
 * Hence crashes, two owners at once, and other flush limits than last time change where files end, never what they hold.
 * What is not covered: an owner that is suspended in the middle of an upload for longer than the stream's retention
 * while another crosses the hole it left.
 */
export function createLandingChain(options: {
  logger: Logger;
  metrics: IngestMetrics;
  owned: OwnedPartition;
  store: LandingStore;
  flush: FlushLimits;
  /** Among how many partitions `flush.bytes` is shared at present. */
  ownedPartitions: () => number;
  holes: KnownHoles;
  /** Files are laid out one after the other: what that takes is taken once, not once a partition. */
  encoding: InTurn;
}): LandingChain {
  const { metrics, owned, store, flush, holes, encoding } = options;
  const { partition, incarnation } = owned;
  const logger = options.logger.child({ partition });
  const held = createHeldEvents();
  const hole = `${incarnation}/${partition}`;

  /** The sequence behind what is held or landed: nothing before it is taken, nothing beyond it without crossing a gap. */
  let next = owned.checkpointedSequence < 0 ? undefined : owned.checkpointedSequence + 1;
  let heldSince = 0;
  /** The end of a file that was met and is not checkpointed yet, because its last event has not come by. */
  let uncheckpointed: number | null = null;
  /** The hub was made again: what comes now is of another incarnation, which has a chain of its own. */
  let over = false;
  /** Whether the guarded head was asked for. */
  let begun = false;
  /** Dead letters of a crashed writer can only stand at the place where its successor begins. */
  let swept = false;
  let trouble: string | null = null;

  const retrying = async <T>(
    what: 'blob' | 'stream',
    signal: AbortSignal,
    attempt: () => Promise<T>,
  ): Promise<T> => {
    const result = await retryUntil(signal, attempt, (error, attempts) => {
      metrics.retries.inc({ what });
      trouble = `partition ${partition}: ${explain(error)}`;
      logger.warn({ what, attempts, error: explain(error) }, 'waiting to write a landing file');
    });
    trouble = null;
    return result;
  };

  const checkpoint = async (event: HeldEvent['event']): Promise<void> => {
    uncheckpointed = null;
    try {
      await owned.checkpoint(event as ReceivedEventData);
    } catch (error) {
      // The next file's will do; until then a restart meets this file again.
      metrics.retries.inc({ what: 'checkpoint' });
      logger.warn({ error: explain(error) }, 'the checkpoint could not be stored');
    }
  };

  /** Drops what was received from another life of the hub, before any of it is written as this one's. */
  const keepThisIncarnation = async (signal: AbortSignal): Promise<void> => {
    const now = await retrying('stream', signal, () => owned.now());
    if (now.incarnation === incarnation) return;
    over = true;
    held.dropEnqueuedFrom(now.hubCreatedAt);
    logger.warn({ incarnation, now: now.incarnation }, 'the hub was made again: this chain ends here');
  };

  /** Lands all that is held, in one file or, where others wrote before us, behind theirs. */
  const landHeld = async (signal: AbortSignal): Promise<void> => {
    const stop = metrics.flushSeconds.startTimer();
    await keepThisIncarnation(signal);
    while (held.first() !== undefined) {
      const file = await encoding(() => encodeLanding(held, owned));
      const { summary, first, last } = file;
      const { outcome, lastSequence } = await retrying('blob', signal, () => store.create(file, signal));
      if (outcome === 'created') {
        metrics.files.inc();
        metrics.events.inc(summary.events);
        metrics.rows.inc(summary.rows);
        metrics.bytes.inc(file.readings.length + (file.deadLetters?.length ?? 0));
        for (const { code } of held.deadLetters()) metrics.deadLetters.inc({ code });
        const { firstSequence, events, rows, deadLetters } = summary;
        logger.debug({ firstSequence, lastSequence, events, rows, deadLetters }, 'landed');
      } else {
        metrics.adopted.inc();
        logger.info({ firstSequence: first.sequence, lastSequence, outcome }, 'landed before, by another');
      }
      // Before the head what stands under a file's name belongs to one that was curated and removed.
      if (!swept && outcome !== 'before the head') {
        const place = { ...summary, enqueuedAt: first.enqueuedAt };
        await retrying('blob', signal, () => store.sweepDeadLetters(place, lastSequence, signal));
        swept = true;
      }
      next = Math.max(next ?? 0, lastSequence + 1);
      const covered = held.events().findLast(({ sequence }) => sequence <= lastSequence) ?? last;
      const { event } = covered;
      held.dropThrough(lastSequence);
      // Only now: a checkpoint never runs ahead of the file that holds its event.
      if (covered.sequence === lastSequence) await checkpoint(event);
      else uncheckpointed = lastSequence;
    }
    stop();
  };

  /** Finds where the chain goes on when the stream does not hold what comes next, or nothing is known. */
  const findPlace = async (sequence: number, signal: AbortSignal): Promise<void> => {
    const end = await retrying('blob', signal, () => store.chainEnd(owned, signal));
    if (end >= (next ?? 0)) {
      logger.info({ from: next ?? null, to: end + 1 }, 'the landing files reach further than the checkpoint');
      next = end + 1;
    }
    if (next === undefined) {
      logger.info({ sequence }, 'no landing file yet: the chain begins at the oldest event of the stream');
      next = sequence;
    }
    if (sequence <= next) return;
    const { firstSequence } = await retrying('stream', signal, () => owned.now());
    if (firstSequence <= next && holes.get(hole) !== next) {
      // The stream holds them and we were not given them: read again from the checkpoint, and believe it then.
      holes.set(hole, next);
      throw new Error(`events ${next} to ${sequence - 1} of partition ${partition} did not arrive`);
    }
    metrics.gaps.inc();
    metrics.missingEvents.inc(sequence - next);
    logger.error({ from: next, to: sequence - 1 }, 'events are gone from the stream before they were landed');
    next = sequence;
  };

  /** Goes on behind the greater of checkpoint and head. */
  const begin = async (signal: AbortSignal): Promise<void> => {
    const head = await retrying('blob', signal, () => store.head(owned, signal));
    if (head >= (next ?? 0)) next = head + 1;
    begun = true;
  };

  const take = async (event: ReceivedEventData, signal: AbortSignal): Promise<void> => {
    const { sequenceNumber: sequence } = event;
    for (;;) {
      if (over) return;
      if (next !== undefined && sequence < next) {
        if (sequence === uncheckpointed) await checkpoint(event);
        return;
      }
      if (sequence !== next) {
        // A file holds no gap: what is held ends before it.
        if (held.first() !== undefined) await landHeld(signal);
        else await findPlace(sequence, signal);
        continue;
      }
      const first = held.first();
      if (first !== undefined && hourOf(first.enqueuedAt) !== hourOf(event.enqueuedTimeUtc.getTime())) {
        await landHeld(signal);
        continue;
      }
      break;
    }
    if (held.first() === undefined) heldSince = performance.now();
    held.append(event, readEvent(event));
    next = sequence + 1;
    if (held.rows() >= flush.rows || held.bytes() >= flush.bytes / Math.max(1, options.ownedPartitions())) {
      await landHeld(signal);
    }
  };

  return {
    async process(events) {
      try {
        if (!begun) await begin(owned.ended);
        for (const event of events) await take(event, owned.ended);
        if (held.first() !== undefined && performance.now() - heldSince >= flush.milliseconds) {
          await landHeld(owned.ended);
        }
      } catch (error) {
        // Ownership ended while waiting: `close` decides about what is held.
        if (!owned.ended.aborted) throw error;
      }
    },
    async close() {
      try {
        // Harmless when another owns the partition already: it meets our file, or we meet its.
        if (held.first() !== undefined) await landHeld(AbortSignal.timeout(CLOSE_MS));
      } catch (error) {
        // Handed back: nothing of it is checkpointed, so the next owner reads it again.
        logger.warn({ events: held.events().length, error: explain(error) }, 'handed back without landing');
      } finally {
        held.clear();
      }
    },
    oldestHeldAt: () => held.first()?.enqueuedAt ?? null,
    heldBytes: () => held.bytes(),
    trouble: () => trouble,
  };
}
