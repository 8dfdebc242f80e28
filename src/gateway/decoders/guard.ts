import { createContext, Script } from 'node:vm';
import { type DeviceMessage, PayloadError, type PayloadDecoder, type ReadingSink } from './decoder';

/** Of execution: what a decoder may spend on one message. */
export const DEFAULT_DECODED_WITHIN_MS = 50;
/** Of time that passes, in case a decoder waits without working. */
const MAXIMUM_WAIT_MS = 1_000;
/** Handed to the sink by one message; a request may not hold as many. */
const MAXIMUM_READINGS = 100_000;

/** A decoder did not come to its end. It is no fault of the payload's that anybody has named: the log says more. */
export class DecoderDeadlineError extends Error {
  override readonly name = 'DecoderDeadlineError';
}

/**
 * A decoder that can neither hang nor fill the process, whatever it does: V8 is told by a watchdog to end it. What it
 * said until then is dropped, since readings reach the sink only after it has come to its end.
 *
 * The watchdog counts the time that passes, and on a busy machine a thread may get none for longer than that. So its word
 * is checked against the thread's own CPU time, and a decoder that was not given its time is run again.
 *
 * The watchdog is a thread that is started for each message: about 160 us of CPU, which is why decoders that say they
 * are linear run without it.
 */
export function guarded(
  decoder: PayloadDecoder,
  withinMilliseconds = DEFAULT_DECODED_WITHIN_MS,
): PayloadDecoder {
  const job: { run: () => void } = { run: () => undefined };
  const context = createContext(job);
  const script = new Script('run()');

  const runWithin = (run: () => void): void => {
    job.run = run;
    let worked = 0;
    let waited = 0;
    for (let timeout = withinMilliseconds; ; timeout *= 2) {
      const before = process.threadCpuUsage();
      try {
        script.runInContext(context, { timeout: Math.ceil(timeout) });
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException | null)?.code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
        const { user, system } = process.threadCpuUsage(before);
        worked += (user + system) / 1000;
        waited += timeout;
        // Half: the clock of a thread's CPU time moves in steps of milliseconds.
        if (worked >= withinMilliseconds / 2 || waited >= MAXIMUM_WAIT_MS) {
          throw new DecoderDeadlineError(
            `the decoder of ${decoder.contentType} took more than ${withinMilliseconds} ms for a message`,
          );
        }
      }
    }
  };

  return {
    contentType: decoder.contentType,
    decode(message, sink) {
      let said: Said[] = [];
      runWithin(() => {
        said = listen(decoder, message);
      });
      for (const say of said) say(sink);
    },
    excerpt: (excerpt) => excerpt,
  };
}

/** What a decoder says, with its excerpts made: they are its work too, and one guard is to do for the message. */
type Said = (sink: ReadingSink) => void;

function listen(decoder: PayloadDecoder, message: DeviceMessage): Said[] {
  const said: Said[] = [];
  const keep = (say: Said): void => {
    if (said.length >= MAXIMUM_READINGS) {
      throw new PayloadError(`a message may hold ${MAXIMUM_READINGS} readings`);
    }
    said.push(say);
  };
  const result: unknown = decoder.decode(message, {
    dated(index, channel, value, unit, observedAt, record, device) {
      const excerpt = decoder.excerpt(record, channel);
      keep((sink) => sink.dated(index, channel, value, unit, observedAt, excerpt, device));
    },
    undated(index, channel, value, unit, offset, record, device) {
      const excerpt = decoder.excerpt(record, channel);
      keep((sink) => sink.undated(index, channel, value, unit, offset, excerpt, device));
    },
    refuse(index, channel, code, reason, record, device) {
      const excerpt = decoder.excerpt(record, channel);
      keep((sink) => sink.refuse(index, channel, code, reason, excerpt, device));
    },
  });
  if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
    // Its rejection would otherwise end the process.
    Promise.resolve(result).catch(() => undefined);
    throw new TypeError(`the decoder of ${decoder.contentType} is asynchronous, and none may be`);
  }
  return said;
}
