import { type Principal } from '../auth/scope';
import { type Origin } from '../domain/origin';
import { type Context, type Services } from '../resolvers/context';
import { createFreshness } from '../resolvers/freshness';
import { createLoaders } from '../resolvers/loaders';
import { type Scopes } from './scopes';

/** The context of one request, or of one subscription, which renews it before each event. */
export async function createContext(options: {
  services: Services;
  scopes: Scopes;
  principal: Principal;
  /** Whence it asks. */
  from: Origin;
  requestId: string;
  /** Aborted when the client goes. */
  signal: AbortSignal;
}): Promise<Context> {
  const { services, scopes, principal, from, requestId, signal } = options;
  const scope = await scopes.of(principal, from);
  const context = {
    services,
    principal,
    requestId,
    signal,
    scope,
    loaders: createLoaders(services, scope),
    freshness: createFreshness(),
    async renew() {
      context.scope = await scopes.lately(principal, from);
      context.loaders = createLoaders(services, context.scope);
      context.freshness = createFreshness();
      return context.scope;
    },
  };
  return context;
}
