import { isApiKey } from '../../auth/api-key';
import { type Principal } from '../../auth/principal';
import { type Logger } from '../../observability/logger';
import { type Cosmos } from '../cosmos';
import { type Memberships } from '../memberships';
import { createFailedLookups } from './failed-lookups';
import { createKeyUses } from './key-uses';
import { createKeyVerifier } from './key-verifier';

/** Whom a credential stands for: people by access tokens, programs by API keys. */
export interface Credentials {
  /**
   * @param address whence it comes.
   * @throws TokenError; whatever the store throws where an API key must be looked up and it is away.
   */
  verify(credential: string, address: string): Promise<Principal>;
  start(): void;
  stop(): Promise<void>;
}

export function createCredentials(options: {
  tokens: { verify(token: string): Promise<Principal> };
  cosmos: Pick<Cosmos, 'read' | 'bulkUpsert'>;
  memberships: Pick<Memberships, 'standing'>;
  logger: Logger;
  /** How often it is noted when keys were used; by default each minute. */
  usesEveryMs?: number;
}): Credentials {
  const { tokens, cosmos, memberships, logger, usesEveryMs } = options;
  const uses = createKeyUses({ cosmos, logger, ...(usesEveryMs !== undefined && { everyMs: usesEveryMs }) });
  const failedLookups = createFailedLookups();
  const keys = createKeyVerifier({ cosmos, memberships, failedLookups, onUse: uses.note });
  return {
    verify: (credential, address) =>
      isApiKey(credential) ? keys.verify(credential, address) : tokens.verify(credential),
    start: uses.start,
    stop: uses.stop,
  };
}
