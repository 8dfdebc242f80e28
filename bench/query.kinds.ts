import { createRequire } from 'node:module';
import { type Principal } from '../src/auth/scope';

/** Which server a process of the query bench is: ours, or another over the same schema, resolvers and store. */
export const KINDS = ['atrium', 'apollo', 'yoga', 'mercurius'] as const;
export type Kind = (typeof KINDS)[number];

export interface Setup {
  account: { endpoint: string; key: string };
  namespace: { connectionString: string };
  issuer: string;
  /** Whether the servers keep what they read, as the API does; else each request asks the store for all of it. */
  remember: boolean;
  /** As whom the others answer: they check no token. */
  principal: Principal;
}
/** To the server, which answers with seconds of CPU, or with resident bytes. */
export type Order = 'cpu' | 'memory';

/** What the bench uses of a module without type declarations, or with some that change GraphQL's for the whole program. */
export function untyped<Module>(name: string): Module {
  return createRequire(__filename)(name) as Module;
}
