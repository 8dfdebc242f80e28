import { type AmqpError } from 'rhea';
import { type StartPosition } from '../log/locate';
import { type LogState } from '../log/partition-log';
import { type Incarnation } from '../incarnation';
import { offsetOf, parseOffset } from '../offsets';
import { invalidPosition } from './conditions';

/**
 * Where a reader wants to begin, from its selector filter:
 * `amqp.annotation.x-opt-offset|x-opt-sequence-number|x-opt-enqueued-time`, `>` or `>=`, a quoted value. Without a
 * filter a reader begins at the oldest event.
 *
 * A position past the end of the log was given by another life of the event hub, and is refused: to begin anywhere
 * would silently skip or repeat. So is an offset that carries another incarnation's tag.
 */
export function startPosition(
  selector: string | undefined,
  state: LogState,
  incarnation: Incarnation,
): StartPosition | { refused: AmqpError } {
  if (selector === undefined) return { kind: 'earliest' };
  const match =
    /^\s*amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time)\s*(>=?)\s*'?([^']*?)'?\s*$/i.exec(
      selector,
    );
  if (match === null) {
    return {
      refused: invalidPosition(
        `The filter '${selector}' is not supported: compare an offset, a sequence number or an enqueued time with > or >=.`,
      ),
    };
  }
  const [, what, operator, value] = match as unknown as [string, string, string, string];
  const inclusive = operator === '>=';
  switch (what.toLowerCase()) {
    case 'offset':
      return fromOffset(value, inclusive, state, incarnation);
    case 'sequence-number':
      return fromSequence(value, inclusive, state, incarnation);
    default: {
      const time = Number(value);
      if (!/^-?\d+$/.test(value)) {
        return {
          refused: invalidPosition(`The supplied enqueued time '${value}' is not a number of milliseconds.`),
        };
      }
      return { kind: 'time', after: inclusive ? time - 1 : time };
    }
  }
}

const born = (incarnation: Incarnation): string =>
  `this event hub was created at ${new Date(incarnation.createdAt).toISOString()}, and positions from before are not its own`;

function fromOffset(
  value: string,
  inclusive: boolean,
  state: LogState,
  incarnation: Incarnation,
): StartPosition | { refused: AmqpError } {
  if (value === '-1') return { kind: 'earliest' };
  if (value === '@latest') return { kind: 'latest' };
  const last = state.lastPosition < 0 ? '-1' : String(offsetOf(state.lastPosition, incarnation.tag));
  const offset = parseOffset(value, incarnation.tag);
  if ('problem' in offset) {
    const why =
      offset.problem === 'malformed'
        ? 'It is no offset that an event hub gives out.'
        : `It is from another incarnation: ${born(incarnation)}.`;
    return {
      refused: invalidPosition(
        `The supplied offset '${value}' is invalid. The last offset in the system is '${last}'. ${why}`,
      ),
    };
  }
  if (offset.position > state.lastPosition) {
    return {
      refused: invalidPosition(
        `The supplied offset '${value}' is invalid. The last offset in the system is '${last}'. It is beyond the end of the log: ${born(incarnation)}.`,
      ),
    };
  }
  return { kind: 'position', position: offset.position, inclusive };
}

function fromSequence(
  value: string,
  inclusive: boolean,
  state: LogState,
  incarnation: Incarnation,
): StartPosition | { refused: AmqpError } {
  const sequence = Number(value);
  const last = state.endSequence - 1;
  if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(sequence) || sequence < -1) {
    return { refused: invalidPosition(`The supplied sequence number '${value}' is invalid.`) };
  }
  if (sequence > last) {
    return {
      refused: invalidPosition(
        `The supplied sequence number '${value}' is invalid. The last sequence number in the system is '${last}'. It is beyond the end of the log: ${born(incarnation)}.`,
      ),
    };
  }
  return { kind: 'sequence', sequence, inclusive };
}
