import { closeSync, openSync, writeSync } from 'node:fs';
import { type QuantityName } from '../src/domain/quantity';
import { OperatorError } from '../src/observability/operator-error';

export interface LoggedReading {
  deviceId: string;
  quantity: QuantityName;
  /** Milliseconds since 1970; written as RFC 3339. */
  observedAt: number;
  /** In the quantity's canonical unit. */
  value: number;
}

/**
 * One JSON line for every attempt to send a reading and for every acknowledged one. A `sent` line is on file before its
 * request leaves, so that whatever the platform stores was logged, also when this process dies.
 */
export interface SendLog {
  write(event: 'sent' | 'acknowledged', reading: LoggedReading, at: number): void;
  flush(): void;
  close(): void;
}

export function createSendLog(file: string): SendLog {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'w');
  } catch (error) {
    throw new OperatorError(
      `the log ${file} cannot be written (${(error as Error).message}): choose another --log`,
    );
  }
  let lines = '';
  const flush = (): void => {
    if (lines === '') return;
    writeSync(descriptor, lines);
    lines = '';
  };
  return {
    write(event, { deviceId, quantity, observedAt, value }, at) {
      lines +=
        `{"event":"${event}","deviceId":${JSON.stringify(deviceId)},"quantity":"${quantity}",` +
        `"observedAt":"${new Date(observedAt).toISOString()}","value":${JSON.stringify(value)},` +
        `"at":"${new Date(at).toISOString()}"}\n`;
    },
    flush,
    close() {
      flush();
      closeSync(descriptor);
    },
  };
}
