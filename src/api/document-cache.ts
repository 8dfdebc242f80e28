import { createHash } from 'node:crypto';
import { type DocumentNode } from 'graphql';

/** Parsed and validated documents by their source; what is not asked for again goes first. */
export interface DocumentCache {
  get(key: string): DocumentNode | undefined;
  set(key: string, document: DocumentNode, sourceLength: number): void;
}

/**
 * Bounded by the characters of the sources it stands for: a parsed document takes about fifty times its source. Only valid
 * documents are kept, so that a flood of invalid ones pushes nothing out.
 */
export function createDocumentCache(options: { maximumCharacters: number }): DocumentCache {
  // A Map keeps the order of insertion: taking an entry out and putting it back makes it the youngest.
  const entries = new Map<string, { document: DocumentNode; length: number }>();
  let characters = 0;
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.document;
    },
    set(key, document, length) {
      if (length > options.maximumCharacters) return;
      const known = entries.get(key);
      if (known !== undefined) {
        characters -= known.length;
        entries.delete(key);
      }
      entries.set(key, { document, length });
      characters += length;
      for (const [oldest, entry] of entries) {
        if (characters <= options.maximumCharacters) break;
        entries.delete(oldest);
        characters -= entry.length;
      }
    },
  };
}

export function documentKey(source: string): string {
  return createHash('sha256').update(source).digest('base64');
}
