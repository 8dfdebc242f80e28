import {
  type ASTVisitor,
  type FragmentDefinitionNode,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { clientError } from '../resolvers/errors';

/** How much one document may ask. Ordinary clients stay far below each. */
export interface DocumentLimits {
  /** Fields below one another. What is below `__schema` and `__type` has a limit of its own in graphql-js. */
  depth: number;
  /** Aliases in the document. */
  aliases: number;
  /** Lexical tokens; a longer document is not even parsed. */
  tokens: number;
  /** Objects that the answer could hold, by the page sizes asked for. */
  objects: number;
}

export const DEFAULT_LIMITS: DocumentLimits = { depth: 15, aliases: 50, tokens: 2_000, objects: 50_000 };

/** Validation rules for depth and aliases. Documents with cyclic fragments are refused by another rule and end here too. */
export function limitRules(limits: DocumentLimits): ValidationRule[] {
  return [(context) => limitDepth(context, limits.depth), (context) => limitAliases(context, limits.aliases)];
}

function limitDepth(context: ValidationContext, maximum: number): ASTVisitor {
  const depths = new Map<string, number>();

  const depthOfFragment = (fragment: FragmentDefinitionNode): number => {
    const name = fragment.name.value;
    const known = depths.get(name);
    if (known !== undefined) return known;
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
        const fragment = context.getFragment(selection.name.value);
        depth = fragment ? depthOfFragment(fragment) : 0;
      }
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  };
  return {
    OperationDefinition(operation) {
      const depth = depthOf(operation.selectionSet);
      if (depth > maximum) {
        context.reportError(
          clientError(
            'DOCUMENT_TOO_COMPLEX',
            `the document is ${depth} fields deep, at most ${maximum} are allowed`,
          ),
        );
      }
    },
  };
}

function limitAliases(context: ValidationContext, maximum: number): ASTVisitor {
  let aliases = 0;
  return {
    Field(field) {
      if (field.alias === undefined) return;
      aliases++;
      if (aliases === maximum + 1) {
        context.reportError(
          clientError('DOCUMENT_TOO_COMPLEX', `at most ${maximum} aliases are allowed in a document`),
        );
      }
    },
  };
}
