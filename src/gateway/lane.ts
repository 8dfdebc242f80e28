import { type Reading, type RefusedReading } from '../domain/reading';
import { explain } from '../observability/logger';
import { createFrameBuilder, FRAME_SCHEMA, MAXIMUM_FRAME_BYTES, REFUSED_PROPERTY } from '../stream/frame';
import { NotAcceptedError, type Submission, type Submissions } from './submission';

/** What a lane reports as it happens. */
export interface LaneObserver {
  sent(frames: number, bytes: number, milliseconds: number): void;
  /** Once a send: it was refused, or has not been answered in time and may yet be. */
  failed(error: unknown): void;
}

/**
 * The way into one partition: an open frame, closed ones that wait, and at most two sends under way. An idle lane sends
 * at once; a busy one gathers for the lingering time, so that the number of events follows the clock and not the number
 * of requests.
 *
 * Order: frames are sent in the order they were closed. Two sends may end in another order only where the first was
 * retried, and then none of its requests has been answered: to their devices it is as if they had been sent again.
 */
export interface Lane {
  /** Adds `readings[from..to)`, whole in one frame where they fit into one. */
  add(readings: readonly Reading[], from: number, to: number, submission: Submission): void;
  refuse(refused: RefusedReading, submission: Submission): void;
  bytes(): number;
  /** Sends what has gathered for half the lingering time or longer: together with other lanes it costs less. */
  sendAlong(): void;
  drain(): Promise<void>;
}

interface ClosedFrame {
  body: Buffer;
  refused: number;
  submissions: Submission[];
  openedAt: number;
}

const MAXIMUM_SENDS = 2;
/** Of one send; Event Hubs takes a mebibyte. */
const MAXIMUM_SEND_BYTES = 512 * 1024;
/** Upper estimates of what the frame codec adds for a row, for a point and its building, and around a refused reading. */
const ROW_BYTES = 24;
const POINT_BYTES = 320;
const REFUSED_BYTES = 512;
const LETTER_BYTES = 1024;
/** Points that one request is reckoned to bring at most when it is asked whether it fits. */
const USUAL_POINTS = 16;

export function createLane(options: {
  send: (
    schema: string,
    bodies: readonly Buffer[],
    properties: readonly Record<string, number>[],
  ) => Promise<void>;
  lingerMilliseconds: number;
  acceptedWithinMilliseconds: number;
  /** What lingered was sent: others may go along. */
  onDue?: () => void;
  /** Of the packer: a submission may join frames of several lanes. */
  register: Submissions;
  observer?: LaneObserver;
}): Lane {
  const { send, lingerMilliseconds, acceptedWithinMilliseconds, register, observer } = options;
  let builder = createFrameBuilder();
  let submissions: Submission[] = [];
  let openedAt = 0;
  const closed: ClosedFrame[] = [];
  let closedBytes = 0;
  let sendingBytes = 0;
  let sending = 0;
  let lastSendAt = 0;
  let lingering: NodeJS.Timeout | undefined;
  let expiring: NodeJS.Timeout | undefined;
  let pumpScheduled = false;
  let drained: (() => void)[] = [];

  const close = (): void => {
    const held = submissions;
    submissions = [];
    try {
      const refused = builder.refused();
      const body = builder.take();
      closed.push({ body, refused, submissions: held, openedAt });
      closedBytes += body.length;
    } catch (error) {
      // Something that is no reading got this far: it costs this frame, and the lane goes on.
      builder = createFrameBuilder();
      observer?.failed(error);
      for (const each of held)
        register.leave(each, new NotAcceptedError(`the frame cannot be written: ${explain(error)}`));
    }
  };

  const makeRoomFor = (bytes: number): void => {
    if (builder.size() > 0 && builder.bytes() + bytes > MAXIMUM_FRAME_BYTES) close();
  };

  const join = (submission: Submission): void => {
    if (submissions.length === 0) openedAt = Date.now();
    if (submissions.at(-1) === submission) return;
    submissions.push(submission);
    register.join(submission);
  };

  const schedulePump = (): void => {
    // A frame that gathers needs nobody to look after it: its timer does.
    if (pumpScheduled || (lingering !== undefined && closed.length === 0)) return;
    pumpScheduled = true;
    // After the requests that arrived in the same turn, so that they share a frame.
    setImmediate(() => {
      pumpScheduled = false;
      pump();
    });
  };

  /** Since when what is open has been gathering. */
  const gatheringSince = (): number => (sending === 0 ? lastSendAt : openedAt);

  /** @param due what is open has gathered for long enough. */
  const pump = (due = false): void => {
    const now = Date.now();
    expire(now);
    while (sending < MAXIMUM_SENDS && (closed.length > 0 || builder.size() > 0)) {
      if (closed.length === 0) {
        // Idle: at once. Just after a send, or while one is under way: gather.
        const wait = gatheringSince() + lingerMilliseconds - now;
        if (wait > 0 && drained.length === 0 && !due) {
          lingering ??= setTimeout(() => {
            lingering = undefined;
            pump();
            options.onDue?.();
          }, wait);
          return;
        }
        close();
        if (closed.length === 0) break;
      } else if (builder.size() > 0) {
        // The rest of what filled a frame goes along with it.
        close();
      }
      sendNext(now);
    }
    if (closed.length > 0 || builder.size() > 0) {
      // Both sends are under way: what waits behind them must still run out of time.
      const oldest = closed[0]?.openedAt ?? openedAt;
      expiring ??= setTimeout(
        () => {
          expiring = undefined;
          pump();
        },
        Math.max(1, oldest + acceptedWithinMilliseconds - now),
      );
    } else {
      clearTimeout(expiring);
      expiring = undefined;
      if (sending > 0) return;
      const waiting = drained;
      drained = [];
      for (const each of waiting) each();
    }
  };

  /** Gives up frames that waited too long; whoever sent them sends again. */
  const expire = (now: number): void => {
    const late = (since: number): boolean => now - since >= acceptedWithinMilliseconds;
    if (builder.size() > 0 && late(openedAt)) close();
    let expired = 0;
    while (expired < closed.length && late(closed[expired]!.openedAt)) expired++;
    if (expired === 0) return;
    const gone = closed.splice(0, expired);
    for (const frame of gone) closedBytes -= frame.body.length;
    settle(register, gone, new NotAcceptedError('Event Hubs did not take the readings in time'));
  };

  const sendNext = (now: number): void => {
    let count = 1;
    let bytes = closed[0]!.body.length;
    while (count < closed.length && bytes + closed[count]!.body.length <= MAXIMUM_SEND_BYTES) {
      bytes += closed[count++]!.body.length;
    }
    const frames = closed.splice(0, count);
    closedBytes -= bytes;
    sendingBytes += bytes;
    sending++;
    lastSendAt = now;

    let answered = false;
    const answer = (error?: Error): void => {
      if (answered) return;
      answered = true;
      clearTimeout(deadline);
      settle(register, frames, error);
    };
    // The requests are answered in time; the send itself keeps its place in the lane until it ends, so that a lost
    // Event Hubs cannot pile up sends.
    const deadline = setTimeout(
      () => {
        const late = new NotAcceptedError('Event Hubs did not answer in time');
        observer?.failed(late);
        answer(late);
      },
      Math.max(1, frames[0]!.openedAt + acceptedWithinMilliseconds - now),
    );
    const ended = (error?: unknown): void => {
      sending--;
      sendingBytes -= bytes;
      if (error === undefined) {
        observer?.sent(frames.length, bytes, Date.now() - now);
        answer();
      } else {
        if (!answered) observer?.failed(error);
        answer(new NotAcceptedError(`Event Hubs did not take the readings: ${explain(error)}`));
      }
      pump();
    };
    send(
      FRAME_SCHEMA,
      frames.map((frame) => frame.body),
      frames.map(({ refused }) => ({ [REFUSED_PROPERTY]: refused })),
    ).then(
      () => ended(),
      (error: unknown) => ended(error ?? new Error('unknown')),
    );
  };

  return {
    add(readings, from, to, submission) {
      let whole = Math.min(to - from, USUAL_POINTS) * POINT_BYTES;
      for (let i = from; i < to; i++) whole += rowBytes(readings[i]!);
      if (whole <= MAXIMUM_FRAME_BYTES) makeRoomFor(whole);
      for (let i = from; i < to; i++) {
        makeRoomFor(rowBytes(readings[i]!) + POINT_BYTES);
        if (!builder.admits(readings[i]!)) close();
        join(submission);
        builder.add(readings[i]!);
      }
      schedulePump();
    },
    refuse(refused, submission) {
      const { channel, message, raw, letter } = refused;
      const payload = letter?.payload?.length ?? 0;
      // Of its source; JSON writes a character of the excerpt with up to six.
      const head = letter === undefined ? 0 : LETTER_BYTES + 3 * raw.length;
      makeRoomFor(REFUSED_BYTES + 3 * (channel.length + message.length + raw.length) + head + payload);
      join(submission);
      builder.refuse(refused);
      schedulePump();
    },
    bytes: () => (builder.size() > 0 ? builder.bytes() : 0) + closedBytes + sendingBytes,
    sendAlong() {
      if (lingering === undefined || Date.now() - gatheringSince() < lingerMilliseconds / 2) return;
      clearTimeout(lingering);
      lingering = undefined;
      pump(true);
    },
    drain() {
      return new Promise((resolve) => {
        drained.push(resolve);
        schedulePump();
      });
    },
  };
}

function rowBytes({ undated, original }: Reading): number {
  if (undated === undefined && original === undefined) return ROW_BYTES;
  // A character takes at most three bytes of UTF-8 (four for two).
  return ROW_BYTES + 32 + 3 * ((undated?.messageId?.length ?? 0) + (original?.unit.length ?? 0));
}

function settle(register: Submissions, frames: readonly ClosedFrame[], error: Error | undefined): void {
  for (const frame of frames) {
    for (const submission of frame.submissions) register.leave(submission, error);
  }
}
