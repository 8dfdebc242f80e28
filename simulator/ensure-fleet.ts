import { ensureBuilding, type FleetBuilding, type PlannedBuilding } from './fleet';
import { type Session } from './session';

/** Buildings that are made at once: more only queue at the API. */
const AT_ONCE = 4;

/** Finds or creates every building of a plan, several at a time, in the order of the plan. */
export async function ensureFleet(
  session: Session,
  plans: readonly PlannedBuilding[],
  onProvisioned?: (devices: number) => void,
): Promise<FleetBuilding[]> {
  const buildings: FleetBuilding[] = new Array<FleetBuilding>(plans.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < plans.length) {
      const index = next++;
      buildings[index] = await ensureBuilding({
        api: session.api,
        credentials: session.credentials,
        tenantId: session.tenantId,
        plan: plans[index]!,
        ...(onProvisioned === undefined ? {} : { onProvisioned }),
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, plans.length) }, worker));
  return buildings;
}
