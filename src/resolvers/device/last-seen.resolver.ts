import { Ctx, FieldResolver, registerEnumType, Resolver, Root } from 'type-graphql';
import { DEVICE_PROTOCOLS, type DeviceProtocol as Protocol } from '../../domain/device-protocol';
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
      'When its last message was taken, since it is yours and in its building; null where none was. In whole seconds, and up to about a minute behind: it is noted once a minute, not once a message.',
  })
  async lastSeenAt(@Root() device: Device, @Ctx() context: Context): Promise<Date | null> {
    const seen = await lastSeenOf(device, context);
    return seen === null ? null : new Date(seen.at);
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
