import { createHmac, timingSafeEqual } from 'node:crypto';
import { clientError } from './errors';

/** What a cursor is good for: one caller, one list, one set of arguments. */
export interface CursorBinding {
  principalId: string;
  /** The field, e.g. `Building.devices`. */
  list: string;
  /** The arguments that choose and order the items, the parent's id among them; not `first` and `after`. */
  arguments: readonly (string | number | null | undefined)[];
}

export interface Cursors {
  seal(binding: CursorBinding, position: string): string;
  /** The position that was sealed. Throws BAD_USER_INPUT for a cursor of another caller, list or arguments, or a damaged one. */
  open(binding: CursorBinding, cursor: string): string;
}

const MAC_BYTES = 16;
const MAXIMUM_CURSOR_CHARACTERS = 4096;

/**
 * Cursors are `base64url(mac, position)`, the mac over the binding and the position: a cursor cannot be made up, nor taken
 * from one list, caller or filter to another. Every replica needs the same key.
 */
export function createCursors(options: { key: Buffer }): Cursors {
  const mac = (binding: CursorBinding, position: string): Buffer =>
    createHmac('sha256', options.key)
      // JSON keeps the parts apart whatever they hold; an undefined argument and a null one are the same.
      .update(JSON.stringify([binding.principalId, binding.list, binding.arguments, position]))
      .digest()
      .subarray(0, MAC_BYTES);
  return {
    seal: (binding, position) =>
      Buffer.concat([mac(binding, position), Buffer.from(position)]).toString('base64url'),
    open(binding, cursor) {
      const bytes = Buffer.from(cursor.slice(0, MAXIMUM_CURSOR_CHARACTERS), 'base64url');
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
  };
}
