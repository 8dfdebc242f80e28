import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { OperatorError } from '../../src/observability/operator-error';

export const SIGNING_ALGORITHM = 'RS256';

export interface ProviderKeys {
  /** Private keys, as a JWK set; the public halves are what `/jwks` serves. */
  jwks: { keys: JWK[] };
  /** Signs the cookies of the sign-in page. */
  cookies: string[];
}

/** The provider's keys, made at the first start and kept, so that a token outlives a restart. */
export async function loadKeys(dataDir: string): Promise<ProviderKeys> {
  const path = join(dataDir, 'keys.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new OperatorError(`its keys ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
    const keys = await generateKeys();
    await mkdir(dataDir, { recursive: true });
    // Written whole or not at all: half a key file would end every restart.
    await writeFile(`${path}.new`, JSON.stringify(keys), { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
    return keys;
  }
  const keys = parseKeys(text);
  if (keys === undefined) {
    throw new OperatorError(
      `its keys ${path} are damaged: restore them, or remove the file to make new ones (tokens issued so far then end)`,
    );
  }
  return keys;
}

async function generateKeys(): Promise<ProviderKeys> {
  const { privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  const kid = randomBytes(8).toString('hex');
  const key = { ...(await exportJWK(privateKey)), kid, alg: SIGNING_ALGORITHM, use: 'sig' };
  return { jwks: { keys: [key] }, cookies: [randomBytes(32).toString('base64url')] };
}

function parseKeys(text: string): ProviderKeys | undefined {
  try {
    const keys = JSON.parse(text) as Partial<ProviderKeys>;
    const whole =
      Array.isArray(keys.jwks?.keys) &&
      keys.jwks.keys.some((key) => typeof key.d === 'string' && key.alg === SIGNING_ALGORITHM) &&
      Array.isArray(keys.cookies) &&
      keys.cookies.every((each) => typeof each === 'string');
    return whole ? (keys as ProviderKeys) : undefined;
  } catch {
    return undefined;
  }
}
