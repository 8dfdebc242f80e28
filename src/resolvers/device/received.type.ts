import { Field, ObjectType } from 'type-graphql';
import { type ReceivedDevice } from '../../store/registry/shown-once';
import { Visible } from '../rule';
import { Device } from './device.type';

export const IDEMPOTENCY_KEY =
  'Chosen by you, unique for this change: the same key with the same input gives the same device again, for 24 hours, without its secrets once they were shown.';

/** What a mutation that brings a device into one's hands answers. */
@ObjectType()
export abstract class Received {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now.' })
  device!: Device;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'What the device needs to connect, in Azure IoT Hub’s form: `HostName=...;DeviceId=...;SharedAccessKey=...`. Shown this once: keep it. Null when it was shown before, and for a device whose keys its manufacturer burned in.',
  })
  connectionString!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'Whether the secret was shown at an earlier call with the same idempotency key, or has been replaced since, and so is not shown now.',
  })
  secretsAlreadyShown!: boolean;

  @Visible('with-parent')
  @Field({
    description:
      'Whether its manufacturer burned its keys in: it connects by itself, and there is no secret to be shown. Rotate its credential with `revokeOther` to have keys that nobody else can know.',
  })
  keyedByManufacturer!: boolean;
}

export function receivedFields(
  { device, keys, factoryKeyed }: ReceivedDevice,
  gatewayHostName: string,
): Pick<Received, 'device' | 'connectionString' | 'secretsAlreadyShown' | 'keyedByManufacturer'> {
  return {
    device: Device.of(device),
    connectionString:
      keys === null
        ? null
        : `HostName=${gatewayHostName};DeviceId=${device.id};SharedAccessKey=${keys.primary}`,
    secretsAlreadyShown: keys === null && !factoryKeyed,
    keyedByManufacturer: factoryKeyed,
  };
}
