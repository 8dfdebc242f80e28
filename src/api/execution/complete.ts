import {
  defaultTypeResolver,
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { type InfoOf } from './info';
import { awaiting, failLate, isPromise, located, type Place, put, type Run } from './run';

/** Of which field values are completed: what its errors name. */
export interface FieldOf {
  readonly nodes: readonly FieldNode[];
  readonly parentType: GraphQLObjectType;
  readonly name: string;
  readonly infoOf: InfoOf;
}

/** Answers the fields that are asked of an object. Throws located errors for what may not be null and is. */
export type AnswerObject = (
  run: Run,
  type: GraphQLObjectType,
  source: unknown,
  place: Place,
) => Record<string, unknown>;

/**
 * What a resolver gave as it is answered, for one type (https://spec.graphql.org/October2021/#CompleteValue()). Null and
 * undefined come out as null; whether that may be is for whoever asks. Throws what went wrong, and located errors from
 * below. Where something is still awaited, the value stands in `holder` before it is complete; a value that is itself
 * awaited comes out as `LATER`, and puts itself there.
 */
export type Complete = (
  run: Run,
  value: unknown,
  place: Place | null,
  holder: Record<string, unknown> | unknown[],
  key: string | number,
) => unknown;

/** The value is not there yet, and will put itself in its place. */
export const LATER = Symbol('later');

export interface Completed {
  complete: Complete;
  nullable: boolean;
}

export function completing(
  schema: GraphQLSchema,
  type: GraphQLOutputType,
  field: FieldOf,
  answer: AnswerObject,
): Completed {
  const nullable = !isNonNullType(type);
  const inner = isNonNullType(type) ? type.ofType : type;
  if (isLeafType(inner)) return { nullable, complete: leaf(inner) };
  if (isListType(inner)) {
    return { nullable, complete: list(completing(schema, inner.ofType, field, answer), field, nullable) };
  }
  return {
    nullable,
    complete: isObjectType(inner)
      ? object(inner, field, nullable, answer)
      : abstract(schema, inner, field, nullable, answer),
  };
}

/** What takes the place of nothing where something must be. */
export function nothingThere({ parentType, name }: FieldOf): Error {
  return new Error(`Cannot return null for non-nullable field ${parentType.name}.${name}.`);
}

function leaf(type: GraphQLLeafType): Complete {
  return (_run, value) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    const serialized: unknown = type.serialize(value);
    if (serialized === null || serialized === undefined) {
      throw new Error(`Expected \`${type.name}.serialize()\` to return non-nullable value`);
    }
    return serialized;
  };
}

function list(item: Completed, field: FieldOf, nullable: boolean): Complete {
  return (run, value, parent, holder, key) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    if (typeof value !== 'object' || !(Symbol.iterator in value)) {
      const name = `${field.parentType.name}.${field.name}`;
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${name}".`);
    }
    const items: unknown[] = [];
    const place: Place = { parent, holder, key, nullable, gone: false };
    let index = 0;
    try {
      for (const each of value as Iterable<unknown>) {
        completeInto(run, each, place, items, index++, item, field);
      }
    } catch (error) {
      place.gone = true;
      throw error;
    }
    return items;
  };
}

/**
 * Completes a value, which may be promised, and puts it in its place. Throws a located error for what may not be null.
 *
 * @param place of what it lies in, which `into` is.
 */
export function completeInto(
  run: Run,
  value: unknown,
  place: Place | null,
  into: Record<string, unknown> | unknown[],
  key: string | number,
  { complete, nullable }: Completed,
  field: FieldOf,
): void {
  if (isPromise(value)) {
    // Keeps the order in which fields are answered.
    put(into, key, null);
    awaiting(
      run,
      value,
      (fulfilled) => {
        try {
          completeInto(run, fulfilled, place, into, key, { complete, nullable }, field);
        } catch (error) {
          failLate(run, error as GraphQLError, place, { holder: into, key, nullable });
        }
      },
      (reason) =>
        failLate(run, located(reason, field.nodes, place, key), place, { holder: into, key, nullable }),
    );
    return;
  }
  try {
    const completed = complete(run, value, place, into, key);
    if (completed === LATER) return;
    if (completed === null && !nullable) throw nothingThere(field);
    put(into, key, completed);
  } catch (raw) {
    const error = located(raw, field.nodes, place, key);
    if (!nullable) throw error;
    run.errors.push(error);
    put(into, key, null);
  }
}

function object(type: GraphQLObjectType, field: FieldOf, nullable: boolean, answer: AnswerObject): Complete {
  return (run, value, parent, holder, key) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    const place: Place = { parent, holder, key, nullable, gone: false };
    return answerChecked(run, type, value, place, field, answer);
  };
}

function answerChecked(
  run: Run,
  type: GraphQLObjectType,
  value: unknown,
  place: Place,
  field: FieldOf,
  answer: AnswerObject,
): unknown {
  const answered = (): Record<string, unknown> => {
    try {
      return answer(run, type, value, place);
    } catch (error) {
      place.gone = true;
      throw error;
    }
  };
  if (type.isTypeOf == null) return answered();
  const is = type.isTypeOf(value, run.context, field.infoOf(run, place.parent));
  const wrong = (): GraphQLError =>
    new GraphQLError(`Expected value of type "${type.name}" but got: ${typeof value}.`, {
      nodes: field.nodes,
    });
  if (isPromise(is)) {
    later(run, is, place, field, (holds) => {
      if (!holds) throw wrong();
      return answered();
    });
    return LATER;
  }
  if (is) return answered();
  throw wrong();
}

function abstract(
  schema: GraphQLSchema,
  type: GraphQLAbstractType,
  field: FieldOf,
  nullable: boolean,
  answer: AnswerObject,
): Complete {
  const resolveType = type.resolveType ?? defaultTypeResolver;
  return (run, value, parent, holder, key) => {
    if (value === null || value === undefined) return null;
    if (value instanceof Error) throw value;
    const place: Place = { parent, holder, key, nullable, gone: false };
    const name: unknown = resolveType(value, run.context, field.infoOf(run, parent), type);
    if (isPromise(name)) {
      later(run, name, place, field, (resolved) =>
        answerChecked(run, typeNamed(schema, type, resolved, field), value, place, field, answer),
      );
      return LATER;
    }
    return answerChecked(run, typeNamed(schema, type, name, field), value, place, field, answer);
  };
}

/** Completes the value of a place by what is promised. */
function later(
  run: Run,
  promise: PromiseLike<unknown>,
  place: Place,
  { nodes }: FieldOf,
  complete: (promised: unknown) => unknown,
): void {
  const { parent, holder, key } = place;
  put(holder, key, null);
  const fail = (raw: unknown): void => failLate(run, located(raw, nodes, parent, key), parent, place);
  awaiting(
    run,
    promise,
    (promised) => {
      try {
        const completed = complete(promised);
        if (completed !== LATER) put(holder, key, completed);
      } catch (raw) {
        fail(raw);
      }
    },
    fail,
  );
}

function typeNamed(
  schema: GraphQLSchema,
  type: GraphQLAbstractType,
  name: unknown,
  { nodes, parentType, name: fieldName }: FieldOf,
): GraphQLObjectType {
  const found = typeof name === 'string' ? schema.getType(name) : undefined;
  if (isObjectType(found) && schema.isSubType(type, found)) return found;
  throw new GraphQLError(
    `Abstract type "${type.name}" must resolve to one of its Object types at runtime for field "${parentType.name}.${fieldName}".`,
    { nodes },
  );
}
