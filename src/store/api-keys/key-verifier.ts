import { createHash } from 'node:crypto';
import { type ParsedApiKey, parseApiKey, provesSecret } from '../../auth/api-key';
import { type KeyPrincipal } from '../../auth/principal';
import { TokenError } from '../../auth/token-error';
import { type Cosmos } from '../cosmos';
import { type Memberships } from '../memberships';
import { type ApiKeyDocument, rightKeyOf } from './documents';
import { type FailedLookups } from './failed-lookups';

/** Says whom an API key stands for. */
export interface KeyVerifier {
  /**
   * One read of the store for a key that was not verified here before, none for a mistyped one or one that was refused a
   * moment ago. Unknown, wrong, revoked and expired keys are told apart by nothing.
   *
   * @param address whence it comes: who sends many wrong ones is told to wait before the store is asked.
   * @throws TokenError; whatever the store throws where it must be asked and is away.
   */
  verify(text: string, address: string): Promise<KeyPrincipal>;
}

/** Of those that were good, and of those that were not. */
const CACHED_KEYS = 10_000;
/** A program that goes on with a revoked key asks the store this often. */
const REFUSED_MS = 10_000;

export function createKeyVerifier(options: {
  cosmos: Pick<Cosmos, 'read'>;
  memberships: Pick<Memberships, 'standing'>;
  failedLookups: FailedLookups;
  /** Told of each time a key was good. */
  onUse(key: KeyPrincipal): void;
}): KeyVerifier {
  const { cosmos, memberships, failedLookups, onUse } = options;
  // By the hash of the text, so that no key stands in memory for longer than its request. Apart from each other, so that
  // nobody's wrong keys put a good one out.
  const good = new Map<string, KeyPrincipal>();
  const refusedUntil = new Map<string, number>();

  function remember<T>(verdicts: Map<string, T>, hash: string, verdict: T): void {
    verdicts.delete(hash);
    if (verdicts.size >= CACHED_KEYS) verdicts.delete(verdicts.keys().next().value!);
    verdicts.set(hash, verdict);
  }

  async function lookUp({ id, secret }: ParsedApiKey): Promise<KeyPrincipal | null> {
    const found = await cosmos.read<ApiKeyDocument>('directory', rightKeyOf(id), id);
    const proved = provesSecret(secret, found?.hash);
    if (!proved || found === null || found.endedAt !== null || found.expiresAt <= Date.now()) return null;
    const { tenantId, createdBy, documents, expiresAt } = found;
    return { kind: 'key', id, email: null, expiresAt, tenantId, createdBy, documents };
  }

  return {
    async verify(text, address) {
      const hash = createHash('sha256').update(text).digest('base64');
      const known = good.get(hash);
      if (known !== undefined) {
        if (known.expiresAt > Date.now() && (await memberships.standing(known.id))) {
          onUse(known);
          return known;
        }
        good.delete(hash);
        remember(refusedUntil, hash, Date.now() + REFUSED_MS);
        throw invalid();
      }
      const parsed = parseApiKey(text);
      if (parsed === undefined) {
        throw new TokenError('TOKEN_MALFORMED', 'the API key is mistyped or cut off: its checksum is wrong');
      }
      if (Date.now() < (refusedUntil.get(hash) ?? 0)) throw invalid();
      const failed = failedLookups.begin(address);
      if (failed === null) {
        throw new TokenError(
          'API_KEYS_TOO_MANY_WRONG',
          'too many wrong API keys come from your address: try again in a moment',
        );
      }
      const principal = await lookUp(parsed).catch((error: unknown) => {
        failed(false);
        throw error;
      });
      failed(principal === null);
      if (principal === null) {
        remember(refusedUntil, hash, Date.now() + REFUSED_MS);
        throw invalid();
      }
      remember(good, hash, principal);
      onUse(principal);
      return principal;
    },
  };
}

function invalid(): TokenError {
  return new TokenError('API_KEY_INVALID', 'the API key is unknown, revoked or expired');
}
