/** What one replica delivers to the subscribers of each tenant's values. */
export interface DeliveryBudget {
  /**
   * Takes so many deliveries.
   *
   * @returns milliseconds until all that was taken is paid: whoever delivers again only then keeps to the rate. Nothing is
   * ever refused.
   */
  take(tenantId: string, deliveries: number): number;
}

/** What a burst can cost afterwards. */
const MAXIMUM_DEBT_MS = 60_000;
/** A tenant without debt takes no memory beyond this many. */
const MAXIMUM_TENANTS = 1_000;

/** A leaky bucket for each tenant, kept as the instant at which it will have run empty. */
export function createDeliveryBudget(options: {
  deliveriesPerSecond: number;
  now?: () => number;
}): DeliveryBudget {
  const { deliveriesPerSecond, now = Date.now } = options;
  const emptyAt = new Map<string, number>();
  return {
    take(tenantId, deliveries) {
      const at = now();
      const before = Math.max(emptyAt.get(tenantId) ?? 0, at);
      const after = Math.min(before + (deliveries / deliveriesPerSecond) * 1_000, at + MAXIMUM_DEBT_MS);
      emptyAt.delete(tenantId);
      emptyAt.set(tenantId, after);
      if (emptyAt.size > MAXIMUM_TENANTS) {
        for (const [tenant, until] of emptyAt) if (until <= at) emptyAt.delete(tenant);
      }
      return after - at;
    },
  };
}
