import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';
import { type TenantScope } from '../auth/scope';
import { clientError } from '../resolvers/errors';
import { limitObjects } from './object-count';
import { type Payer, type Throttle, type ThrottleStatus } from './throttle';

/** What stands in `extensions.cost` of an answer, in the shape that Shopify's API made known. */
export interface CostExtension {
  requestedQueryCost: number;
  actualQueryCost: number | null;
  throttleStatus: ThrottleStatus;
}

/** A mutation writes, and what it writes is replicated and audited. */
const MUTATION = 10;
/** The whole schema is bounded by itself, and takes some twenty milliseconds. */
const INTROSPECTION = 1_000;

/** What an operation may cost, known before anything is resolved. */
export interface RequestedCost {
  most: number;
  /** Of that, what its questions over stored readings cost, whatever they find. */
  questions: number;
}

/**
 * What an operation may cost, known before anything is resolved: one for each object that the answer could hold by the page
 * sizes asked for, ten for a mutation, one for each item of a list that it is given, and
 * what its questions over stored readings cost by their ranges (`question-cost.ts`). At least one.
 * @throws DOCUMENT_TOO_COMPLEX where the answer could hold more objects than `maximumObjects`.
 */
export function requestedCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  maximumObjects: number,
): RequestedCost {
  const counted = limitObjects(schema, document, operation, variables, maximumObjects);
  const { questions } = counted;
  const objects =
    counted.objects +
    questions +
    (operation.selectionSet.selections.some(
      (each) => each.kind === Kind.FIELD && each.name.value === '__schema',
    )
      ? INTROSPECTION
      : 0);
  if (operation.operation !== OperationTypeNode.MUTATION) return { most: Math.max(1, objects), questions };
  const given = Object.values(variables).reduce<number>((sum, value) => sum + itemsIn(value, 0), 0);
  return { most: objects + MUTATION * operation.selectionSet.selections.length + given, questions };
}

/** How deep lists are looked for in what a mutation is given. */
const INPUT_DEPTH = 4;

function itemsIn(value: unknown, depth: number): number {
  if (value === null || typeof value !== 'object' || depth > INPUT_DEPTH) return 0;
  const within = Array.isArray(value) ? value : Object.values(value);
  return within.reduce<number>(
    (sum: number, each: unknown) => sum + itemsIn(each, depth + 1),
    Array.isArray(value) ? value.length : 0,
  );
}

/**
 * The objects that an answer holds, as `requestedCost` counts them, and its questions. At least one, and never more than was
 * asked for.
 */
export function actualCost(data: unknown, { most, questions }: RequestedCost): number {
  return Math.min(most, Math.max(1, objectsIn(data) - 1 + questions));
}

function objectsIn(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0;
  if (Array.isArray(value)) {
    let objects = 0;
    for (const each of value) {
      // A list of scalars is one from its first item on.
      if (each !== null && typeof each !== 'object') return 0;
      objects += objectsIn(each);
    }
    return objects;
  }
  let objects = 1;
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    if (field !== null && typeof field === 'object') objects += objectsIn(field);
  }
  return objects;
}

/** Gives back what an executed operation did not use, and says in its result what it cost. */
export function withCost<Result extends { data?: unknown; extensions?: Record<string, unknown> }>(
  result: Result,
  throttle: Throttle,
  payer: Payer,
  requested: RequestedCost,
): Result {
  const actual = actualCost(result.data, requested);
  const cost: CostExtension = {
    requestedQueryCost: requested.most,
    actualQueryCost: actual,
    throttleStatus: throttle.refund(payer, requested.most - actual),
  };
  return { ...result, extensions: { ...result.extensions, cost } };
}

/** A principal pays as itself, and for the tenants it belongs to. */
export function payerOf({ principal, entitlements }: TenantScope): Payer {
  // Whoever shares a building pays for none of the questions that others ask about it.
  const own = entitlements.filter(({ grantId }) => grantId === undefined);
  return { client: principal.id, tenants: [...new Set(own.map(({ tenantId }) => tenantId))] };
}

/**
 * Takes the cost of an operation before it runs.
 * @throws RATE_LIMITED with the seconds after which it may be tried again, DOCUMENT_TOO_COMPLEX where it never could.
 */
export function takeCost(throttle: Throttle, payer: Payer, cost: number): ThrottleStatus {
  const charge = throttle.charge(payer, cost);
  if (charge.ok) return charge.status;
  const { status, short, retryAfterSeconds } = charge;
  if (cost > status.maximumAvailable) {
    throw clientError(
      'DOCUMENT_TOO_COMPLEX',
      `the operation could cost ${cost}, and at most ${status.maximumAvailable} can be had at once: ask for smaller pages or shorter ranges`,
    );
  }
  const whose = short === 'client' ? 'you have' : 'your tenant has';
  throw new GraphQLError(
    `the operation could cost ${cost}, and ${whose} less left: try again in ${retryAfterSeconds} s`,
    {
      extensions: {
        code: 'RATE_LIMITED',
        retryAfterSeconds,
        cost: { requestedQueryCost: cost, actualQueryCost: null, throttleStatus: status },
      },
    },
  );
}
