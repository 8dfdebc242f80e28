import { type GraphQLResolveInfo } from 'graphql';
import { type Place, type Run } from './run';

/** What is the same at each execution of a field. */
export type Told = Pick<
  GraphQLResolveInfo,
  'schema' | 'fragments' | 'operation' | 'returnType' | 'fieldNodes' | 'fieldName' | 'parentType'
>;

/**
 * What resolvers are told of a field asked under `key` of what stands at a place. Most look at nothing of it: what differs
 * from one execution to the next is made when it is looked at.
 */
export type InfoOf = (run: Run, place: Place | null) => GraphQLResolveInfo;

export function infoOf(told: Told, key: string): InfoOf {
  const common = Object.defineProperties(Object.create(null), {
    ...Object.getOwnPropertyDescriptors(told),
    path: {
      get(this: Asked) {
        return pathOf(this.asked.place, key);
      },
    },
    rootValue: {
      get(this: Asked) {
        return this.asked.run.root;
      },
    },
    variableValues: {
      get(this: Asked) {
        return this.asked.run.variables;
      },
    },
  }) as object;
  /** A constructor, as the engine makes its objects many times as quickly as those of `Object.create`. */
  function Info(this: Asked, run: Run, place: Place | null): void {
    this.asked = { run, place };
  }
  Info.prototype = common;
  const create = Info as unknown as new (run: Run, place: Place | null) => unknown;
  return (run, place) => new create(run, place) as GraphQLResolveInfo;
}

interface Asked {
  asked: { run: Run; place: Place | null };
}

/** Without the types that values lie in, which graphql-js names too. */
function pathOf(place: Place | null, key: string | number): GraphQLResolveInfo['path'] {
  const prev = place === null ? undefined : pathOf(place.parent, place.key);
  return { prev, key, typename: undefined };
}
