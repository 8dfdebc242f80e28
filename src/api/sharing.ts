import {
  type DocumentNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isLeafType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { documentKey } from './document-cache';
import { isIndependent } from './rules';

/**
 * Whether one execution of an operation may serve several subscribers: it is a subscription, and every field that it
 * selects is marked as independent of the principal. `document` must be valid.
 */
export function isShareable(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): boolean {
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION) return false;
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const looked = new Set<string>();

  const holds = (set: SelectionSetNode, type: GraphQLObjectType): boolean =>
    set.selections.every((selection) => {
      if (selection.kind === Kind.FIELD) {
        if (selection.name.value === '__typename') return true;
        const field = type.getFields()[selection.name.value];
        if (field === undefined || !isIndependent(field)) return false;
        if (selection.selectionSet === undefined) return isLeafType(getNamedType(field.type));
        // What an interface or a union turns out to be is known only when it is resolved.
        const target = getNamedType(field.type);
        return isObjectType(target) && holds(selection.selectionSet, target);
      }
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        const on = selection.typeCondition ? schema.getType(selection.typeCondition.name.value) : type;
        return isObjectType(on) && holds(selection.selectionSet, on);
      }
      const fragment = fragments.get(selection.name.value);
      if (fragment === undefined) return false;
      // A fragment stands on one type: what holds of it once holds wherever it is spread.
      if (looked.has(selection.name.value)) return true;
      looked.add(selection.name.value);
      const on = schema.getType(fragment.typeCondition.name.value);
      return isObjectType(on) && holds(fragment.selectionSet, on);
    });
  const root = schema.getSubscriptionType();
  return root != null && holds(operation.selectionSet, root);
}

/**
 * The variables that only say where one subscriber begins: those that stand in these arguments of the subscription's field
 * and nowhere else. `document` must be valid.
 */
export function startVariables(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  startArguments: readonly string[],
): string[] {
  if (startArguments.length === 0) return [];
  const used = new Map<string, number>();
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.set(name.value, (used.get(name.value) ?? 0) + 1),
  });
  return operation.selectionSet.selections.flatMap((selection) =>
    selection.kind !== Kind.FIELD
      ? []
      : (selection.arguments ?? []).flatMap(({ name, value }) =>
          startArguments.includes(name.value) &&
          value.kind === Kind.VARIABLE &&
          used.get(value.name.value) === 1
            ? [value.name.value]
            : [],
        ),
  );
}

/**
 * What must be the same for two subscribers to be delivered the same text. Each part alone could change a delivery: the
 * document with the operation that is chosen of it, the variables that the operation declares, and the effective rights.
 */
export function sharingKey(parts: {
  source: string;
  operation: OperationDefinitionNode;
  variables: Readonly<Record<string, unknown>>;
  /** Variables that only say where one subscriber begins: what is shared is the same for all. */
  start?: readonly string[];
  rights: string;
}): string {
  const { source, operation, variables, rights, start = [] } = parts;
  const declared = (operation.variableDefinitions ?? [])
    .map(({ variable }) => variable.name.value)
    .filter((name) => !start.includes(name))
    // One that is left out takes its default; one that is null does not.
    .filter((name) => Object.hasOwn(variables, name))
    .map((name) => [name, variables[name]]);
  return documentKey(JSON.stringify([source, operation.name?.value ?? null, declared, rights]));
}
