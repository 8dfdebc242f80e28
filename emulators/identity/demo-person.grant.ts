import type Provider from 'oidc-provider';
import { type ResourceServer } from 'oidc-provider';
import { DEMO_PEOPLE, demoPersonByEmail } from './people';

export const DEMO_PERSON_GRANT = 'urn:atrium:demo-person';

/**
 * `POST /token` with `grant_type=urn:atrium:demo-person`, `client_id=atrium-cli` and `user=EMAIL`: an access token for a
 * demo person, without a password. It exists so that a command line works, and nowhere but in this stand-in.
 */
export async function registerDemoPersonGrant(
  provider: Provider,
  resource: { identifier: string; server: ResourceServer },
): Promise<void> {
  const { errors } = await import('oidc-provider');
  provider.registerGrantType<{ user?: string }>(
    DEMO_PERSON_GRANT,
    async (ctx) => {
      const { client, params } = ctx.oidc;
      const person = demoPersonByEmail(params.user ?? '');
      if (person === undefined) {
        const known = DEMO_PEOPLE.map(({ email }) => email).join(', ');
        // InvalidGrant keeps its reason to the log; here the reason is the answer.
        throw new errors.CustomOIDCProviderError(
          'invalid_grant',
          `'user' names nobody here, the demo people are ${known}`,
        );
      }
      const token = new provider.AccessToken({
        client,
        accountId: person.subject,
        scope: resource.server.scope,
        resourceServer: new provider.ResourceServer(resource.identifier, resource.server),
      } as ConstructorParameters<typeof provider.AccessToken>[0]);
      const value = await token.save();
      ctx.body = {
        access_token: value,
        expires_in: token.expiration,
        token_type: 'Bearer',
        scope: token.scope,
      };
    },
    ['user'],
  );
}
