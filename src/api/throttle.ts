/** A bucket that holds so much and is filled again so fast, in units of cost. */
export interface BucketSize {
  capacity: number;
  restorePerSecond: number;
}

/** Of a client's own bucket: what stands in `extensions.cost.throttleStatus`. */
export interface ThrottleStatus {
  maximumAvailable: number;
  currentlyAvailable: number;
  restoreRate: number;
}

/** Who pays: a client by its principal, and the tenants that it belongs to, in equal parts. */
export interface Payer {
  client: string;
  tenants: readonly string[];
}

export type Charge =
  | { ok: true; status: ThrottleStatus }
  | {
      ok: false;
      status: ThrottleStatus;
      /** Whose bucket is short. */
      short: 'client' | 'tenant';
      /** After so long the same charge could be taken, if nothing else is charged meanwhile. */
      retryAfterSeconds: number;
    };

/**
 * Leaky buckets of cost by client and by tenant. Each replica holds all of them, charges its own requests at once and
 * hears of the others' by `takeUsage`: what they took in between can carry a bucket below zero and is then waited for. Until
 * the others have heard too, a replica spends no more of a bucket than its part of a tenth (or one operation), so that a
 * client has what one bucket gives, and at most a tenth of its capacity more, however many replicas it asks.
 */
export interface Throttle {
  charge(payer: Payer, cost: number): Charge;
  /** Gives back what was charged and not used. */
  refund(payer: Payer, cost: number): ThrottleStatus;
  /** What was charged here, less what was given back, since the last call: for the other replicas. */
  takeOwnUsage(): Record<string, number>;
  /** What another replica charged since it last said so; nothing, said every few seconds, tells that it is there. */
  takeUsage(replica: string, usage: Readonly<Record<string, number>>): void;
}

/** A bucket that nobody used for as long as it takes to fill is as one that was never there. */
const MAXIMUM_BUCKETS = 100_000;
/** What may be spent beyond a bucket while replicas do not know of each other's charges, as a share of its capacity. */
const UNKNOWN_SHARE = 0.1;
/** A replica that said nothing for so long is gone. */
const REPLICA_GONE_MS = 15_000;
const SOON_SECONDS = 1;

interface Bucket {
  size: BucketSize;
  /** As of `at`; below zero where other replicas took more than there was. */
  available: number;
  at: number;
}

export function createThrottle(options: {
  client: BucketSize;
  tenant: BucketSize;
  /** Milliseconds; defaults to the monotonic clock. */
  now?: () => number;
}): Throttle {
  const { now = () => performance.now() } = options;
  const buckets = new Map<string, Bucket>();
  let own = new Map<string, number>();
  /** By replica: when it was last heard. */
  const others = new Map<string, number>();

  /** Whether a charge must wait until the others have heard of those before it. */
  const isAhead = (key: string, amount: number): boolean => {
    const spent = own.get(key) ?? 0;
    if (others.size === 0 || spent <= 0) return false;
    return spent + amount > (sizeOf(key).capacity * UNKNOWN_SHARE) / others.size;
  };

  const sizeOf = (key: string): BucketSize => (key.startsWith('c:') ? options.client : options.tenant);

  /** Brought to this moment, and the youngest of all. */
  const bucketOf = (key: string): Bucket => {
    const at = now();
    const known = buckets.get(key);
    const bucket = known ?? { size: sizeOf(key), available: sizeOf(key).capacity, at };
    const { capacity, restorePerSecond } = bucket.size;
    bucket.available = Math.min(capacity, bucket.available + ((at - bucket.at) / 1000) * restorePerSecond);
    bucket.at = at;
    if (known) buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > MAXIMUM_BUCKETS) buckets.delete(buckets.keys().next().value!);
    return bucket;
  };

  const statusOf = ({ size, available }: Bucket): ThrottleStatus => ({
    maximumAvailable: size.capacity,
    currentlyAvailable: Math.max(0, Math.floor(available)),
    restoreRate: size.restorePerSecond,
  });

  const keysOf = ({ client, tenants }: Payer): { key: string; share: number }[] => [
    { key: `c:${client}`, share: 1 },
    ...tenants.map((tenant) => ({ key: `t:${tenant}`, share: 1 / tenants.length })),
  ];

  const take = (key: string, amount: number): void => {
    bucketOf(key).available -= amount;
    own.set(key, (own.get(key) ?? 0) + amount);
  };

  return {
    charge(payer, cost) {
      const keys = keysOf(payer);
      const client = bucketOf(keys[0]!.key);
      let short: 'client' | 'tenant' | undefined;
      let seconds = 0;
      for (const [index, { key, share }] of keys.entries()) {
        const bucket = index === 0 ? client : bucketOf(key);
        const missing = cost * share - bucket.available;
        if (missing <= 0 && !isAhead(key, cost * share)) continue;
        short ??= index === 0 ? 'client' : 'tenant';
        seconds = Math.max(seconds, SOON_SECONDS, missing / bucket.size.restorePerSecond);
      }
      if (short !== undefined) {
        return {
          ok: false,
          status: statusOf(client),
          short,
          retryAfterSeconds: Math.max(1, Math.ceil(seconds)),
        };
      }
      for (const { key, share } of keys) take(key, cost * share);
      return { ok: true, status: statusOf(client) };
    },
    refund(payer, cost) {
      const keys = keysOf(payer);
      if (cost > 0) for (const { key, share } of keys) take(key, -cost * share);
      return statusOf(bucketOf(keys[0]!.key));
    },
    takeOwnUsage() {
      const usage = Object.fromEntries([...own].filter(([, amount]) => amount !== 0));
      own = new Map();
      for (const [replica, heardAt] of others) {
        if (now() - heardAt > REPLICA_GONE_MS) others.delete(replica);
      }
      return usage;
    },
    takeUsage(replica, usage) {
      others.set(replica, now());
      for (const [key, amount] of Object.entries(usage)) {
        if (Number.isFinite(amount)) bucketOf(key).available -= amount;
      }
    },
  };
}
