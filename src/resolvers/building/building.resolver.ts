import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { type DeviceState as State } from '../../domain/device';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Device, DeviceConnection, DeviceState } from '../device/device.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { Space } from '../space/space.type';
import { storePage } from '../store-page';
import { loadTenant } from '../tenant/tenant.resolver';
import { Tenant } from '../tenant/tenant.type';
import { Building, BuildingConnection } from './building.type';

@Resolver(() => Building)
export class BuildingResolver {
  @Visible('signed-in')
  @Query(() => BuildingConnection, { description: 'The buildings you may see, by name.' })
  buildings(
    @Args(() => PageArguments) page: PageArguments,
    @Arg('tenant', () => ID, { nullable: true, description: 'Only those of this tenant.' })
    tenantId: string | null | undefined,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<Building>> {
    const binding = { principalId: principal.id, list: 'Query.buildings', arguments: [tenantId] };
    return storePage(page, {
      cursors,
      binding,
      fetch: (options) =>
        registry.buildings(scope, { ...options, ...(tenantId == null ? {} : { tenantId }) }),
      toNode: Building.of,
    });
  }

  @Visible('signed-in')
  @Query(() => Building, {
    nullable: true,
    description: 'A building by its id; null where there is none or it is not yours to see.',
  })
  building(
    @Arg('id', () => ID, { description: 'The building’s id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Building | null> {
    return loadBuilding(context, id);
  }

  @Visible('with-parent')
  @FieldResolver(() => Tenant, { description: 'Who owns it.' })
  tenant(@Root() { tenantId }: Building, @Ctx() context: Context): Promise<Tenant> {
    return loadTenant(context, tenantId);
  }

  @Visible({ needs: 'building.read', of: 'parent' })
  @FieldResolver(() => [Space], {
    description: 'Its levels, rooms and zones that you may see, by name.',
  })
  async spaces(@Root() { id }: Building, @Ctx() { loaders }: Context): Promise<Space[]> {
    return (await loaders.spacesOf.load(id)).map(Space.of);
  }

  @Visible({ needs: 'device.read', of: 'parts-of-parent' })
  @FieldResolver(() => DeviceConnection, {
    nullable: true,
    description:
      'The devices in it that you may see, retired ones included; null, with an error, where your role does not show devices.',
  })
  devices(
    @Root() building: Building,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('state', () => DeviceState, { nullable: true, description: 'Only those in this state.' })
    state: State | null | undefined,
    @Arg('space', () => ID, { nullable: true, description: 'Only those in this space.' })
    spaceId: string | null | undefined,
    @Arg('model', () => String, { nullable: true, description: 'Only those of this model, by its name.' })
    model: string | null | undefined,
    @Arg('silentSince', () => DateTime, {
      nullable: true,
      description:
        'Only devices in service (`PROVISIONED` or `ACTIVE`) that were last heard before this instant, or never. `lastSeenAt` is up to a minute behind, so an instant of the last minutes shows devices that are well. A page may be short or empty although more follow: go on while `hasNextPage`.',
    })
    silentSince: Date | null | undefined,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<Device>> {
    const binding = {
      principalId: principal.id,
      list: 'Building.devices',
      arguments: [
        building.id,
        state,
        spaceId,
        // Left out where not given, as they were before there were any: cursors outlive an upgrade.
        ...(model == null && silentSince == null ? [] : [model, silentSince?.getTime()]),
      ],
    };
    return storePage(page, {
      cursors,
      binding,
      fetch: (options) =>
        registry.devices(scope, building.id, {
          ...options,
          ...(state == null ? {} : { state }),
          ...(spaceId == null ? {} : { spaceId }),
          ...(model == null ? {} : { model }),
          ...(silentSince == null ? {} : { silentSince: silentSince.getTime() }),
        }),
      toNode: Device.of,
    });
  }
}

export async function loadBuilding({ loaders }: Context, id: string): Promise<Building | null> {
  const document = await loaders.building.load(id);
  return document === null ? null : Building.of(document);
}
