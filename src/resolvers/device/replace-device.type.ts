import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';
import { IDEMPOTENCY_KEY, Received } from './received.type';

@InputType({ description: 'A device that was not known before, as a replacement.' })
export class NewReplacementInput {
  @Field({ description: 'Its model, as in `NewDeviceInput`.' })
  model!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'What its manufacturer printed on it, unique per manufacturer; null or left out where there is none.',
  })
  serialNumber?: string | null;
}

@InputType({ description: 'A device from a manufacturer’s stock, as a replacement.' })
export class StockReplacementInput {
  @Field({ description: 'Its serial number, as printed on it or in its QR code.' })
  serialNumber!: string;

  @Field({ description: 'Its one-time claim code, as printed on it or in its QR code.' })
  claimCode!: string;
}

@InputType({ description: 'A device and what takes its place: either a new device or one from stock.' })
export class ReplaceDeviceInput {
  @Field(() => ID, { description: 'The device that is replaced.' })
  deviceId!: string;

  @Field(() => NewReplacementInput, {
    nullable: true,
    description: 'A device that was not known before; null or left out where it comes from stock.',
  })
  newDevice?: NewReplacementInput | null;

  @Field(() => StockReplacementInput, {
    nullable: true,
    description: 'A device from a manufacturer’s stock; null or left out where it is new.',
  })
  fromStock?: StockReplacementInput | null;

  @Field(() => String, {
    nullable: true,
    description: 'What people will call it; null or left out: as the replaced one is called.',
  })
  name?: string | null;

  @Field({ description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The other device has taken its place and may connect.' })
export class ReplaceDeviceSuccess extends Received {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device that was replaced, retired now.' })
  replaced!: Device;
}

export const ReplaceDeviceResult = createUnionType({
  name: 'ReplaceDeviceResult',
  description: 'The device that has taken the place, with its credentials, or why none has.',
  types: () => [ReplaceDeviceSuccess, ...USER_ERROR_TYPES] as const,
});
