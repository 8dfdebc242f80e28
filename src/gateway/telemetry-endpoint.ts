import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Logger } from '../observability/logger';
import { type DirectoryDevice } from '../store/device-directory';
import { answerError, answerJson, ERROR_STATUS, type GatewayError } from './answers';
import { type Authenticated, type DeviceAuthentication } from './authentication';
import { BATCH_CONTENT_TYPE, parseBatch } from './batch';
import { type Looked } from './children';
import { mediaTypeOf, PayloadError } from './decoders';
import { type Intake } from './intake';
import { type GatewayLimits } from './limits';
import { isPlainEncoding, readProperties } from './message-properties';
import { type GatewayMetrics } from './metrics';
import { DEFAULT_CONTENT_TYPE, type Reception } from './reception';
import { readBody } from './request-body';

/** Answers `POST /devices/{deviceId}/messages/events` of IoT Hub's device protocol over HTTP. */
export interface TelemetryEndpoint {
  /** Resolves when the request has been answered, whatever it was; never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Bytes of bodies being read or worked on. */
  bytesHeld(): number;
}

const PATH = /^\/devices\/([^/?]{1,256})\/messages\/events\/?(?:\?|$)/;
const CHILD = 'iothub-app-childdeviceid';
/** A child that was looked up may be forgotten meanwhile; more often than this is no coincidence. */
const MAXIMUM_TRIES = 3;
/** Whole ones that a device may be sending at once: else one key, with many slow requests, could take all the room. */
const BODIES_OF_A_DEVICE = 4;
/** In the metrics only: nobody was there to be answered. */
const CLIENT_CLOSED_REQUEST = 499;

export function createTelemetryEndpoint(options: {
  logger: Logger;
  metrics: GatewayMetrics;
  authentication: DeviceAuthentication;
  reception: Reception;
  /** All that the gateway holds, over all transports. */
  bytesInFlight: () => number;
  limits: GatewayLimits;
}): TelemetryEndpoint {
  const { logger, metrics, authentication, reception, limits } = options;
  let held = 0;
  /** The same by device, of those that are sending now. */
  const heldBy = new Map<string, number>();
  const hold = (deviceId: string, bytes: number): void => {
    held += bytes;
    const now = (heldBy.get(deviceId) ?? 0) + bytes;
    if (now > 0) heldBy.set(deviceId, now);
    else heldBy.delete(deviceId);
  };

  const fail = (response: ServerResponse, error: GatewayError): void => {
    metrics.request(ERROR_STATUS[error.code]);
    answerError(response, error);
  };

  /** What stands in the way before a byte of the body is read. */
  const refusalOfHeaders = (request: IncomingMessage): GatewayError | undefined => {
    if (request.method !== 'POST') {
      return { code: 'METHOD_NOT_ALLOWED', message: `${request.method ?? ''} is not served here: use POST` };
    }
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > limits.bodyBytes) return tooLarge(limits.bodyBytes);
    return options.bytesInFlight() + declared > limits.bytesInFlight ? full() : undefined;
  };

  const full = (): GatewayError => {
    metrics.throttled('bytes');
    const message = 'the gateway holds all the readings it may: send again';
    return { code: 'GATEWAY_BUSY', message, retryAfterSeconds: 1 };
  };

  const mostOfDevice = BODIES_OF_A_DEVICE * limits.bodyBytes;
  const tooMany = (): GatewayError => {
    metrics.throttled('device');
    const message = `the device sends more at once than ${mostOfDevice} bytes`;
    return { code: 'DEVICE_RATE_EXCEEDED', message, retryAfterSeconds: 1 };
  };

  const refusalOfRate = (device: DirectoryDevice, now: number): GatewayError | undefined => {
    const over = reception.overRate(device, now);
    if (over === undefined) return undefined;
    metrics.throttled(over.whose);
    const retryAfterSeconds = over.milliseconds / 1000;
    return over.whose === 'device'
      ? {
          code: 'DEVICE_RATE_EXCEEDED',
          message: 'the device sends more than its rate allows',
          retryAfterSeconds,
        }
      : {
          code: 'TENANT_RATE_EXCEEDED',
          message: 'the devices of this tenant send more than its rate allows',
          retryAfterSeconds,
        };
  };

  const unsupported = (contentType: string): GatewayError => ({
    code: 'UNSUPPORTED_CONTENT_TYPE',
    message: 'the content type or encoding is none that is taken: send UTF-8 of one of the expected types',
    where: {
      contentType: contentType.slice(0, 128),
      expected: [...reception.contentTypes, BATCH_CONTENT_TYPE],
    },
  });

  /** Decodes the body into the intake; an error is answered instead of the intake's own outcome. */
  const decode = (
    request: IncomingMessage,
    device: DirectoryDevice,
    body: Buffer,
    intake: Intake<DirectoryDevice>,
    receivedAt: number,
  ): GatewayError | undefined => {
    const { headers } = request;
    const httpType = headers['content-type'];
    if (!isPlainEncoding(headers['content-encoding'])) {
      const { 'content-encoding': contentEncoding, 'content-type': contentType } = headers;
      const error = unsupported(`content-encoding: ${contentEncoding}`);
      const childDeviceId = headers[CHILD]?.toString();
      const properties = { contentType, contentEncoding, childDeviceId };
      intake.refuseMessage(body, error.message, receivedAt, undefined, properties);
      return error;
    }
    if (
      httpType !== undefined &&
      httpType !== DEFAULT_CONTENT_TYPE &&
      mediaTypeOf(httpType) === BATCH_CONTENT_TYPE
    ) {
      return decodeBatch(device, body, intake, receivedAt);
    }
    const properties = readProperties((name) => headers[name]);
    if (typeof properties === 'string') {
      intake.refuseMessage(body, properties, receivedAt);
      return { code: 'PAYLOAD_INVALID', message: properties };
    }
    const contentType = properties.contentType ?? httpType ?? DEFAULT_CONTENT_TYPE;
    const decoded = reception.decode(intake, device, { ...properties, contentType }, body, receivedAt);
    if (decoded.kind === 'unsupported') {
      const error = unsupported(decoded.contentType);
      intake.refuseMessage(body, error.message, receivedAt, undefined, { ...properties, contentType });
      return error;
    }
    if (decoded.kind === 'taken') return undefined;
    return { code: 'PAYLOAD_INVALID', message: decoded.fault.message, where: decoded.fault.where };
  };

  const decodeBatch = (
    device: DirectoryDevice,
    body: Buffer,
    intake: Intake<DirectoryDevice>,
    receivedAt: number,
  ): GatewayError | undefined => {
    let batch: ReturnType<typeof parseBatch>;
    try {
      batch = parseBatch(body);
    } catch (error) {
      const { message, where } = error instanceof PayloadError ? error : new PayloadError('unreadable batch');
      intake.refuseMessage(body, message, receivedAt, undefined, { contentType: BATCH_CONTENT_TYPE });
      return { code: 'PAYLOAD_INVALID', message, where };
    }
    batch.forEach((each, index) => {
      if ('fault' in each) return intake.refuseMessage(each.body, each.fault, receivedAt, index);
      const { kind } = reception.decode(intake, device, each.properties, each.body, receivedAt, index);
      if (kind !== 'unsupported') return;
      const expected = reception.contentTypes.join(', ');
      const reason = `the content type or encoding is none that is taken: expected ${expected}`;
      intake.refuseMessage(each.body, reason, receivedAt, index, each.properties);
    });
    return undefined;
  };

  const answerIntake = (response: ServerResponse, intake: Intake, error: GatewayError | undefined): void => {
    const { readings, refusals } = intake;
    if (error !== undefined) return fail(response, error);
    if (refusals.length === 0) {
      metrics.request(204);
      if (response.destroyed) return;
      response.writeHead(204);
      response.end();
      return;
    }
    const outcome = { accepted: readings.length, refused: refusals };
    if (readings.length > 0) {
      metrics.request(200);
      return answerJson(response, 200, outcome);
    }
    const message = 'no reading was taken: each refused one is named with its reason';
    fail(response, { code: 'ALL_REFUSED', message, beside: outcome });
  };

  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    deviceId: string,
  ): Promise<void> => {
    const receivedAt = Date.now();
    const bad = refusalOfHeaders(request);
    if (bad) return fail(response, bad);
    const proof = request.headers.authorization ?? authentication.certificateOf(request.socket);
    const verdict = authentication.authenticate(deviceId, proof, receivedAt, request.socket);
    const authenticated = verdict instanceof Promise ? await verdict : verdict;
    if (authenticated.error) return fail(response, authenticated.error);
    const limited = refusalOfRate(authenticated.device, receivedAt);
    if (limited) return fail(response, limited);

    let mine = 0;
    try {
      const body = await readBody(request, limits.bodyBytes, (bytes) => {
        mine += bytes;
        hold(deviceId, bytes);
        // Thousands may have begun while there was room for each of them.
        return heldBy.get(deviceId)! <= mostOfDevice && options.bytesInFlight() <= limits.bytesInFlight;
      });
      if (body === 'aborted') return metrics.request(CLIENT_CLOSED_REQUEST);
      if (body === 'no-room') {
        const why = heldBy.get(deviceId)! > mostOfDevice ? tooMany() : full();
        return fail(response, { ...why, close: true });
      }
      if (body === 'too-large') return fail(response, tooLarge(limits.bodyBytes));
      if (!reception.connected()) return fail(response, streamUnavailable);
      const ask = () => authentication.authenticate(deviceId, proof, Date.now());
      await take(request, response, ask, body, receivedAt);
    } finally {
      hold(deviceId, -mine);
    }
  };

  /** @param ask for the device as it is now: its body and its children may have taken their time. */
  const take = async (
    request: IncomingMessage,
    response: ServerResponse,
    ask: () => Authenticated | Promise<Authenticated>,
    body: Buffer,
    receivedAt: number,
  ): Promise<void> => {
    let looked: Looked | undefined;
    for (let tries = 0; ; tries++) {
      const asked = ask();
      const verdict = asked instanceof Promise ? await asked : asked;
      if (verdict.error) return fail(response, verdict.error);
      const { device } = verdict;
      const intake = reception.open(device, { protocol: 'HTTP' }, looked);
      const error = decode(request, device, body, intake, receivedAt);
      if (intake.missing.size === 0) return submit(response, device, intake, error, receivedAt);
      if (tries === MAXIMUM_TRIES) return fail(response, directoryUnavailable);
      try {
        looked = await reception.look(device, intake);
      } catch {
        return fail(response, directoryUnavailable);
      }
    }
  };

  const submit = async (
    response: ServerResponse,
    device: DirectoryDevice,
    intake: Intake<DirectoryDevice>,
    error: GatewayError | undefined,
    receivedAt: number,
  ): Promise<void> => {
    try {
      // The device is answered only after Event Hubs accepted all that this request brought, refused readings too.
      await reception.submit(device, intake, receivedAt, 'HTTP');
    } catch {
      return fail(response, streamUnavailable);
    }
    answerIntake(response, intake, error);
  };

  return {
    async handle(request, response) {
      try {
        const deviceId = deviceIdOf(request.url ?? '');
        if (deviceId === undefined) {
          const message = 'nothing is served here: POST to /devices/{deviceId}/messages/events';
          return fail(response, { code: 'NOT_FOUND', message });
        }
        await serve(request, response, deviceId);
      } catch (error) {
        logger.error({ err: error }, 'a request failed');
        fail(response, { code: 'INTERNAL_ERROR', message: 'the gateway failed on this request' });
      }
    },
    bytesHeld: () => held,
  };
}

const directoryUnavailable: GatewayError = {
  code: 'DIRECTORY_UNAVAILABLE',
  message: 'the device registry cannot be asked about the children now: send again',
  retryAfterSeconds: 2,
};

const streamUnavailable: GatewayError = {
  code: 'STREAM_UNAVAILABLE',
  message: 'Event Hubs did not accept the readings: send again',
  retryAfterSeconds: 2,
};

function tooLarge(maximumBytes: number): GatewayError {
  const message = `a body may have ${maximumBytes} bytes: send less at once`;
  return { code: 'PAYLOAD_TOO_LARGE', message, where: { maximumBytes }, close: true };
}

function deviceIdOf(url: string): string | undefined {
  const encoded = PATH.exec(url)?.[1];
  if (encoded === undefined || !encoded.includes('%')) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
