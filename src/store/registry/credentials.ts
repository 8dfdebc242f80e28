import { randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type DeviceDocument, type IdempotencyDocument } from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome, type Refusal, type Registry, type ShownCredential } from '../registry';
import { type CredentialKind, credentialOf, type NewCredential, thumbprintOf } from './credential-input';
import { type DeviceChange, type DeviceChanges, type Found } from './device-change';
import { attemptOf, claim, KEPT_SECONDS, recordOf } from './idempotency';
import { keyProblem } from './validation';

const KEY_BYTES = 32;
/** Remembered with the device; a repeated call is found there only where the device has moved since. */
const MOST_CALLS = 8;

/**
 * One call that gives a device new secrets. They are made once for the call, whatever is tried again, so that the try
 * whose answer was lost shows what it stored.
 */
interface Call {
  /** Marks the idempotency record that this call commits. */
  id: string;
  first: Buffer;
  second: Buffer;
}

/**
 * Credentials of a device: two keys, or one or two certificates by their thumbprints, or an authority. Whatever is given
 * replaces what was there, so that the gateway, which follows the change feed, takes nothing else from then on.
 */
export function createCredentials({
  cosmos,
  keyring,
  changes,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  changes: DeviceChanges;
}): Pick<Registry, 'issueDeviceCredential' | 'rotateDeviceCredential'> {
  /**
   * Makes `change` take effect once for an idempotency key: its record stands in the same batch. The call that commits
   * it shows the secret, and no other does.
   */
  async function once(
    scope: TenantScope,
    options: {
      command: 'ISSUE_CREDENTIAL' | 'ROTATE_CREDENTIAL';
      deviceId: string;
      idempotencyKey: string;
      variables: unknown;
    },
    change: (
      found: Found,
      call: Call,
    ) => (Pick<DeviceChange, 'audit'> & { device: DeviceDocument }) | Refusal,
  ): Promise<Outcome<ShownCredential>> {
    const { command, deviceId, idempotencyKey, variables } = options;
    const call: Call = { id: randomUUID(), first: randomBytes(KEY_BYTES), second: randomBytes(KEY_BYTES) };
    let mine = true;
    const outcome = await changes.apply(scope, deviceId, command, async (found) => {
      const { buildingId, tenantId } = found.device;
      const attempt = attemptOf(scope, tenantId, command, idempotencyKey, variables);
      const record = recordOf(attempt, buildingId, { call: call.id }, KEPT_SECONDS);
      if (!(await claim(cosmos, attempt))) return REUSED;
      const recorded = await cosmos.read<IdempotencyDocument>('registry', buildingId, record.id);
      const calls = (found.device.credentialCalls ?? []).filter(
        ({ at }) => found.now - at < KEPT_SECONDS * 1000,
      );
      // Its record stands in another building where the device has moved since.
      const earlier = recorded
        ? { fingerprint: recorded.fingerprint, ...(recorded.answer as { call: string }) }
        : calls.find(({ hash }) => hash === attempt.hash);
      if (earlier) {
        mine = earlier.call === call.id;
        return earlier.fingerprint === attempt.fingerprint ? 'unchanged' : REUSED;
      }
      const made = change(found, call);
      if ('code' in made) return made;
      const done = { ...attempt, call: call.id, at: found.now };
      return {
        ...made,
        device: { ...made.device, credentialCalls: [...calls, done].slice(-MOST_CALLS) },
        more: [{ create: record }],
      };
    });
    if (!outcome.ok) return outcome;
    const device = outcome.value;
    const kind = credentialKindOf(device);
    if (kind !== 'SYMMETRIC_KEY') {
      return { ok: true, value: { device, kind, key: null, secretsAlreadyShown: false } };
    }
    const key = mine ? call.first.toString('base64') : null;
    return { ok: true, value: { device, kind, key, secretsAlreadyShown: !mine } };
  }

  const sealed = (deviceId: string, key: Buffer): string => keyring.seal(deviceId, key);

  return {
    async issueDeviceCredential(scope, { deviceId, credential }, idempotencyKey) {
      const problem = keyProblem(idempotencyKey);
      if (problem) return { ok: false, refusal: problem };
      const wanted = credentialOf(credential, Date.now());
      if (!wanted.ok) return wanted;
      const { value } = wanted;
      return once(
        scope,
        { command: 'ISSUE_CREDENTIAL', deviceId, idempotencyKey, variables: [deviceId, value] },
        ({ device }, { first, second }) => {
          const next = issued(device, value, () => ({
            primary: sealed(deviceId, first),
            secondary: sealed(deviceId, second),
          }));
          return { device: next, audit: auditOf('device.issue-credential', device, next) };
        },
      );
    },

    async rotateDeviceCredential(scope, { deviceId, thumbprint, revokeOther }, idempotencyKey) {
      const problem = keyProblem(idempotencyKey);
      if (problem) return { ok: false, refusal: problem };
      const given = thumbprint === null ? null : thumbprintOf(thumbprint, 'thumbprint');
      if (given && !given.ok) return given;
      const replacement = given?.value ?? null;
      return once(
        scope,
        {
          command: 'ROTATE_CREDENTIAL',
          deviceId,
          idempotencyKey,
          variables: [deviceId, replacement, revokeOther],
        },
        ({ device }, { first, second }) => {
          const misfit = rotationProblem(device, replacement);
          if (misfit) return misfit;
          const next: DeviceDocument = { ...device };
          if (device.keys) {
            next.keys = {
              primary: sealed(deviceId, first),
              // As the other slot must hold a key, a revoked one gives way to one that nobody was ever shown.
              secondary: revokeOther ? sealed(deviceId, second) : device.keys.primary,
            };
          } else {
            next.thumbprints = {
              primary: replacement!,
              secondary: revokeOther ? null : device.thumbprints!.primary,
            };
          }
          const audit = auditOf('device.rotate-credential', device, next);
          return { device: next, audit: { ...audit, after: { ...audit.after, revokeOther } } };
        },
      );
    },
  };
}

const REUSED: Refusal = {
  code: 'IDEMPOTENCY_KEY_REUSED',
  message: 'the idempotencyKey was used with other variables',
};

export function credentialKindOf(
  device: Pick<DeviceDocument, 'keys' | 'thumbprints' | 'authority'>,
): CredentialKind | null {
  if (device.keys) return 'SYMMETRIC_KEY';
  if (device.thumbprints) return 'X509_THUMBPRINT';
  return device.authority ? 'X509_CA' : null;
}

/** With this credential and no other: what was there before is refused from then on. */
function issued(
  device: DeviceDocument,
  credential: NewCredential,
  keys: () => NonNullable<DeviceDocument['keys']>,
): DeviceDocument {
  const none = { ...device, keys: null, thumbprints: null, authority: null };
  switch (credential.kind) {
    case 'SYMMETRIC_KEY':
      return { ...none, keys: keys() };
    case 'X509_THUMBPRINT':
      return { ...none, thumbprints: { primary: credential.primary, secondary: credential.secondary } };
    case 'X509_CA':
      return { ...none, authority: credential.authority };
  }
}

function rotationProblem(device: DeviceDocument, thumbprint: string | null): Refusal | undefined {
  const invalid = (message: string): Refusal => ({ code: 'INVALID_INPUT', message, path: 'thumbprint' });
  const kind = credentialKindOf(device);
  switch (kind) {
    case 'SYMMETRIC_KEY':
      if (thumbprint === null) return undefined;
      return invalid('the device has keys, which are made for it: leave the thumbprint out');
    case 'X509_THUMBPRINT':
      if (thumbprint === null) return invalid('the device needs the thumbprint of its next certificate');
      if (thumbprint !== device.thumbprints!.primary) return undefined;
      return invalid('the thumbprint is the device’s primary one already');
    default: {
      const why = kind === null ? 'has no credential' : 'renews its certificate at its authority';
      const message = `device ${device.id} ${why}: there is nothing to rotate, issue a credential instead`;
      return { code: 'WRONG_STATE', message, path: 'deviceId' };
    }
  }
}

function auditOf(action: string, before: DeviceDocument, after: DeviceDocument): DeviceChange['audit'] {
  return { action, before: publicPartOf(before), after: publicPartOf(after) };
}

/** What may be told of a credential for ever: no key, sealed or not. */
function publicPartOf(device: DeviceDocument): Record<string, unknown> {
  const { thumbprints, authority } = device;
  return {
    credential: credentialKindOf(device),
    ...(thumbprints && { thumbprints }),
    ...(authority && { authority: new X509Certificate(authority).fingerprint256.replaceAll(':', '') }),
  };
}
