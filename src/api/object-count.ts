import {
  type DocumentNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { DEFAULT_PAGE, MAXIMUM_PAGE } from '../resolvers/connection';
import { clientError } from '../resolvers/errors';
import { questionCost } from './question-cost';

/** What a list without pages is taken to hold: the spaces of a building, the assignments of a device. */
const UNPAGED_LIST = 10;

/**
 * How many objects an operation's answer could hold, by the page sizes it asks for, before anything is resolved; and what
 * its questions over stored readings cost, see `question-cost.ts`. Throws DOCUMENT_TOO_COMPLEX where the objects are more
 * than allowed.
 */
export function limitObjects(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  maximum: number,
): { objects: number; questions: number } {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const defaults = new Map(
    (operation.variableDefinitions ?? []).map(({ variable, defaultValue }) => [
      variable.name.value,
      defaultValue,
    ]),
  );
  const valueOf = (node: ValueNode | undefined): unknown => {
    if (node?.kind === Kind.INT) return Number(node.value);
    if (node?.kind === Kind.STRING) return node.value;
    if (node?.kind !== Kind.VARIABLE) return undefined;
    const name = node.name.value;
    return Object.hasOwn(variables, name) ? variables[name] : valueOf(defaults.get(name));
  };
  let objects = 0;
  let questions = 0;

  // `page` is how many items a connection's own lists hold: its edges and nodes. `spread` are the fragments that the same
  // selection holds already: each counts once, as it is resolved once, or fragments that each spread the next one twice
  // would be walked for ever without one object to stop at.
  const count = (
    set: SelectionSetNode,
    type: GraphQLCompositeType,
    times: number,
    page: number,
    spread: Set<string>,
  ): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const on = selection.typeCondition ? schema.getType(selection.typeCondition.name.value) : type;
        if (isCompositeType(on)) count(selection.selectionSet, on, times, page, spread);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const name = selection.name.value;
        const fragment = spread.has(name) ? undefined : fragments.get(name);
        spread.add(name);
        const on = fragment && schema.getType(fragment.typeCondition.name.value);
        if (fragment && isCompositeType(on)) count(fragment.selectionSet, on, times, page, spread);
        continue;
      }
      const field =
        isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
      // Introspection is bounded by the schema itself.
      if (field === undefined || selection.selectionSet === undefined) continue;
      const target = getNamedType(field.type);
      if (!isCompositeType(target)) continue;
      const nullable = isNonNullType(field.type) ? field.type.ofType : field.type;
      const here = times * (isListType(nullable) ? page : 1);
      objects += here;
      // Stops at once, whatever the fragments could unfold to.
      if (objects > maximum) {
        throw clientError(
          'DOCUMENT_TOO_COMPLEX',
          `the answer could hold more than ${maximum} objects: ask for smaller pages`,
        );
      }
      const argument = (name: string): unknown =>
        valueOf(selection.arguments?.find((each) => each.name.value === name)?.value);
      questions += times * questionCost(`${type.name}.${field.name}`, argument);
      const paged = field.args.some((each) => each.name === 'first');
      const first = argument('first');
      count(
        selection.selectionSet,
        target,
        here,
        paged
          ? Math.min(typeof first === 'number' ? Math.max(first, 1) : DEFAULT_PAGE, MAXIMUM_PAGE)
          : UNPAGED_LIST,
        new Set(),
      );
    }
  };
  const root = schema.getRootType(operation.operation) as GraphQLObjectType;
  count(operation.selectionSet, root, 1, UNPAGED_LIST, new Set());
  return { objects, questions };
}
