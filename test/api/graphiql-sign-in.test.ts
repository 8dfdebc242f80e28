import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import {
  createIdentityEmulator,
  DEMO_PEOPLE,
  type IdentityEmulator,
  WEB_CLIENT,
} from '../../emulators/identity';
import { eventually } from '../support/eventually';
import { NORTH, startApi, type TestApi } from './api.support';

const USER = 'owner@north.example';

/** What the page's script uses of a browser; it outlives the page, as a tab does. */
function openTab() {
  const storage = new Map<string, string>();
  return {
    storage,
    /** Loads the page at an address, as far as its sign-in goes. */
    async load(address: string) {
      const url = new URL(address);
      const page = await fetch(url, { headers: { accept: 'text/html' } });
      const html = await page.text();
      const script = await (await fetch(new URL('/graphiql/sign-in.js', url))).text();
      const elements: Record<string, Record<string, unknown>> = {
        provider: { textContent: /id="provider">([^<]*)</.exec(html)![1] },
        'provider-sign-in': {
          hidden: true,
          addEventListener: (_: string, pressed: () => void) =>
            void (elements['provider-sign-in']!['press'] = pressed),
        },
        'signed-in': { textContent: '' },
        token: { value: '' },
        'sign-in': { requestSubmit: () => void (elements['sign-in']!['submitted'] = true) },
      };
      const left: { to?: string; shown?: string } = {};
      const context = createContext({
        ...{ URL, URLSearchParams, TextEncoder, Uint8Array, crypto, fetch, btoa, elements },
        document: { getElementById: (id: string) => elements[id] },
        location: {
          ...{ origin: url.origin, pathname: url.pathname, search: url.search },
          assign: (to: string) => void (left.to = to),
        },
        history: { replaceState: (_: unknown, __: string, shown: string) => void (left.shown = shown) },
        sessionStorage: {
          getItem: (name: string) => storage.get(name) ?? null,
          setItem: (name: string, value: string) => void storage.set(name, value),
          removeItem: (name: string) => void storage.delete(name),
        },
      });
      runInContext(script, context);
      return { policy: page.headers.get('content-security-policy')!, elements, left };
    },
  };
}

/** What a person does at the provider: where it sends them afterwards. */
async function chooseThere(address: string, user: string): Promise<string> {
  const cookies = new Map<string, string>();
  let at = address;
  let form: string | undefined;
  for (let step = 0; step < 10; step++) {
    const response = await fetch(at, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form !== undefined && {
        method: 'POST',
        body: new URLSearchParams({ user: form }),
      }),
    });
    for (const each of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(each)!;
      cookies.set(name!, value!);
    }
    const to = response.headers.get('location');
    form = to === null ? user : undefined;
    if (to !== null) at = String(new URL(to, at));
    if (new URL(at).pathname === '/graphql') return at;
  }
  throw new Error(`the provider did not come to an end: ${at}`);
}

describe('the sign-in of GraphiQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-sign-in-'));
  let identity: IdentityEmulator;
  let issuer: string;
  let api: TestApi;
  beforeAll(async () => {
    identity = createIdentityEmulator({ host: '127.0.0.1', port: 0, dataDir: folder });
    ({ issuer } = await identity.start());
    api = await startApi({
      issuers: [issuer],
      pageSignIn: { issuer, clientId: WEB_CLIENT, scope: 'openid email api' },
    });
    const { subject } = DEMO_PEOPLE.find(({ email }) => email === USER)!;
    await api.registry.seedTenants({
      tenants: [{ id: NORTH, name: 'North' }],
      members: [{ issuer, subject, tenantId: NORTH, role: 'OWNER' }],
    });
  });
  afterAll(async () => {
    await api.stop();
    await identity.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('sends its user to the provider and comes back with a token that the API takes', async () => {
    const tab = openTab();
    const before = await tab.load(`${api.url}/graphql`);
    expect(before.policy).toMatch(new RegExp(`connect-src [^;]* ${issuer};`));
    expect(before.elements['provider-sign-in']!['hidden']).toBe(false);
    (before.elements['provider-sign-in']!['press'] as () => void)();
    await eventually(() => expect(before.left.to).toBeDefined());
    const back = await chooseThere(before.left.to!, USER);
    const after = await tab.load(back);
    await eventually(() => expect(after.elements['sign-in']!['submitted']).toBe(true));
    // The code stands nowhere any more.
    expect(after.left.shown).toBe('/graphql');
    expect([...tab.storage.keys()]).toEqual([]);
    const token = after.elements['token']!['value'] as string;
    const { data } = await api.ask<{ viewer: { email: string } }, object>({ token }, '{ viewer { email } }');
    expect(data!.viewer.email).toBe(USER);
  });

  it('finishes nothing that another tab began', async () => {
    const begun = openTab();
    const before = await begun.load(`${api.url}/graphql`);
    (before.elements['provider-sign-in']!['press'] as () => void)();
    await eventually(() => expect(before.left.to).toBeDefined());
    const back = await chooseThere(before.left.to!, USER);
    const other = await openTab().load(back);
    await eventually(() => expect(other.left.shown).toBe('/graphql'));
    expect(other.elements['sign-in']!['submitted']).toBeUndefined();
    expect(other.elements['token']!['value']).toBe('');
  });
});
