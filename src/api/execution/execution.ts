import {
  type DocumentNode,
  execute as interpret,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  getVariableValues,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { compileQuery, type CompiledQuery } from './compiled';

/** Executes validated documents, as `execute` of graphql-js does, and those that come again in a fraction of its time. */
export interface Execution {
  execute(args: ExecutionArgs): ExecutionResult | Promise<ExecutionResult>;
  /** The same where it is quick; undefined for what graphql-js has to do. */
  executeCompiled(args: ExecutionArgs): ExecutionResult | Promise<ExecutionResult> | undefined;
}

/** Of one operation, by the values of the variables that `@skip` and `@include` look at. */
const MAXIMUM_VARIANTS = 8;

interface Known {
  /** Names of those that `@skip` and `@include` look at. */
  deciding: readonly string[];
  /** Undefined for one that is left to graphql-js. */
  variants: Map<string, CompiledQuery | undefined>;
}

/** What was compiled of a document lives as long as the document: the cache that holds those bounds both. */
export function createExecution({ schema }: { schema: GraphQLSchema }): Execution {
  const known = new WeakMap<OperationDefinitionNode, Known>();

  function compiledOf(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ): CompiledQuery | undefined {
    const entry = known.get(operation);
    if (entry === undefined) return undefined;
    const values = JSON.stringify(entry.deciding.map((name) => variables[name]));
    if (!entry.variants.has(values)) {
      if (entry.variants.size === MAXIMUM_VARIANTS) return undefined;
      entry.variants.set(values, compileQuery(schema, document, operation, variables));
    }
    return entry.variants.get(values);
  }

  function executeCompiled(args: ExecutionArgs): ExecutionResult | Promise<ExecutionResult> | undefined {
    const { document, operationName, variableValues, contextValue, rootValue } = args;
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== 'query') return undefined;
    const entry = known.get(operation);
    if (entry === undefined) {
      // A document that is asked for once is not worth more.
      known.set(operation, { deciding: decidingOf(document), variants: new Map() });
      return undefined;
    }
    const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {});
    // What is wrong with them, graphql-js says.
    if (coerced === undefined) return undefined;
    return compiledOf(document, operation, coerced)?.execute(contextValue, coerced, rootValue);
  }

  return {
    executeCompiled,
    execute: (args) => executeCompiled(args) ?? interpret(args),
  };
}

/** All of the document: an operation may use any of its fragments. */
function decidingOf(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive({ name, arguments: given }) {
      if (name.value !== 'skip' && name.value !== 'include') return;
      for (const { value } of given ?? []) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}
