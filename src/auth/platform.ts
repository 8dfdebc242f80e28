import { allows, type TenantScope } from './scope';

/** The tenant of those who run the platform. It owns no building, and nobody is invited to it. */
export const PLATFORM_TENANT = 'ten_platform';

/** An operator is somebody with that role here: in any other tenant the role gives nothing. */
export function runsPlatform(scope: TenantScope): boolean {
  return scope.principal.kind === 'person' && allows(scope, 'tenant.create', { tenantId: PLATFORM_TENANT });
}

/** How far ahead a grant may end that an operator accepts as a person, in milliseconds. */
export const OPERATORS_LONGEST_ACCESS_MS = 7 * 86_400_000;
