import { createSchema } from '../../src/resolvers/schema';
import { type OwnWorld, startWorld } from './in-process';
import { type Disturbance, disturbed, isCaught, loaderMutants, ruleMutants, survivorsIn } from './mutants';
import { buildTenants, type Tenants } from './tenants';

describe('mutants of what keeps tenants apart', () => {
  const disturbance: Disturbance = { method: null, scope: null };
  let world: OwnWorld;
  let tenants: Tenants;
  beforeAll(async () => {
    world = await startWorld({ wrapRegistry: (registry) => disturbed(registry, disturbance) });
    tenants = await buildTenants(world);
  });
  afterAll(() => world?.stop());

  it('are caught where any rule before a field asks for less than it should', async () => {
    const mutants = ruleMutants(createSchema());
    const survivors: string[] = [];
    for (const mutant of mutants) {
      if (!(await isCaught(world, tenants, mutant))) survivors.push(mutant.name);
    }
    expect(survivors.sort()).toEqual(survivorsIn(mutants));
    expect(mutants.length - survivors.length).toBeGreaterThan(10);
  });

  it('are caught where a loader is made with another’s scope', async () => {
    const survivors: string[] = [];
    for (const mutant of loaderMutants(disturbance, tenants)) {
      if (!(await isCaught(world, tenants, mutant))) survivors.push(mutant.name);
    }
    expect(survivors).toEqual([]);
  });
});
