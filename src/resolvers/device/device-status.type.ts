import { Field, ID, ObjectType } from 'type-graphql';
import { type DeviceState as State } from '../../domain/device';
import { type DeviceProtocol as Protocol } from '../../domain/device-protocol';
import { type DeviceStatus as Status } from '../../store/device-statuses';
import { INDEPENDENT, Visible } from '../rule';
import { DateTime } from '../scalars';
import { DeviceState } from './device.type';
import { DeviceProtocol } from './last-seen.resolver';

@ObjectType('DeviceStatus', { description: 'What is known of a device’s health now.' })
export class DeviceStatus {
  tenantId!: string;
  at!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { description: 'The building it is in.' })
  buildingId!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DeviceState, { description: 'Where it is in its life.' })
  state!: State;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, {
    nullable: true,
    description:
      'When its last message was taken, as `Device.lastSeenAt` says it: in whole seconds, and up to about a minute behind. Null where none was. For a device that measures what tells of presence, where you may not see that, it is told with each change of state alone.',
  })
  lastSeenAt!: Date | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DeviceProtocol, {
    nullable: true,
    description: 'How the message of `lastSeenAt` came; null where that is.',
  })
  lastProtocol!: Protocol | null;

  static of({ deviceId, tenantId, buildingId, state, lastSeen, at }: Status): DeviceStatus {
    return Object.assign(new DeviceStatus(), {
      tenantId,
      at,
      deviceId,
      buildingId,
      state,
      lastSeenAt: lastSeen === null ? null : new Date(lastSeen.at),
      lastProtocol: lastSeen?.protocol ?? null,
    });
  }
}
