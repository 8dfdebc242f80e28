import { type DocumentNode, parse } from 'graphql';
import { takeCost } from './cost';
import { documentKey } from './document-cache';
import { type DocumentLimits, excessOf } from './limits';
import { type Payer, type Throttle } from './throttle';

/** What a request pays before anything of it is looked at more closely, so that to be refused is not free. */
export interface Admission {
  /**
   * Before a body is read: a large one costs.
   * @throws RATE_LIMITED, DOCUMENT_TOO_COMPLEX.
   */
  admitBody(payer: Payer, bytes: number): void;
  /**
   * Before a document is validated, which takes many times as long as to see that it is too complex: whoever sends a text
   * that this process has not seen pays for it. What was admitted is free from then on, for everybody.
   *
   * @throws RATE_LIMITED, DOCUMENT_TOO_COMPLEX. What cannot be parsed passes: whoever parses it to answer says why.
   */
  admitDocument(payer: Payer, source: string): void;
  /** It was found to be valid, and is kept: from now on it is free, for everybody. */
  remember(source: string): void;
  /** Whether it was found to be valid here. */
  knows(source: string): boolean;
}

/** A token is about four characters, and to validate one takes about as long as an object of an answer does. */
const CHARACTERS_FOR_ONE = 4;
/** To read JSON is quicker; what every query sends is not counted. */
const BYTES_FOR_ONE = 400;
const FREE_BYTES = 10_000;
/** Valid ones: their hashes take 100 bytes each. */
const MAXIMUM_KNOWN = 20_000;

export function createAdmission({
  throttle,
  limits,
}: {
  throttle: Throttle;
  limits: DocumentLimits;
}): Admission {
  const known = new Set<string>();
  return {
    admitBody(payer, bytes) {
      if (bytes > FREE_BYTES) takeCost(throttle, payer, Math.ceil(bytes / BYTES_FOR_ONE));
    },
    admitDocument(payer, source) {
      if (known.has(documentKey(source))) return;
      // Longer than may be parsed, it is refused at its last token: more than all of them it does not cost.
      takeCost(throttle, payer, Math.min(Math.ceil(source.length / CHARACTERS_FOR_ONE), limits.tokens));
      let document: DocumentNode;
      try {
        document = parse(source, { maxTokens: limits.tokens, noLocation: true });
      } catch {
        return;
      }
      const excess = excessOf(document, limits);
      if (excess !== null) throw excess;
    },
    knows: (source) => known.has(documentKey(source)),
    remember(source) {
      known.add(documentKey(source));
      if (known.size > MAXIMUM_KNOWN) known.delete(known.values().next().value!);
    },
  };
}
