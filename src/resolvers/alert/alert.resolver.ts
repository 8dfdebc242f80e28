import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Resolver, Root, Subscription } from 'type-graphql';
import { type AlertSeverity as Severity } from '../../domain/alert';
import { loadBuilding } from '../building/building.resolver';
import { Building } from '../building/building.type';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { loadDevice } from '../device/device.resolver';
import { Device } from '../device/device.type';
import { Visible } from '../rule';
import { Space } from '../space/space.type';
import { storePage } from '../store-page';
import { type UserError, userErrorOf } from '../user-error.type';
import { AlertUpdate, type ToldOfAlerts } from './alert-update.type';
import { alertUpdates, MAXIMUM_BUILDINGS } from './alert-updates';
import {
  AcknowledgeAlertInput,
  AcknowledgeAlertResult,
  AcknowledgeAlertSuccess,
  Alert,
  AlertConnection,
  AlertFilterArguments,
} from './alert.type';
import { AlertSeverity } from './severity.type';

@Resolver(() => Building)
export class BuildingAlertsResolver {
  @Visible({ needs: 'alert.read', of: 'parts-of-parent' })
  @FieldResolver(() => AlertConnection, {
    nullable: true,
    description:
      'Its alerts that you may see, newest first, those that are over as long as they are kept; null, with an error, where your role shows none. A page may be short or empty although more follow: go on while `hasNextPage`.',
  })
  alerts(
    @Root() { id }: Building,
    @Args(() => PageArguments) page: PageArguments,
    @Args(() => AlertFilterArguments) { state, acknowledged, minimumSeverity }: AlertFilterArguments,
    @Ctx() { services: { alerting, cursors }, principal, scope }: Context,
  ): Promise<Connection<Alert>> {
    return storePage(page, {
      cursors,
      binding: {
        principalId: principal.id,
        list: 'Building.alerts',
        arguments: [id, state, acknowledged == null ? null : String(acknowledged), minimumSeverity],
      },
      fetch: (options) =>
        alerting.alerts(scope, id, {
          ...options,
          ...(state != null && { state }),
          ...(acknowledged != null && { acknowledged }),
          ...(minimumSeverity != null && { minimumSeverity }),
        }),
      toNode: Alert.of,
    });
  }
}

@Resolver(() => Alert)
export class AlertResolver {
  @Visible('with-parent')
  @FieldResolver(() => Building, {
    nullable: true,
    description: 'The building it is in; null where that is not yours to see any more.',
  })
  building(@Root() { buildingId }: Alert, @Ctx() context: Context): Promise<Building | null> {
    return loadBuilding(context, buildingId);
  }

  @Visible('with-parent')
  @FieldResolver(() => Space, {
    nullable: true,
    description: 'The space it is in; null for the building as a whole.',
  })
  async space(@Root() { buildingId, spaceId }: Alert, @Ctx() { loaders }: Context): Promise<Space | null> {
    const space = spaceId === null ? null : await loaders.space.load({ buildingId, id: spaceId });
    return space === null ? null : Space.of(space);
  }

  @Visible('with-parent')
  @FieldResolver(() => Device, {
    nullable: true,
    description: 'The device it is about; null where it is about none, or the device is not yours to see.',
  })
  device(@Root() { deviceId }: Alert, @Ctx() context: Context): Promise<Device | null> | null {
    return deviceId === null ? null : loadDevice(context, deviceId);
  }
}

@Resolver()
export class AcknowledgeAlertResolver {
  @Visible({ needs: 'alert.acknowledge', of: 'arguments' })
  @Mutation(() => AcknowledgeAlertResult, {
    description:
      'Says that somebody has seen to an alert. Who was first stands: doing so again changes nothing.',
  })
  async acknowledgeAlert(
    @Arg('input', () => AcknowledgeAlertInput, { description: 'The alert.' })
    { alertId, note }: AcknowledgeAlertInput,
    @Ctx() { services: { alerting }, scope }: Context,
  ): Promise<AcknowledgeAlertSuccess | UserError> {
    const outcome = await alerting.acknowledgeAlert(scope, alertId, note ?? null);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new AcknowledgeAlertSuccess(), { alert: Alert.of(outcome.value) });
  }
}

@Resolver()
export class AlertsSubscription {
  @Visible({ needs: 'alert.read', of: 'arguments' })
  @Subscription(() => AlertUpdate, {
    description:
      'The alerts of some buildings: those that are active first, or with `after` every event that was missed, then every event as it happens. None is dropped for a slow reader, and each is told once. Buildings that are not yours to see are not told of; with none that is, the subscription is refused.',
    subscribe: ({ args, context }) =>
      alertUpdates(
        context as Context,
        args as { buildingIds: string[]; minimumSeverity?: Severity | null; after?: string | null },
      ),
  })
  alerts(
    @Root() update: ToldOfAlerts,
    @Arg('buildingIds', () => [ID], { description: `The buildings, 1 to ${MAXIMUM_BUILDINGS}.` })
    _buildingIds: string[],
    @Arg('minimumSeverity', () => AlertSeverity, {
      nullable: true,
      description: 'Only alerts that are as bad, or worse.',
    })
    _minimumSeverity?: Severity | null,
    @Arg('after', () => String, {
      nullable: true,
      description:
        'A cursor of an earlier subscription, also of another choice of buildings: of those that it tells of every later event is told, of the others what is active.',
    })
    _after?: string | null,
  ): ToldOfAlerts {
    return update;
  }
}

export async function loadAlert(
  { services: { alerting }, scope }: Context,
  id: string,
): Promise<Alert | null> {
  const alert = await alerting.alert(scope, id);
  return alert === null ? null : Alert.of(alert);
}
