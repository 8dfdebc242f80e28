import { DEMO_PEOPLE } from '../../../emulators/identity/people';
import { PLATFORM_TENANT } from '../../auth/platform';
import { createCosmos } from '../../store/cosmos';
import { createKeyring } from '../../store/keyring';
import { createRegistry } from '../../store/registry';
import { type LocalSecrets } from './data-folder';
import { type Endpoints } from './plans';

/**
 * The two demo tenants and who belongs to them, and who runs the platform. Everything else of the demo (buildings, devices)
 * comes through the public API, as anybody's would. Seeding again changes nothing.
 */
export async function seedDemoTenants(options: {
  endpoints: Endpoints;
  secrets: LocalSecrets;
}): Promise<void> {
  const endpoint = /AccountEndpoint=([^;]+)/.exec(options.endpoints.cosmos)![1]!;
  const cosmos = createCosmos({ endpoint, key: options.secrets.cosmosKey }, 'atrium');
  try {
    await cosmos.ensureContainers();
    const keyring = createKeyring(Buffer.from(options.secrets.deviceKeyEncryptionKey, 'base64'));
    const issuer = options.endpoints.identity;
    await createRegistry({ cosmos, keyring }).seedTenants({
      tenants: [
        { id: 'ten_north', name: 'North Quay Estates' },
        { id: 'ten_south', name: 'South Gate Offices' },
        { id: PLATFORM_TENANT, name: 'The platform' },
      ],
      members: DEMO_PEOPLE.flatMap(({ subject, tenant, role }) => {
        const tenantId = role === 'OPERATOR' ? PLATFORM_TENANT : tenant && `ten_${tenant}`;
        return tenantId === null ? [] : [{ issuer, subject, tenantId, role }];
      }),
      // What people were made since by those who administer the tenants stays.
      onlyMissing: true,
    });
  } finally {
    cosmos.stop();
  }
}
