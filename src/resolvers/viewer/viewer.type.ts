import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { ROLES, type Role as RoleName } from '../../auth/scope';
import { Visible } from '../rule';

export const Role = Object.fromEntries(ROLES.map((role) => [role, role])) as Record<RoleName, RoleName>;

registerEnumType(Role, {
  name: 'Role',
  description: 'What somebody may do in a tenant.',
  valuesConfig: {
    OWNER: { description: 'Everything, the administration of access included.' },
    MANAGER: { description: 'Buildings, rules, and the devices’ configuration.' },
    TECHNICIAN: { description: 'Provisions and replaces devices and sees their health.' },
    ANALYST: { description: 'Asks questions of what was measured and exports it.' },
    VIEWER: { description: 'Reads.' },
    OPERATOR: { description: 'Runs the platform; sees no telemetry unless granted for a limited time.' },
  },
});

@ObjectType('TenantMembership', { description: 'That somebody belongs to a tenant, and as what.' })
export class TenantMembership {
  tenantId!: string;

  @Visible('with-parent')
  @Field(() => Role, { description: 'What you may do there; a program, of that what its key names.' })
  role!: RoleName;
}

@ObjectType('Viewer', {
  description: 'The caller: a person, as the token says, or a program, by its API key.',
})
export class Viewer {
  @Visible('with-parent')
  @Field(() => ID, {
    description:
      'Stands for the issuer and the subject of the token; not an email address. Of a program its key’s id.',
  })
  id!: string;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'For display only, as the token gives it; null where it gives none, and for a program.',
  })
  email!: string | null;
}
