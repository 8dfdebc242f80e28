import { Ctx, FieldResolver, registerEnumType, Resolver, Root } from 'type-graphql';
import { DEVICE_PROTOCOLS, type DeviceProtocol as Protocol } from '../../domain/device-protocol';
import { steppedLastSeen } from '../../domain/last-seen';
import { type LastSeen } from '../../store/device-activity';
import { type Context } from '../context';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { Device } from './device.type';

export const DeviceProtocol = Object.fromEntries(DEVICE_PROTOCOLS.map((name) => [name, name])) as Record<
  Protocol,
  Protocol
>;

registerEnumType(DeviceProtocol, {
  name: 'DeviceProtocol',
  description:
    'How a device’s messages reach the platform; of a relayed device, how those of its field gateway do.',
  valuesConfig: {
    HTTP: { description: 'HTTP, with TLS or without.' },
    MQTT: { description: 'MQTT 3.1.1, with TLS or without.' },
    AMQP: { description: 'AMQP 1.0, with TLS or without.' },
  },
});

@Resolver(() => Device)
export class LastSeenResolver {
  @Visible('with-parent')
  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'When its last message was taken, since it is yours and in its building; null where none was. In whole seconds, and up to about a minute behind: it is noted once a minute, not once a message. Of a device that measures what tells of presence, where you may not see that: while it sends as expected the beginning of the running interval (`intervalSeconds`), afterwards that of the interval in which it fell silent.',
  })
  async lastSeenAt(@Root() device: Device, @Ctx() context: Context): Promise<Date | null> {
    const seen = await lastSeenOf(device, context);
    if (seen === null) return null;
    const told = await context.loaders.toldDevices.load(device.buildingId);
    const { id, intervalSeconds } = device;
    return new Date(told.has(id) ? seen.at : steppedLastSeen(seen.at, intervalSeconds, Date.now()));
  }

  @Visible('with-parent')
  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'When its first telemetry was taken; null before, for one that has sent since before this was kept, and for one that measures what tells of presence, where you may not see that.',
  })
  async activatedAt(@Root() device: Device, @Ctx() { loaders }: Context): Promise<Date | null> {
    if (device.activated === null) return null;
    const told = await loaders.toldDevices.load(device.buildingId);
    return told.has(device.id) ? device.activated : null;
  }

  @Visible('with-parent')
  @FieldResolver(() => DeviceProtocol, {
    nullable: true,
    description: 'How the message of `lastSeenAt` came; null where there was none.',
  })
  async lastProtocol(@Root() device: Device, @Ctx() context: Context): Promise<Protocol | null> {
    return (await lastSeenOf(device, context))?.protocol ?? null;
  }
}

async function lastSeenOf({ seenKey }: Device, { loaders }: Context): Promise<LastSeen | null> {
  return seenKey === null ? null : loaders.lastSeen.load(seenKey);
}
