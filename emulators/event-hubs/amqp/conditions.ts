import { type AmqpError } from 'rhea';

/**
 * Every refusal, with the condition and the words of the service: clients tell errors apart by both. The conditions
 * are those of https://learn.microsoft.com/azure/event-hubs/event-hubs-messaging-exceptions and of core-amqp's
 * `ConditionErrorNameMapper`; each comment names the `code` that the SDK makes of it.
 */
export const MAX_MESSAGE_BYTES = 1_048_576;
export const MAX_READERS = 5;

const error = (condition: string, description: string): AmqpError => ({ condition, description });

/** `MessagingEntityNotFoundError`: the SDK reads it from the text, whatever the condition. */
export const entityNotFound = (path: string): AmqpError =>
  error('amqp:not-found', `The messaging entity '${path}' could not be found.`);

/** `ArgumentOutOfRangeError` */
export const noSuchPartition = (hub: string, partition: string, count: number): AmqpError =>
  error(
    'com.microsoft:argument-out-of-range',
    `The specified partition is invalid for an EventHub partition sender or receiver. It should be between 0 and ${count - 1}. Parameter name: PartitionId (event hub '${hub}', partition '${partition}')`,
  );

/** `ArgumentError` */
export const invalidPosition = (what: string): AmqpError => error('com.microsoft:argument-error', what);

/** `UnauthorizedError` */
export const unauthorized = (description: string): AmqpError =>
  error('amqp:unauthorized-access', description);

export const missingClaim = (claim: string, path: string): AmqpError =>
  unauthorized(
    `Unauthorized access. '${claim}' claim(s) are required to perform this operation. Resource: '${path}'.`,
  );

/** `MessageTooLargeError` */
export const messageTooLarge = (delivery: number, size: number): AmqpError =>
  error(
    'amqp:link:message-size-exceeded',
    `The received message (delivery-id:${delivery}, size:${size} bytes) exceeds the limit (${MAX_MESSAGE_BYTES} bytes) currently allowed on the link.`,
  );

/** `DecodeError` */
export const undecodable = (what: string): AmqpError => error('amqp:decode-error', what);

/** `QuotaExceededError` */
export const tooManyReaders = (path: string): AmqpError =>
  error(
    'amqp:resource-limit-exceeded',
    `Exceeded the maximum number of allowed receivers per partition in a consumer group which is ${MAX_READERS}. Please reduce the number of receivers on '${path}'.`,
  );

/** `ReceiverDisconnectedError`, for the reader that is there already. */
export const stolenBy = (epoch: number, mine: number): AmqpError =>
  error(
    'amqp:link:stolen',
    `New receiver with higher epoch of '${epoch}' is created hence current receiver with epoch '${mine}' is getting disconnected. If you are recreating the receiver, make sure a higher epoch is used.`,
  );

export const stolenFromNonEpoch = (epoch: number): AmqpError =>
  error(
    'amqp:link:stolen',
    `New receiver with higher epoch of '${epoch}' is created hence current non-epoch receiver is getting disconnected.`,
  );

/** `ReceiverDisconnectedError`, for the reader that comes. */
export const lowerEpoch = (existing: number, mine: number): AmqpError =>
  error(
    'amqp:link:stolen',
    `A receiver with a higher epoch '${existing}' already exists. A receiver with epoch '${mine}' cannot be created. Make sure you are creating receivers with increasing epoch value to ensure connectivity, or ensure all old epoch receivers are closed or disconnected.`,
  );

export const epochRequired = (existing: number): AmqpError =>
  error(
    'amqp:link:stolen',
    `At least one receiver for the endpoint is created with epoch of '${existing}', and so non-epoch receiver is not allowed. Either reconnect with a higher epoch, or make sure all epoch receivers are closed or disconnected.`,
  );

/** `ServerBusyError`, retried by the SDK. */
export const serverBusy = (): AmqpError =>
  error(
    'com.microsoft:server-busy',
    'The request was terminated because the namespace is being throttled. Please wait 4 seconds and try again. Error code: 50002.',
  );

/** `InternalServerError`, retried by the SDK. */
export const internalError = (description: string): AmqpError => error('amqp:internal-error', description);

/** `DetachForcedError`, retried by the SDK. */
export const detachForced = (): AmqpError =>
  error('amqp:link:detach-forced', 'The link was force detached by the broker.');

/** `ConnectionForcedError`, retried by the SDK. */
export const connectionForced = (description: string): AmqpError =>
  error('amqp:connection:forced', description);

/** `NotImplementedError` */
export const notImplemented = (what: string): AmqpError => error('amqp:not-implemented', what);

/** `InvalidOperationError` */
export const notAllowed = (what: string): AmqpError => error('amqp:not-allowed', what);
