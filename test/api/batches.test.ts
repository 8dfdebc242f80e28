import { buildBuilding, NORTH, type Person, startApi, type TestApi } from './api.support';

describe('a query over many objects', () => {
  let api: TestApi;
  let owner: Person;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
  });
  afterAll(() => api.stop());

  const callsFor = async (query: string, variables: object): Promise<string[]> => {
    api.storeCalls();
    const { errors } = await api.ask(owner, query, variables);
    expect(errors).toBeUndefined();
    return api.storeCalls();
  };

  it('asks the store as often for one device as for twenty', async () => {
    // Two of the same, because what was read of one is kept.
    const [first, second] = [
      await buildBuilding(api, owner, NORTH, { devices: 20 }),
      await buildBuilding(api, owner, NORTH, { devices: 20 }),
    ];
    const query = `query ($id: ID!, $n: Int!) { building(id: $id) { tenant { name } devices(first: $n) { nodes {
      building { name tenant { name } } space { name parent { name building { name } } }
      assignments { point { space { name } } }
    } } } }`;
    const one = await callsFor(query, { id: first.building.id, n: 1 });
    const twenty = await callsFor(query, { id: second.building.id, n: 20 });
    expect(twenty).toEqual(one);
    expect(one).toContain('readMany registry');
  });

  it('asks the store as often for the averages of one building as of five', async () => {
    for (let index = 0; index < 5; index++) await buildBuilding(api, owner, NORTH, { name: `B${index}` });
    const query = 'query ($n: Int!) { buildings(first: $n) { nodes { tenant { name } averages { mean } } } }';
    const count = async (n: number) =>
      (await callsFor(query, { n })).filter((call) => call.startsWith('readMany warm'));
    expect(await count(5)).toEqual(await count(1));
  });
});
