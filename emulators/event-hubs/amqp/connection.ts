import { type AmqpError, type Connection, type Receiver, type Sender, type Session } from 'rhea';
import { type Logger } from '../../../src/observability/logger';
import { type Policy, type Right } from '../configuration';
import { type Faults } from '../faults';
import { type Hub, type Hubs, partitionNumber } from '../hubs';
import { type EventHubsMetrics } from '../metrics';
import { parseAddress } from './addresses';
import { answerPutToken } from './cbs';
import { createClaims } from './claims';
import {
  detachForced,
  entityNotFound,
  messageTooLarge,
  missingClaim,
  noSuchPartition,
  notImplemented,
  unauthorized,
} from './conditions';
import { deliver } from './egress';
import { serveSends } from './ingress';
import { answerManagement } from './management';
import { type Reader, type Readers } from './readers';
import { createReplies, serveRequests } from './requests';
import { corkWrites, limitFrames, watchSession } from './rhea-hooks';
import { startPosition } from './start-position';
import { socketOf } from './transfers';

/** One client's connection: its claims, and what is attached to it. */
export interface ServedConnection {
  onSession(session: Session): void;
  onSender(sender: Sender): void;
  onReceiver(receiver: Receiver): void;
  /** Closes the links that `matches` accepts with an error; returns how many. */
  detach(matches: (link: AttachedLink) => boolean, error?: AmqpError): number;
  /** Ends the connection without a word, as a network does. */
  drop(): void;
  close(error: AmqpError): void;
  /** Lets go of everything: the socket has gone. */
  dispose(): void;
}

export interface AttachedLink {
  path: string;
  hub: string;
  partition: number | undefined;
  group: string | undefined;
  right: Right;
  close(error: AmqpError): void;
  poke(): void;
  dispose(): void;
}

/** As Azure announces it. */
export const MAX_FRAME_BYTES = 65_536;
const GRACE = 1000;

export function serveConnection(options: {
  connection: Connection;
  hubs: Hubs;
  policies: readonly Policy[];
  readers: Readers;
  faults: Faults;
  metrics: EventHubsMetrics;
  logger: Logger;
  now: () => number;
  onPending: () => void;
}): ServedConnection {
  const { connection, hubs, readers, faults, metrics, now, logger } = options;
  const claims = createClaims();
  const replies = createReplies();
  const links = new Set<AttachedLink>();
  const socket = socketOf(connection);
  let expiry: NodeJS.Timeout | undefined;
  corkWrites(connection);
  limitFrames(connection, MAX_FRAME_BYTES);

  /** Links live on for as long as some token allows them; the service detaches those that none does any more. */
  function watchExpiry(): void {
    clearTimeout(expiry);
    const next = claims.nextExpiry(now());
    if (next === undefined) return;
    const wait = Math.min(next - now() + GRACE, 2_147_483_647);
    expiry = setTimeout(() => {
      for (const link of [...links]) {
        if (claims.allows(link.path, link.right, now())) continue;
        link.close(unauthorized(`ExpiredToken: The token is expired. Resource: '${link.path}'.`));
      }
      watchExpiry();
    }, wait);
    expiry.unref();
  }

  function attach(link: AttachedLink, on: Sender | Receiver): void {
    links.add(link);
    const gone = (): void => {
      if (links.delete(link)) link.dispose();
    };
    on.on(on.is_sender() ? 'sender_close' : 'receiver_close', gone);
    on.session.on('session_close', gone);
  }

  function authorised(path: string, right: Right): AmqpError | undefined {
    if (faults.takes('refuseLinks', { hub: path.split('/')[0]! })) return missingClaim(right, path);
    return claims.allows(path, right, now()) ? undefined : missingClaim(right, path);
  }

  function onReceiver(receiver: Receiver): void {
    const target = receiver.target as unknown as { address?: string } | undefined;
    const path = target?.address ?? '';
    const address = parseAddress(path);
    receiver.set_source({ address: (receiver.source as { address?: string } | undefined)?.address ?? '' });
    receiver.set_target({ address: path });
    if (address.kind === 'cbs') {
      serveRequests(receiver, (request) =>
        answerPutToken({
          request,
          replies,
          claims,
          policies: options.policies,
          now: now(),
          refuse: faults.takes('refuseTokens', {}) !== undefined,
          onRefused(problem) {
            metrics.refusedTokens.inc();
            logger.warn({ problem }, 'token refused');
          },
          onAccepted: watchExpiry,
        }),
      );
      return;
    }
    if (address.kind === 'management') {
      serveRequests(receiver, (request) => answerManagement({ request, replies, claims, hubs, now: now() }));
      return;
    }
    if (address.kind !== 'hub') return receiver.close(entityNotFound(path));
    const refused = authorised(path, 'Send');
    if (refused) return receiver.close(refused);
    const found = find(address.hub, address.partition, path);
    if ('refused' in found) return receiver.close(found.refused);
    if (list(receiver.desired_capabilities).includes('com.microsoft:idempotent-producer')) {
      return receiver.close(notImplemented('Idempotent publishing is not supported by the local stand-in.'));
    }
    const { hub, partition } = found;
    serveSends({ receiver, hub, partition, faults, metrics, logger, onPending: options.onPending });
    attach(
      {
        path,
        hub: hub.name,
        partition,
        group: undefined,
        right: 'Send',
        close: (error) => receiver.close(error),
        poke: () => undefined,
        dispose: () => undefined,
      },
      receiver,
    );
  }

  function onSender(sender: Sender): void {
    const source = sender.source as { address?: string; filter?: Record<string, unknown> } | undefined;
    const path = source?.address ?? '';
    const address = parseAddress(path);
    const target = (sender.target as unknown as { address?: string } | undefined)?.address;
    sender.set_source({ address: path, ...(source?.filter ? { filter: source.filter } : {}) } as never);
    sender.set_target({ address: target ?? '' });
    if (address.kind === 'cbs' || address.kind === 'management') {
      replies.add(sender);
      sender.on('sender_close', () => replies.remove(sender));
      return;
    }
    if (address.kind !== 'reader') return sender.close(entityNotFound(path));
    const refused = authorised(path, 'Listen');
    if (refused) return sender.close(refused);
    const found = find(address.hub, address.partition, path);
    if ('refused' in found) return sender.close(found.refused);
    const hub = found.hub;
    const partition = found.partition!;
    const group = hub.group(address.group);
    if (group === undefined) {
      return sender.close(entityNotFound(`${hub.name}:ConsumerGroup:${address.group}`));
    }
    void startReader({ sender, path, hub, partition, group, filter: source?.filter });
  }

  async function startReader(read: {
    sender: Sender;
    path: string;
    hub: Hub;
    partition: number;
    group: string;
    filter: Record<string, unknown> | undefined;
  }): Promise<void> {
    const { sender, path, hub, partition, group } = read;
    const log = hub.partitions[partition]!;
    const epoch = numberOf(
      (sender.properties as Record<string, unknown> | undefined)?.['com.microsoft:epoch'],
    );
    const place = `${hub.name}/${group}/${partition}`;
    const reader: Reader = { epoch, close: (error) => end(error) };
    const refused = readers.admit(place, reader);
    if (refused) return sender.close(refused);
    let delivery: ReturnType<typeof deliver> | undefined;
    let ended = false;
    const link: AttachedLink = {
      path,
      hub: hub.name,
      partition,
      group,
      right: 'Listen',
      close: (error) => end(error),
      poke: () => delivery?.poke(),
      dispose() {
        ended = true;
        delivery?.stop();
        readers.leave(place, reader);
      },
    };
    function end(error: AmqpError): void {
      links.delete(link);
      link.dispose();
      if (!sender.is_closed()) sender.close(error);
    }
    attach(link, sender);
    const start = startPosition(selectorOf(read.filter), log.state(), hub.incarnation);
    if ('refused' in start) return end(start.refused);
    try {
      const sequence = await log.locate(start);
      if (ended) return;
      delivery = deliver({
        sender,
        hub,
        partition,
        group,
        sequence,
        runtimeMetrics: list(sender.desired_capabilities).includes(RUNTIME_METRIC),
        faults,
        metrics,
        refuse(error) {
          logger.error({ hub: hub.name, partition, error: error.description }, 'read failed');
          end(error);
        },
      });
      sender.on('sender_flow', () => {
        if ((sender as unknown as { _draining?: boolean })._draining) sender.set_drained(true);
        delivery?.poke();
      });
      delivery.poke();
    } catch (error) {
      logger.error({ hub: hub.name, partition, error: (error as Error).message }, 'read failed');
      end({ condition: 'amqp:internal-error', description: (error as Error).message });
    }
  }

  function find(
    name: string,
    partitionText: string | undefined,
    path: string,
  ): { hub: Hub; partition: number | undefined } | { refused: AmqpError } {
    const hub = hubs.find(name);
    if (hub === undefined) return { refused: entityNotFound(path) };
    if (partitionText === undefined) return { hub, partition: undefined };
    const partition = partitionNumber(hub, partitionText);
    if (partition === undefined) {
      return { refused: noSuchPartition(hub.name, partitionText, hub.partitions.length) };
    }
    return { hub, partition };
  }

  return {
    onSession: (session) =>
      watchSession(session, {
        isRequest: (receiver) => {
          const { kind } = parseAddress((receiver.target as { address?: string } | undefined)?.address);
          return kind === 'cbs' || kind === 'management';
        },
        onFlow: () => {
          for (const link of links) link.poke();
        },
        onTooLarge: (receiver, size) => receiver.close(messageTooLarge(0, size)),
      }),
    onSender,
    onReceiver,
    detach(matches, error = detachForced()) {
      const chosen = [...links].filter(matches);
      for (const link of chosen) {
        links.delete(link);
        link.close(error);
        link.dispose();
      }
      return chosen.length;
    },
    drop: () => void socket.destroy(),
    close: (error) => connection.close(error),
    dispose() {
      clearTimeout(expiry);
      for (const link of links) link.dispose();
      links.clear();
    },
  };
}

const RUNTIME_METRIC = 'com.microsoft:enable-receiver-runtime-metric';

function selectorOf(filter: Record<string, unknown> | undefined): string | undefined {
  const value = filter?.['apache.org:selector-filter:string'];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' && 'value' in value ? String(value.value) : String(value);
}

function list(value: string | string[] | undefined | null): string[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
}

function numberOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}
