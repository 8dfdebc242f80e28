import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { type TwinDocument } from '../../store/documents';
import { Visible } from '../rule';
import { DateTime, JSONObject } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';

@ObjectType({
  description:
    'What a device was told to be and what it says it is: the properties of its twin, in Azure IoT Hub’s words.',
})
export class DeviceConfiguration {
  @Visible('with-parent')
  @Field(() => JSONObject, { description: 'What it was told to be; empty where it was told nothing.' })
  desired!: Record<string, unknown>;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How often `desired` was changed.' })
  desiredVersion!: number;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When `desired` was last changed; null where it never was.',
  })
  desiredAt!: Date | null;

  @Visible('with-parent')
  @Field(() => JSONObject, { description: 'What it says it is; empty before its first report.' })
  reported!: Record<string, unknown>;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How often `reported` was changed.' })
  reportedVersion!: number;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When a report of the device last changed `reported`; null before the first.',
  })
  reportedAt!: Date | null;

  static of(twin: TwinDocument): DeviceConfiguration {
    return Object.assign(new DeviceConfiguration(), {
      desired: twin.desired,
      desiredVersion: twin.desiredVersion,
      desiredAt: twin.desiredAt === null ? null : new Date(twin.desiredAt),
      reported: twin.reported,
      reportedVersion: twin.reportedVersion,
      reportedAt: twin.reportedAt === null ? null : new Date(twin.reportedAt),
    });
  }
}

@InputType({ description: 'What a device is to be told.' })
export class SetDeviceConfigurationInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field(() => JSONObject, {
    description:
      'Merged into what it was told before (JSON Merge Patch, RFC 7396): null removes, objects are merged, anything else replaces. In all at most 32 kB and 10 levels; keys without control characters, `.`, `$` and spaces; texts of at most 4 kB.',
  })
  desired!: Record<string, unknown>;

  @Field(() => Int, {
    nullable: true,
    description:
      'The `desiredVersion` that this is meant to change, 0 for the first: with another one it is refused. Null or left out to change whatever there is.',
  })
  expectedVersion?: number | null;
}

@ObjectType({ description: 'The device is told as soon as it is connected.' })
export class SetDeviceConfigurationSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device.' })
  device!: Device;

  @Visible('with-parent')
  @Field(() => DeviceConfiguration, { description: 'Its configuration as it is now.' })
  configuration!: DeviceConfiguration;
}

export const SetDeviceConfigurationResult = createUnionType({
  name: 'SetDeviceConfigurationResult',
  description: 'The configuration of the device, or why it is not changed.',
  types: () => [SetDeviceConfigurationSuccess, ...USER_ERROR_TYPES] as const,
});
