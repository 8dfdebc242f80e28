import { createUnionType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { type CredentialKind } from '../../store/registry/credential-input';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';

export const DeviceCredentialKind = {
  SYMMETRIC_KEY: 'SYMMETRIC_KEY',
  X509_THUMBPRINT: 'X509_THUMBPRINT',
  X509_CA: 'X509_CA',
} as const satisfies Record<CredentialKind, CredentialKind>;

registerEnumType(DeviceCredentialKind, {
  name: 'DeviceCredentialKind',
  description: 'How a device proves who it is. Further kinds may come.',
  valuesConfig: {
    SYMMETRIC_KEY: { description: 'By SAS tokens that it signs with a key of its own.' },
    X509_THUMBPRINT: { description: 'By a certificate that was registered by its thumbprint.' },
    X509_CA: {
      description:
        'By any certificate in its name (its id as the common name) from an authority that was registered.',
    },
  },
});

@InputType({ description: 'A credential for a device: the kind, and the parts that belong to it.' })
export class DeviceCredentialInput {
  @Field(() => DeviceCredentialKind, { description: 'Which kind it is.' })
  kind!: CredentialKind;

  @Field(() => String, {
    nullable: true,
    description:
      'For `X509_THUMBPRINT`, and needed there: the SHA-256 of the certificate’s DER form in 64 hexadecimal digits, with or without colons.',
  })
  primaryThumbprint?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'For `X509_THUMBPRINT`: of a second certificate that is valid as well.',
  })
  secondaryThumbprint?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'For `X509_CA`, and needed there: the certificate of the authority in PEM, one certificate and nothing else, at most 8 kB.',
  })
  authority?: string | null;
}

@InputType({ description: 'A device that is to have another credential.' })
export class IssueDeviceCredentialInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field(() => DeviceCredentialInput, { description: 'What it is to have.' })
  credential!: DeviceCredentialInput;

  @Field({
    description:
      'Chosen by you, unique for this credential: the same key with the same input changes nothing more, for 24 hours, and shows no secret.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The device has the credential, and no other.' })
export class IssueDeviceCredentialSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now.' })
  device!: Device;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'What the device needs to connect, in Azure IoT Hub’s form: `HostName=...;DeviceId=...;SharedAccessKey=...`, or `HostName=...;DeviceId=...;x509=true` for certificates. With a key it is shown this once: keep it. Null when it was shown before.',
  })
  connectionString!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'Whether the secret was shown at an earlier call with the same idempotency key, and so is not now.',
  })
  secretsAlreadyShown!: boolean;
}

export const IssueDeviceCredentialResult = createUnionType({
  name: 'IssueDeviceCredentialResult',
  description: 'The device with its new credential, or why it has none.',
  types: () => [IssueDeviceCredentialSuccess, ...USER_ERROR_TYPES] as const,
});

@InputType({ description: 'A device whose credential is to be renewed.' })
export class RotateDeviceCredentialInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'For a device with registered certificates, and needed there: the thumbprint of its next one. Left out for a device with keys, which are made for it.',
  })
  thumbprint?: string | null;

  @Field({
    defaultValue: false,
    description:
      'Whether the credential that the device uses now is refused at once, too: for one that has leaked. By default it stays valid until the next rotation, so that the device takes the new one over without a gap.',
  })
  revokeOther!: boolean;

  @Field({
    description:
      'Chosen by you, unique for this rotation: the same key with the same input rotates nothing more, for 24 hours, and shows no secret.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The device has a new primary credential.' })
export class RotateDeviceCredentialSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now.' })
  device!: Device;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'What the device needs to connect from now on, in Azure IoT Hub’s form. With a key it is shown this once: keep it. Null when it was shown before.',
  })
  connectionString!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'Whether the secret was shown at an earlier call with the same idempotency key, and so is not now.',
  })
  secretsAlreadyShown!: boolean;
}

export const RotateDeviceCredentialResult = createUnionType({
  name: 'RotateDeviceCredentialResult',
  description: 'The device with its new credential, or why it has the old one.',
  types: () => [RotateDeviceCredentialSuccess, ...USER_ERROR_TYPES] as const,
});
