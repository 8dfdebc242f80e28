import { getOperationAST, parse } from 'graphql';
import { createDeliveryBudget } from '../../src/api/delivery-budget';
import { createFanOut, type FanOut } from '../../src/api/fan-out';
import { type sharingKey } from '../../src/api/sharing';
import { enforceRules } from '../../src/api/rules';
import { type Entitlement, type Principal } from '../../src/auth/scope';
import { quantityNamed, type QuantityName } from '../../src/domain/quantity';
import { createListeners } from '../../src/live/listeners';
import { averageStream } from '../../src/resolvers/average/average-stream';
import { Building } from '../../src/resolvers/building/building.type';
import { type Context, type Services } from '../../src/resolvers/context';
import { createSchema } from '../../src/resolvers/schema';
import { allows, tenantScope } from '../../src/auth/scope';
import { type SharedStream } from '../../src/resolvers/shared-stream';
import { type BuildingDocument } from '../../src/store/documents';
import { type MembershipListener } from '../../src/store/memberships';
import { average } from './api.support';

export const HOUSE = { id: 'bld_shared', tenantId: 'ten_shared' };
const SOURCE = `
  query Unasked { viewer { id } }
  subscription Means($building: ID!, $quantity: Quantity) {
    buildingAverage(building: $building, quantity: $quantity) { quantity mean }
  }
  subscription Counts($building: ID!, $quantity: Quantity) {
    buildingAverage(building: $building, quantity: $quantity) { quantity readings }
  }`;
const OTHER_SOURCE = SOURCE.replace('quantity mean', 'quantity minimum');

/** What two subscriptions may differ in; each part is one of the sharing key. */
export interface Asked {
  source: string;
  operation: 'Means' | 'Counts';
  quantity?: QuantityName;
  /** Null: all of them. */
  quantities: readonly QuantityName[] | null;
}
export const ASKED: Asked = { source: SOURCE, operation: 'Means', quantities: null };
export const DIFFERENT: Record<'source' | 'operation' | 'variables' | 'rights', Asked> = {
  source: { ...ASKED, source: OTHER_SOURCE },
  operation: { ...ASKED, operation: 'Counts' },
  variables: { ...ASKED, quantity: 'CO2_LEVEL' },
  rights: { ...ASKED, quantities: ['CO2_LEVEL'] },
};
export type KeyParts = Parameters<typeof sharingKey>[0];

const schema = enforceRules(createSchema());

/** A fan-out over values that the test tells, with people whose rights the test sets. */
export function buildFanOut(
  keyOf: (parts: KeyParts) => string,
  { deliveriesPerSecond = 1e6, minInterval = 0 } = {},
) {
  const listeners = createListeners();
  const rights = new Map<string, Entitlement[]>();
  const watchers = new Map<string, Set<MembershipListener>>();
  const house = { ...HOUSE, devicesByQuantity: {} };
  const services = {
    live: {
      latest: () => [],
      changes: (ids: readonly string[], quantity?: QuantityName) =>
        listeners.listen(ids, quantity && quantityNamed(quantity).code),
    },
    registry: { buildingsById: async () => [house] },
    averages: { latest: async () => [[]] },
  } as unknown as Services;
  const fanOut: FanOut = createFanOut({
    schema,
    services,
    memberships: {
      lately: async (id) => rights.get(id)!,
      watch(id, listener) {
        const all = watchers.get(id) ?? new Set();
        watchers.set(id, all.add(listener));
        return () => all.delete(listener);
      },
    },
    budget: createDeliveryBudget({ deliveriesPerSecond }),
    errorsOf: (errors) => errors.map(({ message }) => message),
    onDelivered: () => undefined,
  });
  let sequence = 0;
  return {
    fanOut,
    listening: listeners.count,
    /** One value of each of two quantities. */
    tell(mean: number): void {
      const position = { incarnation: 'one', partition: 0, sequence: ++sequence };
      const windowEnd = 1_000_000 + sequence;
      listeners.tell(average(HOUSE, { mean, minimum: mean - 1, readings: mean + 1, windowEnd, position }));
      const co2 = { quantityName: 'CO2_LEVEL' as const, mean: mean + 400, minimum: mean + 300 };
      listeners.tell(average(HOUSE, { ...co2, readings: mean + 2, windowEnd, position }));
    },
    setRights(id: string, entitlements: Entitlement[]): void {
      const before = rights.get(id);
      rights.set(id, entitlements);
      for (const listener of [...(watchers.get(id) ?? [])]) listener(entitlements, before);
    },
    /** Subscribes somebody of their own; `results` are the texts that were sent, until `hold` is set. */
    async subscribe(id: string, asked: Asked) {
      const principal: Principal = { kind: 'person', id, email: null, expiresAt: Infinity };
      const entitlement = entitled(asked.quantities);
      rights.set(id, [entitlement]);
      const scope = tenantScope(principal, [entitlement]);
      const variables = {
        building: HOUSE.id,
        ...(asked.quantity === undefined ? {} : { quantity: asked.quantity }),
      };
      const context = { services, scope } as unknown as Context;
      const stream = averageStream(context, {
        buildings: [Building.of(house as unknown as BuildingDocument)],
        quantity: asked.quantity,
        minInterval,
        places: [],
        corrections: false,
        sights: new Map([
          [
            HOUSE.id,
            (now, quantity) => {
              const { tenantId, id: buildingId } = HOUSE;
              return allows(now, 'average.read', { tenantId, buildingId, quantity }) ? 'WHOLE' : null;
            },
          ],
        ]),
      });
      const document = parse(asked.source);
      const operation = getOperationAST(document, asked.operation)!;
      const subscriber = {
        results: [] as string[],
        completed: false,
        /** What to call when the network has taken the last result; undefined where it takes everything at once. */
        held: undefined as (() => void)[] | undefined,
        leave: () => undefined as void,
      };
      subscriber.leave = fanOut.join({
        principal,
        document,
        operationName: asked.operation,
        variableValues: variables,
        requestId: id,
        keyOf: (rightsText) => keyOf({ source: asked.source, operation, variables, rights: rightsText }),
        stream: stream as SharedStream<unknown>,
        own: null,
        sink: {
          send(result, sent) {
            // How old it is differs from run to run: `freshness.test.ts` is about that.
            subscriber.results.push(String(result).replace(/,"extensions":\{"freshness":.*?\}\}\}/, ''));
            if (subscriber.held) subscriber.held.push(sent);
            else sent();
          },
          complete: () => (subscriber.completed = true),
          fail: (error) => {
            throw error;
          },
        },
      });
      return subscriber;
    },
  };
}

export function entitled(
  quantities: readonly QuantityName[] | null,
  until: number | null = null,
): Entitlement {
  return { tenantId: HOUSE.tenantId, buildingId: null, quantities, role: 'VIEWER', until };
}
