import {
  type BreakingChange,
  BreakingChangeType,
  findBreakingChanges,
  getNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { deprecationOf, isOver } from './deprecation';

/** Something of a schema that can be deprecated: `Type.field`, `Type.field(argument:)`, `Enum.VALUE`, `Input.field`. */
interface Part {
  name: string;
  reason: string | null | undefined;
  /** Of an argument its field, with which it goes. */
  field?: string;
  /** The type that it refers to; null for a value of an enumeration. */
  refersTo: string | null;
}

/**
 * Changes that break a client of the released schema, but for the removal of what was released as deprecated and whose last
 * day is past: clients were told, with reason and date. `today` is a day in UTC, `YYYY-MM-DD`.
 */
export function refusedChanges(
  released: GraphQLSchema,
  current: GraphQLSchema,
  today: string,
): BreakingChange[] {
  const parts = partsOf(released);
  const reasons = new Map(parts.map(({ name, reason }) => [name, reason]));
  const over = new Set(
    parts
      .filter(({ reason, field }) => isOver(reason, today) || (field && isOver(reasons.get(field), today)))
      .map(({ name }) => name),
  );
  return findBreakingChanges(released, current).filter((change) => !isAllowed(released, over, change));
}

/** What is wrong with how the schema deprecates: without a day, or with an earlier one than was released. */
export function deprecationProblems(released: GraphQLSchema | null, current: GraphQLSchema): string[] {
  const before = new Map(
    released === null ? [] : partsOf(released).map(({ name, reason }) => [name, reason]),
  );
  return partsOf(current).flatMap(({ name, reason }) => {
    if (reason == null) return [];
    const deprecation = deprecationOf(reason);
    if (typeof deprecation === 'string') return [`the deprecation of ${name} ${deprecation}`];
    const promised = before.get(name);
    const earlier = promised == null ? undefined : deprecationOf(promised);
    if (earlier === undefined || typeof earlier === 'string' || earlier.lastDay <= deprecation.lastDay) {
      return [];
    }
    return [`${name} was released as served until ${earlier.lastDay}: its last day may not come earlier`];
  });
}

function isAllowed(
  released: GraphQLSchema,
  over: ReadonlySet<string>,
  { type, description }: BreakingChange,
): boolean {
  switch (type) {
    case BreakingChangeType.FIELD_REMOVED:
      return over.has(description.split(' ')[0] ?? '');
    case BreakingChangeType.VALUE_REMOVED_FROM_ENUM: {
      const [, value, name] = /^(\S+) was removed from enum type (\S+)\.$/.exec(description) ?? [];
      return over.has(`${name}.${value}`);
    }
    case BreakingChangeType.ARG_REMOVED: {
      const [, field, argument] = /^(\w+\.\w+) arg (\w+) was removed\.$/.exec(description) ?? [];
      return over.has(`${field}(${argument}:)`);
    }
    // A type has no date of its own: it may go with the last part that leads to it.
    case BreakingChangeType.TYPE_REMOVED:
      // That no part is a Float any more breaks nobody beyond the parts.
      if (description.startsWith('Standard scalar ')) return true;
      return isLeft(released, over, description.split(' ')[0] ?? '');
    default:
      return false;
  }
}

/** Whether nothing leads to the type but what is over: no other part, no union, and no interface. */
function isLeft(released: GraphQLSchema, over: ReadonlySet<string>, name: string): boolean {
  const type = released.getType(name);
  if (isObjectType(type) && type.getInterfaces().length > 0) return false;
  const named = Object.values(released.getTypeMap());
  if (named.some((each) => isUnionType(each) && each.getTypes().some((member) => member.name === name))) {
    return false;
  }
  const leading = partsOf(released).filter(({ refersTo }) => refersTo === name);
  return leading.length > 0 && leading.every((part) => over.has(part.name));
}

function partsOf(schema: GraphQLSchema): Part[] {
  return Object.values(schema.getTypeMap()).flatMap((type): Part[] => {
    if (isIntrospectionType(type)) return [];
    if (isEnumType(type)) {
      return type.getValues().map(({ name, deprecationReason: reason }) => {
        return { name: `${type.name}.${name}`, reason, refersTo: null };
      });
    }
    if (isInputObjectType(type)) {
      return Object.values(type.getFields()).map((field) => {
        const refersTo = getNamedType(field.type).name;
        return { name: `${type.name}.${field.name}`, reason: field.deprecationReason, refersTo };
      });
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return [];
    return Object.values(type.getFields()).flatMap((field) => {
      const name = `${type.name}.${field.name}`;
      return [
        { name, reason: field.deprecationReason, refersTo: getNamedType(field.type).name },
        ...field.args.map((argument) => ({
          name: `${name}(${argument.name}:)`,
          reason: argument.deprecationReason,
          field: name,
          refersTo: getNamedType(argument.type).name,
        })),
      ];
    });
  });
}
