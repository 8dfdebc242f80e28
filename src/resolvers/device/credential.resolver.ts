import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type ShownCredential } from '../../store/registry';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  IssueDeviceCredentialInput,
  IssueDeviceCredentialResult,
  IssueDeviceCredentialSuccess,
  RotateDeviceCredentialInput,
  RotateDeviceCredentialResult,
  RotateDeviceCredentialSuccess,
} from './credential.type';
import { Device } from './device.type';

@Resolver()
export class DeviceCredentialResolver {
  @Visible({ needs: 'device.credential', of: 'arguments' })
  @Mutation(() => IssueDeviceCredentialResult, {
    description:
      'Gives a device a credential in the place of every one that it has: whoever uses an earlier one is refused, and its connections are closed, within 2 seconds.',
  })
  async issueDeviceCredential(
    @Arg('input', () => IssueDeviceCredentialInput, { description: 'The device and the credential.' })
    { deviceId, credential, idempotencyKey }: IssueDeviceCredentialInput,
    @Ctx() { services: { registry, gatewayHostName }, scope }: Context,
  ): Promise<IssueDeviceCredentialSuccess | UserError> {
    const { kind, primaryThumbprint, secondaryThumbprint, authority } = credential;
    const outcome = await registry.issueDeviceCredential(
      scope,
      {
        deviceId,
        credential: {
          kind,
          primaryThumbprint: primaryThumbprint ?? null,
          secondaryThumbprint: secondaryThumbprint ?? null,
          authority: authority ?? null,
        },
      },
      idempotencyKey,
    );
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new IssueDeviceCredentialSuccess(), shown(outcome.value, gatewayHostName));
  }

  @Visible({ needs: 'device.credential', of: 'arguments' })
  @Mutation(() => RotateDeviceCredentialResult, {
    description:
      'Renews a device’s key or certificate without a gap. The new one is the primary one from now on; the primary one so far becomes the secondary one and is valid until the next rotation; the secondary one so far is refused from now on. Two rotations, or one with `revokeOther`, leave nothing of what the device had.',
  })
  async rotateDeviceCredential(
    @Arg('input', () => RotateDeviceCredentialInput, { description: 'The device.' })
    { deviceId, thumbprint, revokeOther, idempotencyKey }: RotateDeviceCredentialInput,
    @Ctx() { services: { registry, gatewayHostName }, scope }: Context,
  ): Promise<RotateDeviceCredentialSuccess | UserError> {
    const outcome = await registry.rotateDeviceCredential(
      scope,
      { deviceId, thumbprint: thumbprint ?? null, revokeOther },
      idempotencyKey,
    );
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new RotateDeviceCredentialSuccess(), shown(outcome.value, gatewayHostName));
  }
}

function shown(
  { device, kind, key, secretsAlreadyShown }: ShownCredential,
  hostName: string,
): Pick<IssueDeviceCredentialSuccess, 'device' | 'connectionString' | 'secretsAlreadyShown'> {
  const target = `HostName=${hostName};DeviceId=${device.id}`;
  const byKey = key === null ? null : `${target};SharedAccessKey=${key}`;
  return {
    device: Device.of(device),
    connectionString: kind === null || kind === 'SYMMETRIC_KEY' ? byKey : `${target};x509=true`,
    secretsAlreadyShown,
  };
}
