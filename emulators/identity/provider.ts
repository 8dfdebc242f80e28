import type Provider from 'oidc-provider';
import { type Configuration, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import { DEMO_PERSON_GRANT, registerDemoPersonGrant } from './demo-person.grant';
import { type ProviderKeys, SIGNING_ALGORITHM } from './keys';
import { createMemory } from './memory';
import { demoPersonBySubject } from './people';
import { messagePage } from './sign-in.page';

/** The resource (RFC 8707) that access tokens are for: Atrium's GraphQL API. */
export const API_RESOURCE = 'https://api.atrium.example/';
export const CLI_CLIENT = 'atrium-cli';
export const WEB_CLIENT = 'atrium-web';
export const ACCESS_TOKEN_SECONDS = 3_600;

const apiServer: ResourceServer = {
  scope: 'api',
  audience: API_RESOURCE,
  accessTokenFormat: 'jwt',
  accessTokenTTL: ACCESS_TOKEN_SECONDS,
  jwt: { sign: { alg: SIGNING_ALGORITHM } },
};

/**
 * The OpenID provider: authorization code with PKCE for pages (GraphiQL, dashboards) and the demo-person grant for the
 * command line. Every access token is a JWT for the one API, with the person's email inside.
 */
export async function createProvider(options: {
  issuer: string;
  keys: ProviderKeys;
  /** Where a page may be sent back to. On a loopback address any port will do (RFC 8252, section 7.3). */
  redirectUris: readonly string[];
}): Promise<Provider> {
  const { default: OpenIdProvider, errors, interactionPolicy } = await import('oidc-provider');

  // Signing in is all that is asked of a person: both clients are the platform's own, so nobody is asked for consent.
  const prompts = interactionPolicy.base();
  prompts.remove('consent');

  const configuration: Configuration = {
    adapter: createMemory(),
    jwks: options.keys.jwks as Configuration['jwks'],
    cookies: { keys: options.keys.cookies },
    clients: [
      {
        client_id: CLI_CLIENT,
        token_endpoint_auth_method: 'none',
        grant_types: [DEMO_PERSON_GRANT],
        response_types: [],
        redirect_uris: [],
      },
      {
        client_id: WEB_CLIENT,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [...options.redirectUris],
      },
    ],
    clientBasedCORS: (_ctx, origin) => isLoopback(new URL(origin).hostname),
    claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
    scopes: ['openid', 'email', 'profile', 'api'],
    pkce: { required: () => true },
    responseTypes: ['code'],
    findAccount: (_ctx, subject) => {
      const person = demoPersonBySubject(subject);
      return (
        person && {
          accountId: person.subject,
          claims: () => ({ sub: person.subject, email: person.email, name: person.name }),
        }
      );
    },
    extraTokenClaims: (_ctx, token) => {
      const email = token.kind === 'AccessToken' && demoPersonBySubject(token.accountId)?.email;
      return email ? { email } : undefined;
    },
    loadExistingGrant: (ctx) => grantEverything(ctx),
    interactions: { policy: prompts, url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API_RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, identifier) => {
          if (identifier !== API_RESOURCE) {
            throw new errors.InvalidTarget(`'resource' is not ${API_RESOURCE}`);
          }
          return apiServer;
        },
      },
    },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = messagePage('That did not work', out.error_description ?? out.error);
    },
    ttl: {
      AccessToken: ACCESS_TOKEN_SECONDS,
      AuthorizationCode: 60,
      Grant: 24 * 3_600,
      IdToken: ACCESS_TOKEN_SECONDS,
      Interaction: 3_600,
      Session: 24 * 3_600,
    },
  };
  const provider = new OpenIdProvider(options.issuer, configuration);
  await registerDemoPersonGrant(provider, { identifier: API_RESOURCE, server: apiServer });
  return provider;
}

async function grantEverything(ctx: KoaContextWithOIDC) {
  const { client, session, provider } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! });
  grant.addOIDCScope('openid email profile');
  grant.addResourceScope(API_RESOURCE, apiServer.scope);
  await grant.save();
  return grant;
}

export function isLoopback(host: string): boolean {
  return ['127.0.0.1', 'localhost', '::1', '[::1]'].includes(host);
}
