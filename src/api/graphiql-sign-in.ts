/** Where GraphiQL's user is signed in: an OpenID provider that knows the page as a public client. */
export interface PageSignIn {
  issuer: string;
  clientId: string;
  /** With what the provider needs to give an access token for this API. */
  scope: string;
}

/** What must be in the page's policy, so that it may ask the provider for its addresses and for the token. */
export function signInOrigin(signIn: PageSignIn | undefined): string | undefined {
  return signIn && new URL(signIn.issuer).origin;
}

/**
 * Signs the page's user in by the authorization code flow with PKCE (RFC 7636), and hands the access token to the page's
 * own form. The browser's, not this process's, so that it stands here as text.
 */
export const SIGN_IN_SCRIPT = `'use strict';
(() => {
  const settings = JSON.parse(document.getElementById('provider').textContent);
  const button = document.getElementById('provider-sign-in');
  if (!settings) return;
  button.hidden = false;
  const status = document.getElementById('signed-in');
  const here = location.origin + location.pathname;
  const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
  const provider = async () => {
    const response = await fetch(settings.issuer.replace(/\\/$/, '') + '/.well-known/openid-configuration');
    const found = await response.json();
    if (found.issuer !== settings.issuer) throw new Error('another provider answers');
    return found;
  };

  const begin = async () => {
    const { authorization_endpoint } = await provider();
    const verifier = random();
    const state = random();
    sessionStorage.setItem('atrium-sign-in', JSON.stringify({ verifier, state }));
    const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
    const address = new URL(authorization_endpoint);
    for (const [name, value] of Object.entries({
      response_type: 'code', client_id: settings.clientId, redirect_uri: here, scope: settings.scope, state,
      code_challenge: challenge, code_challenge_method: 'S256',
    })) address.searchParams.set(name, value);
    location.assign(String(address));
  };

  const finish = async (answer) => {
    const begun = JSON.parse(sessionStorage.getItem('atrium-sign-in') || 'null');
    sessionStorage.removeItem('atrium-sign-in');
    // A code stays in no address and no history.
    history.replaceState(null, '', location.pathname);
    // What somebody else began is finished by nobody here.
    if (!begun || begun.state !== answer.get('state')) return;
    if (answer.get('error')) throw new Error(answer.get('error_description') || answer.get('error'));
    const { token_endpoint } = await provider();
    const response = await fetch(token_endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: String(new URLSearchParams({
        grant_type: 'authorization_code', client_id: settings.clientId, redirect_uri: here,
        code: answer.get('code'), code_verifier: begun.verifier,
      })),
    });
    const { access_token, error_description } = await response.json();
    if (!access_token) throw new Error(error_description || 'the provider gave no token');
    document.getElementById('token').value = access_token;
    document.getElementById('sign-in').requestSubmit();
  };

  const failed = (error) => { status.textContent = 'not signed in: ' + error.message; };
  button.addEventListener('click', () => void begin().catch(failed));
  const answer = new URLSearchParams(location.search);
  if (answer.has('state')) finish(answer).catch(failed);
})();
`;
