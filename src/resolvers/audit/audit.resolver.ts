import { Args, ArgsType, Ctx, Field, FieldResolver, ID, Resolver, Root } from 'type-graphql';
import { type AuditLogOf } from '../../store/registry/audit-log';
import { Building } from '../building/building.type';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { AuditEvent, AuditEventConnection } from './audit.type';

@ArgsType()
class AuditArguments extends PageArguments {
  @Field(() => DateTime, { nullable: true, description: 'Only events at this instant or later.' })
  from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Only events at this instant or earlier.' })
  to?: Date | null;

  @Field(() => ID, {
    nullable: true,
    description: 'Only events about this, also where an event names several devices.',
  })
  subject?: string | null;

  @Field(() => String, { nullable: true, description: 'Only events of this action, e.g. `device.retire`.' })
  action?: string | null;
}

@Resolver(() => Building)
export class BuildingAuditLogResolver {
  @Visible({ needs: 'audit.read', of: 'parent' })
  @FieldResolver(() => AuditEventConnection, {
    nullable: true,
    description:
      'What was changed in the building and its devices, the latest first; null, with an error, where your role does not show it.',
  })
  auditLog(
    @Root() { id }: Building,
    @Args(() => AuditArguments) page: AuditArguments,
    @Ctx() context: Context,
  ): Promise<Connection<AuditEvent>> {
    return auditLog(context, 'Building.auditLog', { buildingId: id }, page);
  }
}

@Resolver(() => Tenant)
export class TenantAuditLogResolver {
  @Visible({ needs: 'audit.read', of: 'parent' })
  @FieldResolver(() => AuditEventConnection, {
    nullable: true,
    description:
      'What was changed in no building: its stock of devices that nobody has claimed yet. The latest first; null, with an error, where your role does not show it.',
  })
  auditLog(
    @Root() { tenantId }: Tenant,
    @Args(() => AuditArguments) page: AuditArguments,
    @Ctx() context: Context,
  ): Promise<Connection<AuditEvent>> {
    return auditLog(context, 'Tenant.auditLog', { tenantId }, page);
  }
}

function auditLog(
  { services: { registry, cursors }, principal, scope }: Context,
  list: string,
  of: AuditLogOf,
  { from, to, subject, action, ...page }: AuditArguments,
): Promise<Connection<AuditEvent>> {
  const parent = 'buildingId' in of ? of.buildingId : of.tenantId;
  return storePage(page, {
    cursors,
    binding: {
      principalId: principal.id,
      list,
      arguments: [parent, from?.getTime(), to?.getTime(), subject, action],
    },
    fetch: (options) =>
      registry.auditLog(scope, of, {
        ...options,
        ...(from == null ? {} : { from: from.getTime() }),
        ...(to == null ? {} : { to: to.getTime() }),
        ...(subject == null ? {} : { subject }),
        ...(action == null ? {} : { action }),
      }),
    toNode: AuditEvent.of,
  });
}
