import { message as messages, type Message, type Sender, types } from 'rhea';
import { type DirectoryDevice } from '../../store/device-directory';
import { type Authenticated } from '../authentication';
import { createTwinLink } from '../twin-link';
import { type TwinService, type TwinState } from '../twin-service';
import { bodyOf } from './messages';

/**
 * A device's twin over its pair of links: each request has a correlation id and, as annotations, an operation and a
 * resource; so have the answers a status (as azure-iot-device-amqp has it, whose source is the only description).
 */
export interface AmqpTwin {
  /** False where it is no request. */
  request(message: Message): boolean;
  /** The link on which the device hears answers. */
  listen(sender: Sender): void;
  /** That link is gone. */
  forget(sender: Sender): void;
  bytesHeld(): number;
  close(): void;
}

const DESIRED = '/notifications/twin/properties/desired';
const REPORTED = '/properties/reported';
const MAXIMUM_ID_CHARACTERS = 128;
/** Before the hexadecimal digits of an id that is bytes. */
const BYTES = '\0';

export function createAmqpTwin(options: {
  device: Pick<DirectoryDevice, 'deviceId'>;
  twins: TwinService;
  state: TwinState;
  authenticate(): Authenticated | Promise<Authenticated>;
  recall(): Authenticated | undefined;
  send(sender: Sender, message: Message): void;
  unread(): number;
  end(why: 'slow' | 'not-permitted' | 'fault'): void;
}): AmqpTwin {
  const { state } = options;
  let listener: Sender | undefined;

  const answer = (status: number, requestId: string, payload: string, version?: number): void => {
    if (!listener) return;
    options.send(listener, {
      correlation_id: requestId.startsWith(BYTES) ? Buffer.from(requestId.slice(1), 'hex') : requestId,
      message_annotations: {
        status: types.wrap_int(status),
        ...(version === undefined ? {} : { version: types.wrap_long(version) }),
      },
      body: messages.data_section(Buffer.from(payload)),
    } as unknown as Message);
  };

  const link = createTwinLink({
    deviceId: options.device.deviceId,
    twins: options.twins,
    state,
    authenticate: options.authenticate,
    recall: options.recall,
    answer,
    tell: (_version, patch) => {
      if (!listener) return;
      options.send(listener, { body: messages.data_section(Buffer.from(patch)) } as unknown as Message);
    },
    unread: options.unread,
    end: options.end,
  });

  return {
    request(message) {
      const requestId = requestIdOf(message.correlation_id);
      const annotations = (message.message_annotations ?? {}) as Record<string, unknown>;
      const { operation, resource } = annotations;
      if (requestId === undefined) return false;
      if (operation === 'GET' && !resource) link.request(requestId);
      else if (operation === 'PATCH' && resource === REPORTED) {
        link.request(requestId, bodyOf(message) ?? Buffer.alloc(0));
      } else if ((operation === 'PUT' || operation === 'DELETE') && resource === DESIRED) {
        answer(operation === 'PUT' ? 200 : 204, requestId, '');
        // After the answer: what it brings about comes behind it.
        link.listens({ desired: operation === 'PUT' });
      } else {
        const text = 'a twin request is GET, PATCH /properties/reported, or PUT or DELETE ' + DESIRED;
        answer(400, requestId, JSON.stringify({ errorCode: 400, message: text }));
      }
      return true;
    },
    listen: (sender) => void (listener = sender),
    forget(sender) {
      if (sender !== listener) return;
      listener = undefined;
      link.listens({ desired: false });
    },
    bytesHeld: link.bytesHeld,
    close: link.close,
  };
}

function requestIdOf(id: unknown): string | undefined {
  if (Buffer.isBuffer(id)) return id.length === 16 ? BYTES + id.toString('hex') : undefined;
  return typeof id === 'string' && id !== '' && id.length <= MAXIMUM_ID_CHARACTERS && !id.startsWith(BYTES)
    ? id
    : undefined;
}
