import { type AmqpError } from 'rhea';

/**
 * Why something is refused, in words a device's SDK understands. By the condition it decides whether to try again: after
 * `com.microsoft:timeout` it does, after `amqp:unauthorized-access` and `amqp:link:stolen` it does not.
 */
const condition = (name: string, description: string): AmqpError => ({ condition: name, description });

/** One for whatever is wrong with a device's identity, so that nobody learns what exists. */
export const UNAUTHORIZED = condition(
  'amqp:unauthorized-access',
  'the device, its SAS token or its certificate is unknown, expired, suspended or for another audience',
);
export const UNAVAILABLE = condition(
  'com.microsoft:timeout',
  'the device registry cannot be reached now: connect again',
);
export const STOPPING = condition('com.microsoft:timeout', 'the gateway is stopping: connect again');
export const NOT_ACCEPTED = condition(
  'com.microsoft:timeout',
  'it is not known whether the message was taken: send it again',
);
export const TAKEN_OVER = condition('amqp:link:stolen', 'the device has connected anew');
export const NOT_FOUND = condition('amqp:not-found', 'there is nothing to attach to at this address');
export const TOO_MANY = condition(
  'amqp:resource-limit-exceeded',
  'too many sessions or links on one connection',
);
export const IDLE = condition('amqp:resource-limit-exceeded', 'nothing was heard for too long');
export const MALFORMED = condition('amqp:decode-error', 'what was sent is not AMQP 1.0 as it is spoken here');
export const FAULT = condition('amqp:internal-error', 'the gateway failed: connect again');
export const tooLarge = (bytes: number): AmqpError =>
  condition('amqp:link:message-size-exceeded', `a message may have ${bytes} bytes`);
