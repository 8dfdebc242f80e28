import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { USER_ERROR_TYPES } from '../user-error.type';
import { IDEMPOTENCY_KEY, Received } from './received.type';

@InputType({ description: 'A device that is to be claimed by what is printed on it.' })
export class ClaimDeviceInput {
  @Field({ description: 'Its serial number, as printed on it or in its QR code.' })
  serialNumber!: string;

  @Field({
    description:
      'Its one-time claim code, as printed on it or in its QR code: 26 letters and digits. Hyphens, spaces and case don’t matter.',
  })
  claimCode!: string;

  @Field(() => ID, { description: 'The building it is put into.' })
  buildingId!: string;

  @Field(() => ID, { description: 'The space of the building that it stands in.' })
  spaceId!: string;

  @Field({ description: 'What people will call it.' })
  name!: string;

  @Field({ description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The device is yours and may connect.' })
export class ClaimDeviceSuccess extends Received {}

export const ClaimDeviceResult = createUnionType({
  name: 'ClaimDeviceResult',
  description: 'The claimed device with its credentials, or why it is not yours.',
  types: () => [ClaimDeviceSuccess, ...USER_ERROR_TYPES] as const,
});
