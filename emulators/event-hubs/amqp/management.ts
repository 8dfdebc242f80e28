import { type AmqpError, type Message, types } from 'rhea';
import { type Hub, type Hubs, partitionNumber } from '../hubs';
import { offsetOf } from '../offsets';
import { type Claims } from './claims';
import { entityNotFound, missingClaim, noSuchPartition, notImplemented } from './conditions';
import { type Replies } from './requests';

const EMPTY_TIME = 0;

/** Answers a READ at `$management`: the properties of an event hub, or of one of its partitions. */
export function answerManagement(options: {
  request: Message;
  replies: Replies;
  claims: Claims;
  hubs: Hubs;
  now: number;
}): void {
  const { request, replies } = options;
  const properties = (request.application_properties ?? {}) as Record<string, unknown>;
  const answer = read(properties, options);
  if ('refused' in answer) {
    const { status, error } = answer.refused;
    replies.send(request, {
      properties: {
        'status-code': types.wrap_int(status),
        'status-description': error.description,
        'error-condition': types.wrap_symbol(String(error.condition)),
      },
      body: null,
    });
    return;
  }
  replies.send(request, {
    properties: { 'status-code': types.wrap_int(200), 'status-description': 'OK' },
    body: answer.body,
  });
}

type Answer = { body: Record<string, unknown> } | { refused: { status: number; error: AmqpError } };

function read(
  properties: Record<string, unknown>,
  { claims, hubs, now }: { claims: Claims; hubs: Hubs; now: number },
): Answer {
  const refuse = (status: number, error: AmqpError): Answer => ({ refused: { status, error } });
  const name = String(properties.name ?? '');
  const type = String(properties.type ?? '');
  if (properties.operation !== 'READ') {
    return refuse(
      501,
      notImplemented(`The operation '${String(properties.operation)}' is not supported: only READ is.`),
    );
  }
  if (!claims.allows(`${name}/$management`, undefined, now)) {
    return refuse(401, missingClaim('Listen', name));
  }
  const hub = hubs.find(name);
  if (hub === undefined) return refuse(404, entityNotFound(name));
  if (type === 'com.microsoft:eventhub') return { body: hubProperties(hub) };
  if (type !== 'com.microsoft:partition') {
    return refuse(501, notImplemented(`The type '${type}' cannot be read here.`));
  }
  const asked = String(properties.partition ?? '');
  const partition = partitionNumber(hub, asked);
  if (partition === undefined) return refuse(400, noSuchPartition(hub.name, asked, hub.partitions.length));
  return { body: partitionProperties(hub, partition) };
}

function hubProperties(hub: Hub): Record<string, unknown> {
  return {
    name: hub.name,
    type: 'com.microsoft:eventhub',
    created_at: types.wrap_timestamp(hub.incarnation.createdAt),
    partition_count: types.wrap_int(hub.partitions.length),
    partition_ids: types.wrap_array(
      hub.partitions.map((_, partition) => String(partition)),
      STRING,
      undefined,
    ),
    georeplication_factor: types.wrap_int(1),
  };
}

/** Type code of a string with a one-byte length. */
const STRING = 0xa1;

function partitionProperties(hub: Hub, partition: number): Record<string, unknown> {
  const state = hub.partitions[partition]!.state();
  const isEmpty = state.firstSequence === state.endSequence;
  return {
    name: hub.name,
    type: 'com.microsoft:partition',
    partition: String(partition),
    begin_sequence_number: types.wrap_long(state.endSequence === 0 ? -1 : state.firstSequence),
    last_enqueued_sequence_number: types.wrap_long(state.endSequence - 1),
    last_enqueued_offset:
      state.lastPosition < 0 ? '-1' : String(offsetOf(state.lastPosition, hub.incarnation.tag)),
    last_enqueued_time_utc: types.wrap_timestamp(state.lastTime || EMPTY_TIME),
    is_partition_empty: isEmpty,
  };
}
