import { DEMO_PEOPLE } from '../../../emulators/identity/people';
import { type Role } from '../../auth/scope';
import { createCosmos } from '../../store/cosmos';
import { seedTenants } from '../../store/seed';
import { type Endpoints } from './plans';

/**
 * The two demo tenants and who belongs to them. Everything else of the demo (buildings, devices) comes through the public
 * API, as anybody's would. Seeding again changes nothing.
 */
export async function seedDemoTenants(options: { endpoints: Endpoints; cosmosKey: string }): Promise<void> {
  const endpoint = /AccountEndpoint=([^;]+)/.exec(options.endpoints.cosmos)![1]!;
  const cosmos = createCosmos({ endpoint, key: options.cosmosKey }, 'atrium');
  try {
    await cosmos.ensureContainers();
    await seedTenants(cosmos, {
      tenants: [
        { id: 'ten_north', name: 'North Quay Estates' },
        { id: 'ten_south', name: 'South Gate Offices' },
      ],
      members: DEMO_PEOPLE.flatMap((person) =>
        person.tenant === null
          ? []
          : [
              {
                issuer: options.endpoints.identity,
                subject: person.subject,
                tenantId: `ten_${person.tenant}`,
                role: person.role as Role,
              },
            ],
      ),
    });
  } finally {
    cosmos.dispose();
  }
}
