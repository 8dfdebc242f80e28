import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getArgumentValues,
  type GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isInputObjectType,
  getNamedType,
  Kind,
  type OperationDefinitionNode,
  TypeNameMetaFieldDef,
} from 'graphql';
import { type Completed, completeInto, completing, type FieldOf } from './complete';
import { infoOf } from './info';
import { located, type Place, type Run } from './run';
import { fieldsOf } from './selection';

export interface Answer {
  data: Record<string, unknown> | null;
  errors?: readonly GraphQLError[];
}

/** A query that was prepared once: what is asked of which type is known, and how it is completed. */
export interface CompiledQuery {
  /** As `execute` of graphql-js answers; at once where nothing had to be awaited. */
  execute(
    context: unknown,
    variables: Readonly<Record<string, unknown>>,
    root: unknown,
  ): Answer | Promise<Answer>;
}

/**
 * Prepares an operation for many executions: graphql-js asks at each field of each object again what its type, its
 * arguments and its selections are. Undefined for what is left to graphql-js: mutations, introspection, and names that
 * an ordinary object cannot hold.
 *
 * @param variables coerced: for those that `@skip` and `@include` look at, the query holds for these values alone.
 */
export function compileQuery(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): CompiledQuery | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const each of document.definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
  }
  if (document.loc?.source.body.includes(PROTOTYPE) ?? true) return undefined;
  const rootType = schema.getQueryType();
  if (operation.operation !== 'query' || rootType == null) return undefined;
  const reading = { schema, fragments, variables };
  const common = { schema, fragments: Object.fromEntries(fragments), operation };

  /** Fields of the types that were met, by the nodes that ask for them. */
  function fieldsFor(type: GraphQLObjectType, nodes: readonly FieldNode[]): CompiledField[] {
    const sets = nodes.flatMap(({ selectionSet }) => (selectionSet ? [selectionSet] : []));
    return [...fieldsOf(reading, type, sets)].flatMap(([key, asked]) => {
      const compiled = fieldOf(type, key, asked);
      return compiled === undefined ? [] : [compiled];
    });
  }

  function fieldOf(
    parentType: GraphQLObjectType,
    key: string,
    nodes: readonly FieldNode[],
  ): CompiledField | undefined {
    const name = nodes[0]!.name.value;
    const definition =
      name === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : parentType.getFields()[name];
    if (definition === undefined) return undefined;
    const told = { ...common, returnType: definition.type, fieldNodes: nodes, fieldName: name, parentType };
    const field = { nodes, parentType, name, infoOf: infoOf(told, key) };
    const known = new Map<GraphQLObjectType, CompiledField[]>();
    const completed = completing(schema, definition.type, field, (run, type, source, place) => {
      let fields = known.get(type);
      if (fields === undefined) known.set(type, (fields = fieldsFor(type, nodes)));
      return answerFields(run, fields, source, place);
    });
    return {
      ...field,
      key,
      completed,
      resolve: definition === TypeNameMetaFieldDef ? () => parentType.name : definition.resolve,
      argumentsOf: argumentsOf(definition, nodes[0]!),
    };
  }

  const sets = [operation.selectionSet];
  const asked = [...fieldsOf(reading, rootType, sets)];
  if (asked.some(([, nodes]) => INTROSPECTION.has(nodes[0]!.name.value))) return undefined;
  const fields = asked.flatMap(([key, nodes]) => fieldOf(rootType, key, nodes) ?? []);

  return {
    execute(context, values, root) {
      const run: Run = {
        ...{ context, variables: values, root },
        ...{ errors: [], nothing: false, pending: 0, settled: undefined },
      };
      let data: Record<string, unknown> | null = null;
      try {
        data = answerFields(run, fields, root, null);
      } catch (error) {
        run.nothing = true;
        run.errors.push(error as GraphQLError);
      }
      const answer = (): Answer => {
        const answered = run.nothing ? null : data;
        return run.errors.length === 0 ? { data: answered } : { errors: run.errors, data: answered };
      };
      if (run.pending === 0) return answer();
      return new Promise((resolve) => (run.settled = () => resolve(answer())));
    },
  };
}

/** A name that an ordinary object cannot hold as one of its own. */
const PROTOTYPE = '__proto__';
const INTROSPECTION = new Set(['__schema', '__type']);

interface CompiledField extends FieldOf {
  /** Under which it is answered. */
  key: string;
  resolve: GraphQLField<unknown, unknown>['resolve'];
  completed: Completed;
  argumentsOf(variables: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

function answerFields(
  run: Run,
  fields: readonly CompiledField[],
  source: unknown,
  place: Place | null,
): Record<string, unknown> {
  const answered: Record<string, unknown> = {};
  for (const field of fields) {
    const { key, completed } = field;
    let value: unknown;
    try {
      value = valueOf(run, field, source, place);
    } catch (raw) {
      const error = located(raw, field.nodes, place, key);
      if (!completed.nullable) throw error;
      run.errors.push(error);
      answered[key] = null;
      continue;
    }
    completeInto(run, value, place, answered, key, completed, field);
  }
  return answered;
}

function valueOf(run: Run, field: CompiledField, source: unknown, place: Place | null): unknown {
  const { resolve, name } = field;
  if (resolve != null) {
    return resolve(source, field.argumentsOf(run.variables), run.context, field.infoOf(run, place));
  }
  // As the default resolver of graphql-js does.
  if ((typeof source !== 'object' || source === null) && typeof source !== 'function') return undefined;
  const value = (source as Record<string, unknown>)[name];
  if (typeof value !== 'function') return value;
  const method = (source as Record<string, (...given: unknown[]) => unknown>)[name]!.bind(source);
  return method(field.argumentsOf(run.variables), run.context, field.infoOf(run, place));
}

/** Read once where they hold no variables and nothing that a resolver could change for the next one. */
function argumentsOf(
  definition: GraphQLField<unknown, unknown>,
  node: FieldNode,
): (variables: Readonly<Record<string, unknown>>) => Record<string, unknown> {
  if (definition.args.length === 0) return () => ({});
  const plain =
    definition.args.every(({ type }) => !isInputObjectType(getNamedType(type))) &&
    (node.arguments ?? []).every(
      ({ value }) => value.kind !== Kind.VARIABLE && value.kind !== Kind.LIST && value.kind !== Kind.OBJECT,
    );
  if (plain) {
    try {
      const values = getArgumentValues(definition, node);
      return () => ({ ...values });
    } catch {
      // It is thrown again, and told, where the field is answered.
    }
  }
  return (variables) => getArgumentValues(definition, node, variables);
}
