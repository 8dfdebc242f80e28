import { type DirectoryDevice } from '../store/device-directory';
import { isPassing } from './answers';
import { type Authenticated } from './authentication';
import { patchBetween } from './desired-patch';
import { note, type TwinFault, type TwinService, type TwinState } from './twin-service';

/**
 * A device's own twin on its connection, whichever of the transports it stays connected by. Requests are worked on one
 * after another and beside telemetry, which never waits for them.
 */
export interface TwinLink {
  /** @param body of a report; undefined asks for the twin. */
  request(requestId: string, body?: Buffer): void;
  /** Whether the device listens for answers to its requests, and for what it is told to be. */
  listens(to: { responses?: boolean; desired?: boolean }): void;
  /** Bytes of reports that wait for their turn. */
  bytesHeld(): number;
  /** The connection has ended. */
  close(): void;
}

interface Request {
  requestId: string;
  body: Buffer | undefined;
}

/** What a device may ask before it has an answer. */
const MOST_PENDING = 8;
/** A client that does not read what it asks for is not told more; two whole twins and what telemetry needs fit. */
const UNREAD_BYTES = 192 * 1024;

/** IoT Hub's own limit: longer ones are not even kept until their turn. */
const MAXIMUM_REPORT_BYTES = 32 * 1024;

const TOO_LARGE: TwinFault = { status: 400, message: `a report may have ${MAXIMUM_REPORT_BYTES} bytes` };
const BUSY: TwinFault = { status: 429, message: `at most ${MOST_PENDING} twin requests may be open at once` };
const NOT_NOW: TwinFault = { status: 503, message: 'the device registry cannot be reached now: ask again' };

export function createTwinLink(options: {
  deviceId: string;
  twins: TwinService;
  /**
   * What the device listened for on its last connection, where it wants to go on with that. IoT Hub's SDKs renew their
   * token by a new connection on which they do not subscribe again.
   */
  state: TwinState;
  /** Asked at each request: a device that was suspended a moment ago learns and says nothing more. */
  authenticate(): Authenticated | Promise<Authenticated>;
  /** The same as far as it is known. */
  recall(): Authenticated | undefined;
  /** @param version of what was reported, where a report was taken. */
  answer(status: number, requestId: string, payload: string, version?: number): void;
  /** What the device is told to be: a patch as JSON with its `$version`. */
  tell(version: number, patch: string): void;
  /** Bytes written that have not left. */
  unread(): number;
  end(why: 'slow' | 'not-permitted' | 'fault'): void;
}): TwinLink {
  const { deviceId, twins, state, end } = options;
  const { listening } = state;
  const pending: Request[] = [];
  let unwatch: (() => void) | undefined;
  let closed = false;

  const send = (write: () => void): void => {
    if (options.unread() > UNREAD_BYTES) return end('slow');
    write();
  };

  const answer = (status: number, requestId: string, payload: unknown, version?: number): void => {
    if (!listening.responses) return;
    const text = payload === undefined ? '' : JSON.stringify(payload);
    send(() => options.answer(status, requestId, text, version));
  };

  const refuse = (requestId: string, { status, message }: TwinFault): void =>
    answer(status, requestId, { errorCode: status, message });

  /** Tells the device what it does not know yet. Never while a GET is open, whose answer may be older. */
  const tell = (): void => {
    if (closed || !listening.desired || state.latest === undefined) return;
    if (pending.some(({ body }) => body === undefined)) return;
    const { desired, desiredVersion: version } = state.latest;
    state.latest = undefined;
    if (version <= (state.known?.version ?? 0)) return;
    const verdict = options.recall();
    if (verdict?.error && !isPassing(verdict.error.code)) return end('not-permitted');
    // A device that has not asked on this connection is told the whole of it.
    const patch = { ...patchBetween(state.known?.desired ?? {}, desired), $version: version };
    state.known = { version, desired };
    send(() => options.tell(version, JSON.stringify(patch)));
  };

  // From before the first reading of the twin on, so that no change falls between the two.
  const watch = (): void => {
    unwatch ??= twins.watch(deviceId, (twin) => {
      note(state, twin);
      tell();
    });
  };

  const get = async (device: DirectoryDevice, requestId: string): Promise<void> => {
    const found = await twins.get(device);
    if (closed) return;
    if (found.fault) return refuse(requestId, found.fault);
    const { twin } = found;
    const { known, latest } = state;
    let desired = { version: twin?.desiredVersion ?? 0, desired: twin?.desired ?? {} };
    // A replica of the store may be behind what the feed has told already: a device never goes back.
    if (latest && latest.desiredVersion > desired.version) {
      desired = { version: latest.desiredVersion, desired: latest.desired };
    }
    if (known && known.version > desired.version) desired = known;
    state.known = desired;
    answer(200, requestId, {
      desired: { ...desired.desired, $version: desired.version },
      reported: { ...twin?.reported, $version: twin?.reportedVersion ?? 0 },
    });
  };

  const report = async (device: DirectoryDevice, { requestId }: Request, body: Buffer): Promise<void> => {
    const done = await twins.report(device, body);
    if (closed) return;
    if (done.fault) return refuse(requestId, done.fault);
    answer(204, requestId, undefined, done.version);
  };

  const work = async (request: Request): Promise<void> => {
    const { requestId, body } = request;
    const verdict = await options.authenticate();
    if (closed) return;
    if (verdict.error) {
      return isPassing(verdict.error.code) ? refuse(requestId, NOT_NOW) : end('not-permitted');
    }
    await (body === undefined ? get(verdict.device, requestId) : report(verdict.device, request, body));
  };

  /** One after another: reports take effect in the order in which the device sent them. */
  const workOff = async (): Promise<void> => {
    for (let request = pending[0]; request !== undefined && !closed; request = pending[0]) {
      await work(request);
      pending.shift();
      tell();
    }
  };

  if (listening.desired) watch();

  return {
    request(requestId, body) {
      if (body === undefined) {
        if (!listening.responses) return;
        watch();
      }
      if (body !== undefined && body.length > MAXIMUM_REPORT_BYTES) return refuse(requestId, TOO_LARGE);
      if (pending.length >= MOST_PENDING) return refuse(requestId, BUSY);
      pending.push({ requestId, body });
      if (pending.length > 1) return;
      void workOff().catch(() => end('fault'));
    },
    listens(to) {
      Object.assign(listening, to);
      if (!listening.desired) return;
      watch();
      tell();
    },
    bytesHeld: () => pending.reduce((bytes, { body }) => bytes + (body?.length ?? 0), 0),
    close() {
      closed = true;
      unwatch?.();
    },
  };
}
