import { type Cosmos } from '../cosmos';
import { createHeldOfTenants, type HeldOfTenants } from '../held-of-tenants';
import { sharedWith } from '../registry/tenants';
import { type ReceivedGrantDocument, tenantOfReceived } from './documents';

/** What is shared with the tenants that somebody belongs to, kept current by the change feed that its holder follows. */
export type SharedGrants = HeldOfTenants<ReceivedGrantDocument>;

export function createSharedGrants(options: {
  cosmos: Pick<Cosmos, 'query'>;
  following(): boolean;
  current(): boolean;
  onRead(tenantId: string): void;
}): SharedGrants {
  const { cosmos, ...rest } = options;
  return createHeldOfTenants({
    ...rest,
    read: (tenantId) => sharedWith(cosmos, tenantId),
    tenantOf: tenantOfReceived,
  });
}
