import { refusal, type Reply } from './reply';

/** A fault asked for: what matches is answered with it instead of being done, as often as it says. */
export interface Fault {
  /** 429 as Azure answers when throughput is used up, or 503. Nothing was done in either case. */
  kind: 'throttle' | 'unavailable';
  /** `read`, `create`, `upsert`, `replace`, `delete`, `patch`, `batch`, `bulk`, `query`, `change feed`; absent: all. */
  operation?: string;
  /** The container's id; absent: all. */
  container?: string;
  /** Told to the client in x-ms-retry-after-ms. Default 100. */
  retryAfterMilliseconds: number;
  /** Requests that are still to meet it. */
  times: number;
}

/** The faults that wait to be met, in the order they were asked for. */
export interface Faults {
  add(fault: Partial<Fault> & { kind: Fault['kind'] }): void;
  list(): Fault[];
  clear(): void;
  /** The fault for one request, used up by one. */
  next(operation: string, container: string | undefined): Reply | undefined;
}

const DEFAULT_RETRY_MILLISECONDS = 100;

export function createFaults(): Faults {
  let faults: Fault[] = [];
  return {
    add(fault) {
      faults.push({ retryAfterMilliseconds: DEFAULT_RETRY_MILLISECONDS, times: 1, ...fault });
    },
    list: () => faults.map((fault) => ({ ...fault })),
    clear() {
      faults = [];
    },
    next(operation, container) {
      if (faults.length === 0) return undefined;
      const fault = faults.find(
        (each) =>
          (each.operation === undefined || each.operation === operation) &&
          (each.container === undefined || each.container === container),
      );
      if (!fault) return undefined;
      fault.times -= 1;
      if (fault.times <= 0) faults = faults.filter((each) => each !== fault);
      if (fault.kind === 'unavailable')
        return refusal(503, 'Service is currently unavailable.', { charge: 0 });
      return refusal(
        429,
        'Request rate is large. More Request Units may be needed, so no changes were made.',
        {
          substatus: 3200,
          charge: 0,
          headers: { 'x-ms-retry-after-ms': String(fault.retryAfterMilliseconds) },
        },
      );
    },
  };
}

/** A fault from a request's JSON, or what is wrong with it. */
export function readFault(input: unknown): Fault | { problem: string } {
  const { kind, operation, container, retryAfterMilliseconds, times } = (input ?? {}) as Record<
    string,
    unknown
  >;
  if (kind !== 'throttle' && kind !== 'unavailable') return { problem: 'kind is throttle or unavailable' };
  for (const [name, value] of Object.entries({ operation, container })) {
    if (value !== undefined && typeof value !== 'string') return { problem: `${name} is a text` };
  }
  for (const [name, value] of Object.entries({ retryAfterMilliseconds, times })) {
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= 0)) {
      return { problem: `${name} is a whole number of at least 0` };
    }
  }
  return {
    kind,
    operation: operation as string | undefined,
    container: container as string | undefined,
    retryAfterMilliseconds: (retryAfterMilliseconds as number | undefined) ?? DEFAULT_RETRY_MILLISECONDS,
    times: (times as number | undefined) ?? 1,
  };
}
