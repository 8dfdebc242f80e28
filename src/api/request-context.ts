import { type Principal } from '../auth/scope';
import { type Context, type Services } from '../resolvers/context';
import { createLoaders } from '../resolvers/loaders';
import { type Scopes } from './scopes';

/** The context of one request, or of one subscription, which renews it before each event. */
export async function createContext(options: {
  services: Services;
  scopes: Scopes;
  principal: Principal;
  requestId: string;
  /** Aborted when the client goes. */
  signal: AbortSignal;
}): Promise<Context> {
  const { services, scopes, principal, requestId, signal } = options;
  const scope = await scopes.of(principal);
  const context = {
    services,
    principal,
    requestId,
    signal,
    scope,
    loaders: createLoaders(services, scope),
    async renew() {
      context.scope = await scopes.lately(principal);
      context.loaders = createLoaders(services, context.scope);
      return context.scope;
    },
  };
  return context;
}
