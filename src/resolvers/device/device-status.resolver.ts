import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql';
import { allowsSomewhere, spacesWith, type TenantScope } from '../../auth/scope';
import { type DeviceStatus as Status, MAXIMUM_DEVICES, type StatusesOf } from '../../store/device-statuses';
import { untoldQuantities } from '../../auth/presence';
import { loadBuilding } from '../building/building.resolver';
import { type Context } from '../context';
import { clientError } from '../errors';
import { MIN_INTERVAL, minIntervalOf } from '../min-interval';
import { INDEPENDENT, Visible } from '../rule';
import { Duration } from '../scalars';
import { type SharedStream, subscriberOf } from '../shared-stream';
import { DeviceStatus } from './device-status.type';

const MAXIMUM_IDS = 100;

interface Asked {
  deviceIds?: string[] | null;
  building?: string | null;
  minInterval?: number | null;
}

@Resolver()
export class DeviceStatusResolver {
  @Visible({ needs: 'device.read', of: 'arguments' }, INDEPENDENT)
  @Subscription(() => DeviceStatus, {
    description: `What devices are now, each by itself, and then every change: of their state within a second or two, of when they were last seen about once a minute. Name either devices or a building, of which at most ${MAXIMUM_DEVICES} devices are told of. Devices that do not exist or are not yours to see are not told of, nor is one that has left the building; where none of the devices that were named is left, it completes.`,
    subscribe: ({ args, context }) => subscribe(context as Context, args as Asked),
  })
  deviceStatus(
    @Root() status: DeviceStatus,
    @Arg('deviceIds', () => [ID], { nullable: true, description: `The devices’ ids, 1 to ${MAXIMUM_IDS}.` })
    _deviceIds?: string[] | null,
    @Arg('building', () => ID, { nullable: true, description: 'A building’s id: all devices in it.' })
    _building?: string | null,
    @Arg('minInterval', () => Duration, { nullable: true, description: MIN_INTERVAL })
    _minInterval?: number | null,
  ): DeviceStatus {
    return status;
  }
}

/** Throws NOT_FOUND for a building without devices that the caller may see, unknown or foreign, alike. */
async function subscribe(
  context: Context,
  { deviceIds, building, minInterval }: Asked,
): Promise<AsyncIterableIterator<DeviceStatus>> {
  if ((deviceIds == null) === (building == null)) {
    throw clientError('BAD_USER_INPUT', 'name either deviceIds or building');
  }
  const interval = minIntervalOf(minInterval);
  if (building != null) {
    const found = await loadBuilding(context, building);
    const target = { tenantId: found?.tenantId ?? '', buildingId: building };
    if (found === null || !allowsSomewhere(context.scope, 'device.read', target)) {
      throw clientError('NOT_FOUND', 'there is no such building, or its devices are not yours to see');
    }
    const rightsOf = (scope: TenantScope): string | null =>
      allowsSomewhere(scope, 'device.read', target)
        ? JSON.stringify([target, spacesWith(scope, 'device.read', target), untoldQuantities(scope, target)])
        : null;
    return subscriberOf(streamOf(context, rightsOf, () => ({ buildingId: building }), interval));
  }
  if (deviceIds!.length < 1 || deviceIds!.length > MAXIMUM_IDS) {
    throw clientError(
      'BAD_USER_INPUT',
      `deviceIds must be 1 to ${MAXIMUM_IDS}, they are ${deviceIds!.length}`,
    );
  }
  const ids = [...new Set(deviceIds!)];
  const documents = await Promise.all(ids.map((id) => context.loaders.device.load(id)));
  const devices = documents.flatMap((device) =>
    device === null ? [] : [{ id: device.id, tenantId: device.tenantId, buildingId: device.buildingId }],
  );
  // A device may move to another space meanwhile: what is told of one then depends on all the spaces that may be seen.
  const visible = (scope: TenantScope) =>
    devices.filter((device) => allowsSomewhere(scope, 'device.read', device));
  const rightsOf = (scope: TenantScope): string | null => {
    const seen = visible(scope);
    if (seen.length === 0) return null;
    return JSON.stringify(
      seen.map((device) => [
        device,
        spacesWith(scope, 'device.read', device),
        untoldQuantities(scope, device),
      ]),
    );
  };
  return subscriberOf(streamOf(context, rightsOf, (scope) => ({ devices: visible(scope) }), interval));
}

function streamOf(
  { services: { deviceStatuses } }: Context,
  rightsOf: (scope: TenantScope) => string | null,
  of: (scope: TenantScope) => StatusesOf,
  minInterval: number,
): SharedStream<DeviceStatus> {
  return {
    rightsOf,
    // The changes begin with what is.
    current: async () => [],
    changes: (scope) => shown(deviceStatuses.follow(scope, of(scope))),
    slotOf: ({ deviceId }) => deviceId,
    instantOf: ({ at }) => at,
    isUnchanged: (value, told) =>
      value.state === told.state &&
      value.buildingId === told.buildingId &&
      value.lastProtocol === told.lastProtocol &&
      value.lastSeenAt?.getTime() === told.lastSeenAt?.getTime(),
    minInterval,
    tenantOf: ({ tenantId }) => tenantId,
  };
}

function shown(statuses: AsyncIterableIterator<Status>): AsyncIterableIterator<DeviceStatus> {
  const values: AsyncIterableIterator<DeviceStatus> = {
    async next() {
      const { done, value } = await statuses.next();
      return done ? { done, value: undefined } : { done: false, value: DeviceStatus.of(value) };
    },
    async return() {
      await statuses.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => values,
  };
  return values;
}
