import { type Audit, serverAudits } from 'graphql-http';
import { NORTH, startApi, type TestApi } from './api.support';

/** The audits of the GraphQL-over-HTTP specification, one test each, against the API as it is configured by default. */
describe('GraphQL over HTTP', () => {
  let api: TestApi;
  let token: string;
  beforeAll(async () => {
    api = await startApi();
    ({ token } = await api.person('owner', NORTH, 'OWNER'));
  });
  afterAll(() => api.stop());

  const audits: Audit[] = serverAudits({
    url: () => `${api.url}/graphql`,
    fetchFn: (url: string, init?: RequestInit) =>
      fetch(url, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } }),
  });
  const warnings: string[] = [];

  it.each(audits.map(({ name, fn }) => ({ name, fn })))('$name', async ({ name, fn }) => {
    const result = await fn();
    if (result.status === 'warn') warnings.push(`${name}: ${result.reason}`);
    expect(result).not.toMatchObject({ status: 'error' });
  });

  it('gives cause for at most three warnings', () => {
    expect(audits).toHaveLength(61);
    expect(warnings.length).toBeLessThanOrEqual(3);
  });
});
