import { type AlertEventDocument } from '../store/alert-documents';
import { FrameError, SCHEMA_PROPERTY } from './frame';

/**
 * An alert's event on the averages stream: the document as it stands in `alerts`, as JSON, one an event. A replica of the
 * release before passes it by, as it does every schema that it does not know. Alerts are few: a schema of columns would
 * save nothing that counts.
 */
export const ALERTS_SCHEMA = 'alerts/1';

/** Whether an event of the averages stream tells of an alert, and not of values. */
export function tellsOfAlert(properties: Record<string, unknown> | undefined): boolean {
  return properties?.[SCHEMA_PROPERTY] === ALERTS_SCHEMA;
}

export function encodeAlertEvent(event: AlertEventDocument): Buffer {
  return Buffer.from(JSON.stringify(event));
}

/** @throws FrameError when the schema is another or the body is damaged; never anything else. */
export function decodeAlertEvent(
  body: unknown,
  properties: Record<string, unknown> | undefined,
): AlertEventDocument {
  if (!tellsOfAlert(properties)) {
    throw new FrameError(
      `unknown schema ${JSON.stringify(properties?.[SCHEMA_PROPERTY] ?? null)}, expected ${ALERTS_SCHEMA}`,
    );
  }
  if (!Buffer.isBuffer(body)) throw new FrameError('the body is not binary');
  let event: AlertEventDocument | null;
  try {
    event = JSON.parse(body.toString('utf8')) as AlertEventDocument | null;
  } catch (error) {
    throw new FrameError(`damaged alert of ${body.length} bytes: ${(error as Error).message}`);
  }
  const whole =
    event?.type === 'alertEvent' &&
    typeof event.buildingId === 'string' &&
    typeof event.tenantId === 'string' &&
    Number.isSafeInteger(event.number) &&
    typeof event.change === 'string' &&
    typeof event.alert?.id === 'string' &&
    typeof event.alert.ruleId === 'string';
  if (!whole) throw new FrameError(`no alert event in a body of ${body.length} bytes`);
  return event!;
}
