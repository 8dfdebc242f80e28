import { type Message, type Receiver, type Sender, types } from 'rhea';
import { isPassing } from '../answers';
import { type Authenticated, type DeviceAuthentication, type Proof, type Source } from '../authentication';
import { parseSasToken } from '../sas-token';
import { type TwinService, type TwinState } from '../twin-service';
import { type LinkAddress, parseAddress } from './addresses';
import { NOT_FOUND, tooLarge, UNAUTHORIZED, UNAVAILABLE } from './conditions';
import { bodyOf, requestOf } from './messages';
import { type Link, type Transfer } from './protocol';
import { createTelemetry, type Telemetry, type TelemetryOptions } from './telemetry';
import { type AmqpTwin, createAmqpTwin } from './twin';

/** Who the connection's device is, and what it proved that by; a token that is put later takes the proof's place. */
export interface Identity {
  deviceId: string;
  proof: Proof;
}

/** What a device does on its connection: who it is, its links, and what comes over them. */
export interface Session {
  identity(): Identity | undefined;
  onReceiver(receiver: Receiver): void;
  onSender(sender: Sender): void;
  onTransfer(transfer: Transfer): void;
  onTooLarge(receiver: Receiver): void;
  onLinkGone(link: Link): void;
  telemetry: Telemetry;
  bytesHeld(): number;
  /** The connection has ended. */
  close(): void;
}

export interface SessionOptions extends Omit<TelemetryOptions, 'authenticate'> {
  authentication: DeviceAuthentication;
  twins: TwinService;
  source: Source;
  /** What the client proved at its TLS handshake. */
  certificate: Proof | undefined;
  send(sender: Sender, message: Message): void;
  /** Bytes that are on their way to the client. */
  unread(): number;
  /** The device has proved who it is. */
  connected(deviceId: string): void;
}

/** Requests on a link that the device may send before they are answered. */
const REQUEST_CREDIT = 8;
/** Of tokens on one connection; a client that has a good one needs one. */
const MOST_REFUSALS = 3;
const MOST_UNREAD_BYTES = 192 * 1024;
const CBS_ACCEPTED = 200;

export function createSession(options: SessionOptions): Session {
  const { authentication, metrics, end } = options;
  const kinds = new Map<Link, LinkAddress['kind']>();
  let identity: Identity | undefined;
  let refusals = 0;
  let cbs: Sender | undefined;
  let twin: AmqpTwin | undefined;
  let twinState: TwinState | undefined;

  const authenticate = (now: number): Authenticated | Promise<Authenticated> =>
    identity === undefined
      ? { error: { code: 'UNAUTHENTICATED', message: '' } }
      : authentication.authenticate(identity.deviceId, identity.proof, now);

  const letIn = (deviceId: string, tenantId: string, proof: Proof): void => {
    identity = { deviceId, proof };
    const kept = options.twins.take(deviceId, tenantId);
    twinState = {
      ...(kept ?? { tenantId, known: undefined, latest: undefined }),
      listening: { responses: true, desired: kept !== undefined },
    };
    // What changes before the device asks to be told again is noted, and told then.
    if (kept) ofTwin();
    twinState.listening.desired = false;
    options.connected(deviceId);
  };

  const telemetry = createTelemetry({ ...options, authenticate });

  const ofTwin = (): AmqpTwin =>
    (twin ??= createAmqpTwin({
      device: identity!,
      twins: options.twins,
      state: twinState!,
      authenticate: () => authenticate(Date.now()),
      recall: () => authentication.recall(identity!.deviceId, identity!.proof, Date.now()),
      send: options.send,
      unread: options.unread,
      end,
    }));

  /** Calls back where the link is of this connection's device; otherwise the connection ends. */
  const admit = (deviceId: string, then: () => void): void => {
    if (identity !== undefined) {
      return identity.deviceId === deviceId ? then() : end('forbidden-link', UNAUTHORIZED);
    }
    // No token was put: its certificate is to prove it.
    const proof = options.certificate;
    options.whenKnown(authentication.authenticate(deviceId, proof, Date.now(), options.source), (verdict) => {
      if (verdict.error) return refuse(verdict.error.code);
      metrics.connect('accepted');
      letIn(deviceId, verdict.device.tenantId, proof!);
      then();
    });
  };

  const refuse = (code: Parameters<typeof isPassing>[0]): void => {
    if (isPassing(code)) {
      metrics.connect('unavailable');
      return end('unavailable', UNAVAILABLE);
    }
    metrics.connect('refused');
    end('refused', UNAUTHORIZED);
  };

  const putToken = (request: Message): void => {
    const reply = (status: number, description: string): void => {
      if (!cbs) return;
      if (options.unread() > MOST_UNREAD_BYTES) return end('slow');
      options.send(cbs, {
        correlation_id: request.message_id,
        application_properties: {
          'status-code': types.wrap_int(status),
          'status-description': description,
        },
        body: '',
      } as unknown as Message);
    };
    const refuseToken = (): void => {
      metrics.connect('refused');
      reply(401, UNAUTHORIZED.description!);
      if (++refusals >= MOST_REFUSALS) end('refused', UNAUTHORIZED);
    };
    const { operation } = (request.application_properties ?? {}) as Record<string, unknown>;
    if (operation !== 'put-token') return reply(400, 'the only operation is put-token');
    const token = bodyOf(request)?.toString() ?? '';
    const deviceId = parseSasToken(token)?.deviceId;
    // One connection is one device's.
    if (deviceId === undefined || (identity && identity.deviceId !== deviceId)) return refuseToken();
    options.whenKnown(authentication.authenticate(deviceId, token, Date.now(), options.source), (verdict) => {
      if (verdict.error) return isPassing(verdict.error.code) ? refuse(verdict.error.code) : refuseToken();
      metrics.connect('accepted');
      if (identity) identity.proof = token;
      else letIn(deviceId, verdict.device.tenantId, token);
      reply(CBS_ACCEPTED, 'OK');
    });
  };

  const addressOf = (terminus: unknown): string | undefined => {
    const address = (terminus as { address?: unknown } | undefined)?.address;
    return typeof address === 'string' ? address : undefined;
  };

  const attach = (link: Link, text: string | undefined, then: (kind: LinkAddress['kind']) => void): void => {
    const address = parseAddress(text);
    if (address.kind === 'unknown') return link.close(NOT_FOUND);
    kinds.set(link, address.kind);
    if (address.kind === 'cbs') then('cbs');
    else admit(address.deviceId, () => then(address.kind));
  };

  return {
    identity: () => identity,
    onReceiver(receiver) {
      const text = addressOf(receiver.target);
      receiver.set_source({ address: addressOf(receiver.source) ?? '' });
      receiver.set_target({ address: text ?? '' });
      attach(receiver, text, (kind) => {
        if (kind !== 'events') return receiver.add_credit(REQUEST_CREDIT);
        telemetry.attach(receiver);
        telemetry.grant();
      });
    },
    onSender(sender) {
      const text = addressOf(sender.source);
      sender.set_source({ address: text ?? '' });
      sender.set_target({ address: addressOf(sender.target) ?? '' });
      attach(sender, text, (kind) => {
        if (kind === 'cbs') cbs = sender;
        else if (kind === 'twin') ofTwin().listen(sender);
        // Of commands to devices none ever comes.
      });
    },
    onTransfer(transfer) {
      const { receiver } = transfer;
      const kind = kinds.get(receiver);
      if (kind === 'events') return telemetry.take(transfer);
      transfer.accept();
      receiver.add_credit(1);
      if (kind !== 'cbs' && kind !== 'twin') return;
      const request = requestOf(transfer.bytes);
      if (request === undefined) return end('malformed');
      if (kind === 'cbs') putToken(request);
      else if (!ofTwin().request(request)) end('malformed');
    },
    onTooLarge: (receiver) => receiver.close(tooLarge(options.limits.bodyBytes)),
    onLinkGone(link) {
      const kind = kinds.get(link);
      kinds.delete(link);
      telemetry.detach(link as Receiver);
      if (link === cbs) cbs = undefined;
      if (kind === 'twin' && link.is_sender()) twin?.forget(link as Sender);
    },
    telemetry,
    bytesHeld: () => telemetry.bytesHeld() + (twin?.bytesHeld() ?? 0),
    close() {
      twin?.close();
      // It need not ask again for what it knows: what changes while it is away is told when it listens again.
      if (identity && twinState?.listening.desired) options.twins.keep(identity.deviceId, twinState);
    },
  };
}
