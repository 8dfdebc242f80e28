import {
  type DocumentNode,
  execute,
  type ExecutionResult,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql';

/** Answers about the schema itself, which are the same for everybody until the process ends. */
export interface Introspection {
  /** Undefined where the operation asks for anything else. */
  answer(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ): ExecutionResult | undefined;
  /** A result as JSON. The data of an answer of these is made into text once. */
  textOf(result: ExecutionResult): string;
}

/** The whole schema is some hundred kilobytes as an answer and takes twenty milliseconds to resolve. */
const MAXIMUM_KEPT = 8;
const FIELDS = ['__schema', '__type', '__typename'];

/** @param document valid, and the same object for the same text, or what is kept is of no use. */
export function createIntrospection(schema: GraphQLSchema): Introspection {
  const kept = new Map<OperationDefinitionNode, { variables: string; result: ExecutionResult }>();
  /** By the data of an answer that was asked for again; it is not used before. */
  const texts = new WeakMap<object, string | null>();
  return {
    textOf(result) {
      const { data, ...rest } = result;
      let text = data == null ? undefined : texts.get(data);
      if (text === undefined) return JSON.stringify(result);
      if (text === null) texts.set(data!, (text = JSON.stringify(data)));
      const more = JSON.stringify(rest).slice(1);
      return `{"data":${text}${more === '}' ? '' : ','}${more}`;
    },
    answer(document, operation, variables) {
      if (!isIntrospection(operation)) return undefined;
      const given = JSON.stringify(variables);
      const known = kept.get(operation);
      kept.delete(operation);
      const result =
        known?.variables === given
          ? known.result
          : (execute({
              schema,
              document,
              operationName: operation.name?.value ?? null,
              variableValues: variables,
            }) as ExecutionResult);
      if (result === known?.result && result.data != null && !texts.has(result.data))
        texts.set(result.data, null);
      kept.set(operation, { variables: given, result });
      if (kept.size > MAXIMUM_KEPT) kept.delete(kept.keys().next().value!);
      return result;
    },
  };
}

function isIntrospection({ operation, selectionSet }: OperationDefinitionNode): boolean {
  return (
    operation === OperationTypeNode.QUERY &&
    selectionSet.selections.every((each) => each.kind === Kind.FIELD && FIELDS.includes(each.name.value))
  );
}
