import { Counter, Gauge, Histogram, type Registry } from '../../src/observability/metrics';
import { type Answer } from './service';
import { type CommitGroup } from './store/commit-group';

/** Meters requests, charges and the store, by container and operation, so that a design can be priced. */
export interface Metering {
  observe(answer: Answer, milliseconds: number): void;
}

export function createMetering(options: { registry: Registry; group: CommitGroup }): Metering {
  const { registry, group } = options;
  const registers = [registry];
  const durations = new Histogram({
    name: 'cosmos_request_seconds',
    help: 'Time to answer, server-side, by operation. Writes wait for the disk: a lasting p99 above 50 ms means a slow disk; of queries, that they look at many documents to find few.',
    labelNames: ['operation'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  const times = new Map<string, Histogram.Internal<string>>();
  const series = new Map<string, { labels: Record<string, string>; requests: number; charge: number }>();

  // Each request adds to plain numbers; they become metrics when somebody asks.
  new Counter({
    name: 'cosmos_request_units_total',
    help: 'Request units by container and operation. Its rate is the throughput that the design would pay for on Azure: look at the operation with the largest share first.',
    labelNames: ['container', 'operation'],
    registers,
    collect() {
      this.reset();
      for (const { labels, charge } of series.values()) {
        this.inc({ container: labels.container, operation: labels.operation }, charge);
      }
    },
  });
  new Counter({
    name: 'cosmos_requests_total',
    help: 'Requests by container, operation and status. A lasting share of 429 means a fault was asked for; of 412, writers that race for one document; of 400, a query that is not supported.',
    labelNames: ['container', 'operation', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { labels, requests } of series.values()) this.inc(labels, requests);
    },
  });
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  gauge(
    'cosmos_commit_groups',
    'Transactions so far. Writes divided by groups is how many share one flush of the disk.',
    () => group.statistics.groups,
  );
  gauge('cosmos_committed_writes', 'Writes so far.', () => group.statistics.writes);
  gauge(
    'cosmos_checkpoints',
    'Times the write-ahead log was folded into the database. Many a second means much is rewritten.',
    () => group.statistics.checkpoints,
  );

  return {
    observe({ reply, operation, route, container }, milliseconds) {
      const id = `${container?.number} ${operation} ${reply.status}`;
      let own = series.get(id);
      if (!own) {
        const name = container ? `${route!.database}/${route!.container}` : '';
        own = {
          labels: { container: name, operation, status: String(reply.status) },
          requests: 0,
          charge: 0,
        };
        series.set(id, own);
      }
      own.requests += 1;
      own.charge += reply.charge;
      let time = times.get(operation);
      if (!time) {
        time = durations.labels(operation);
        times.set(operation, time);
      }
      time.observe(milliseconds / 1000);
    },
  };
}
