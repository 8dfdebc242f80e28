import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  Kind,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { clientError } from '../resolvers/errors';

/** How much one document may ask. Ordinary clients stay far below each. */
export interface DocumentLimits {
  /** Fields below one another. What is below `__schema` and `__type` has a limit of its own in graphql-js. */
  depth: number;
  /** Aliases in the document. */
  aliases: number;
  /**
   * Of the names under which fields are answered, the squares of how often each stands in the document, summed up.
   * Validation compares those of the same name with one another, each with each, as they could meet in one answer.
   */
  repeats: number;
  /** Lexical tokens; a longer document is not even parsed. */
  tokens: number;
  /** Objects that the answer could hold, by the page sizes asked for. */
  objects: number;
}

export const DEFAULT_LIMITS: DocumentLimits = {
  depth: 15,
  aliases: 50,
  repeats: 20_000,
  tokens: 2_000,
  objects: 50_000,
};

/**
 * What a parsed document has too much of, found in one walk over it: it is asked before the document is validated, which
 * costs many times as much. Documents with cyclic fragments are refused by validation and end here too.
 */
export function excessOf(document: DocumentNode, limits: DocumentLimits): GraphQLError | null {
  const depth = depthOfDocument(document);
  if (depth > limits.depth) {
    return tooComplex(`the document is ${depth} fields deep, at most ${limits.depth} are allowed`);
  }
  let aliases = 0;
  const names = new Map<string, number>();
  visit(document, {
    Field({ alias, name }) {
      if (alias !== undefined) aliases++;
      const { value } = alias ?? name;
      names.set(value, (names.get(value) ?? 0) + 1);
    },
  });
  if (aliases > limits.aliases) {
    return tooComplex(`at most ${limits.aliases} aliases are allowed in a document`);
  }
  let repeats = 0;
  for (const times of names.values()) repeats += times * times;
  if (repeats > limits.repeats) {
    const [name, times] = [...names].reduce((a, b) => (b[1] > a[1] ? b : a));
    return tooComplex(`the document repeats its fields too often: '${name}' stands in it ${times} times`);
  }
  return null;
}

const tooComplex = (message: string): GraphQLError => clientError('DOCUMENT_TOO_COMPLEX', message);

function depthOfDocument(document: DocumentNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of document.definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
  }
  const depths = new Map<string, number>();

  const depthOfFragment = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    if (fragment === undefined) return 0;
    // Set before its content is looked at, so that a cycle ends.
    depths.set(name, 0);
    const depth = depthOf(fragment.selectionSet);
    depths.set(name, depth);
    return depth;
  };
  const depthOf = (selectionSet: SelectionSetNode): number => {
    let deepest = 0;
    for (const selection of selectionSet.selections) {
      let depth = 0;
      if (selection.kind === Kind.FIELD) {
        const introspection = selection.name.value.startsWith('__');
        depth = 1 + (introspection || !selection.selectionSet ? 0 : depthOf(selection.selectionSet));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        depth = depthOf(selection.selectionSet);
      } else {
        depth = depthOfFragment(selection.name.value);
      }
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  };
  let deepest = 0;
  for (const each of document.definitions) {
    if (each.kind === Kind.OPERATION_DEFINITION) deepest = Math.max(deepest, depthOf(each.selectionSet));
  }
  return deepest;
}
