import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { clientError } from './errors';

/** What a cursor is good for: one caller, one list, one set of arguments. */
export interface CursorBinding {
  principalId: string;
  /** The field, e.g. `Building.devices`. */
  list: string;
  /** The arguments that choose and order the items, the parent's id among them; not `first` and `after`. */
  arguments: readonly (string | number | null | undefined)[];
  /**
   * The position tells of what the caller may not see, such as how many events lie in between: nobody can read it, nor
   * tell of two cursors whether they stand for the same.
   */
  concealed?: boolean;
}

export interface Cursors {
  seal(binding: CursorBinding, position: string): string;
  /** The position that was sealed. Throws BAD_USER_INPUT for a cursor of another caller, list or arguments, or a damaged one. */
  open(binding: CursorBinding, cursor: string): string;
  /** Another name for an id that tells more than whose it is: the same for the same, and nothing can be read from it. */
  pseudonym(id: string): string;
}

const MAC_BYTES = 16;
/** As NIST SP 800-38D recommends for AES-GCM. */
const NONCE_BYTES = 12;
const CONCEALED = 'aes-256-gcm';
const MAXIMUM_CURSOR_CHARACTERS = 4096;

/**
 * Cursors are `base64url(mac, position)`, the mac over the binding and the position: a cursor cannot be made up, nor taken
 * from one list, caller or filter to another. Every replica needs the same key.
 */
export function createCursors(options: { key: Buffer }): Cursors {
  const keyFor = (use: string): Buffer => createHmac('sha256', options.key).update(use).digest();
  const concealing = keyFor('cursors that tell nothing');
  const naming = keyFor('pseudonyms');
  const bound = ({ principalId, list, arguments: values }: CursorBinding): Buffer =>
    Buffer.from(JSON.stringify([principalId, list, values]));

  function conceal(binding: CursorBinding, position: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CONCEALED, concealing, nonce).setAAD(bound(binding));
    const hidden = Buffer.concat([cipher.update(position), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString('base64url');
  }

  /** Undefined where it was not concealed here, or not with this binding. */
  function reveal(binding: CursorBinding, bytes: Buffer): string | undefined {
    if (bytes.length < NONCE_BYTES + MAC_BYTES) return undefined;
    const cipher = createDecipheriv(CONCEALED, concealing, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: MAC_BYTES,
    });
    cipher.setAAD(bound(binding)).setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + MAC_BYTES));
    try {
      const position = cipher.update(bytes.subarray(NONCE_BYTES + MAC_BYTES));
      return Buffer.concat([position, cipher.final()]).toString();
    } catch {
      return undefined;
    }
  }

  const mac = (binding: Omit<CursorBinding, 'concealed'>, position: string): Buffer =>
    createHmac('sha256', options.key)
      // JSON keeps the parts apart whatever they hold; an undefined argument and a null one are the same.
      .update(JSON.stringify([binding.principalId, binding.list, binding.arguments, position]))
      .digest()
      .subarray(0, MAC_BYTES);
  return {
    seal: (binding, position) =>
      binding.concealed
        ? conceal(binding, position)
        : Buffer.concat([mac(binding, position), Buffer.from(position)]).toString('base64url'),
    open(binding, cursor) {
      const bytes = Buffer.from(cursor.slice(0, MAXIMUM_CURSOR_CHARACTERS), 'base64url');
      const revealed = binding.concealed ? reveal(binding, bytes) : undefined;
      if (revealed !== undefined) return revealed;
      // As the release before sealed them all.
      const position = bytes.subarray(MAC_BYTES).toString();
      const given = bytes.subarray(0, MAC_BYTES);
      if (given.length !== MAC_BYTES || !timingSafeEqual(given, mac(binding, position))) {
        throw clientError(
          'BAD_USER_INPUT',
          'after is not a cursor of this list: use one that you were given here with the same arguments',
        );
      }
      return position;
    },
    pseudonym: (id) =>
      createHmac('sha256', naming).update(id).digest().subarray(0, MAC_BYTES).toString('base64url'),
  };
}
