import { Counter, Gauge, Histogram, type Registry } from '../observability/metrics';

export type ApiMeters = ReturnType<typeof createApiMeters>;

export function createApiMeters(registry: Registry) {
  const registers = [registry];
  let counts = (): { subscribers: number; groups: number } => ({ subscribers: 0, groups: 0 });
  for (const [name, help, of] of [
    [
      'atrium_api_shared_subscriptions',
      'Open subscriptions whose execution is shared. A number that only grows means that clients are not noticed leaving.',
      () => counts().subscribers,
    ],
    [
      'atrium_api_shared_executions',
      'Groups of subscriptions with the same document, variables and effective rights: each executes a change once. Near the number of subscriptions, nothing is shared: look for clients that write values into their documents.',
      () => counts().groups,
    ],
  ] as const) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(of());
      },
    });
  }
  let streams = (): number => 0;
  new Gauge({
    name: 'atrium_api_event_streams',
    help: 'Open streams of server-sent events. Together with the sockets near the limit, new ones are refused: add a replica.',
    registers,
    collect() {
      this.set(streams());
    },
  });
  return {
    observeStreams(open: () => number): void {
      streams = open;
    },
    /** Says where the numbers of shared subscriptions come from. */
    observe(shared: typeof counts): void {
      counts = shared;
    },
    duration: new Histogram({
      name: 'atrium_api_operation_seconds',
      help: 'From the parsed request to the answer, by kind of operation and transport. A p99 that stays over 0.5 s: look at the event loop lag and at the store.',
      labelNames: ['operation', 'transport'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    errors: new Counter({
      name: 'atrium_api_errors_total',
      help: 'Errors answered, by code. INTERNAL_SERVER_ERROR is a fault of ours: find it in the log by its request id. UNAUTHENTICATED that jumps: the identity provider or a client’s renewal broke.',
      labelNames: ['code'],
      registers,
    }),
    documents: new Counter({
      name: 'atrium_api_documents_total',
      help: 'Documents asked for, by how they were sent: text, id, or an id that is not registered with a tenant of the caller (unknown). Unknown that keeps up: a client was released without registering its documents, and sends each twice.',
      labelNames: ['sent'],
      registers,
    }),
    sockets: new Gauge({
      name: 'atrium_api_sockets',
      help: 'Open WebSocket connections. Near the limit, new ones are refused: add a replica.',
      registers,
    }),
    deliveries: new Counter({
      name: 'atrium_api_deliveries_total',
      help: 'Results sent over WebSocket and server-sent events. Flat while averages flow and subscriptions are open: the live values are interrupted.',
      registers,
    }),
  };
}
