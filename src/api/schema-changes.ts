import {
  type BreakingChange,
  BreakingChangeType,
  findBreakingChanges,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
} from 'graphql';

/**
 * Changes that break a client of the released schema, but for the removal of what was released as deprecated: clients
 * were told, with reason and date.
 */
export function refusedChanges(released: GraphQLSchema, current: GraphQLSchema): BreakingChange[] {
  return findBreakingChanges(released, current).filter((change) => !wasAnnounced(released, change));
}

function wasAnnounced(released: GraphQLSchema, { type, description }: BreakingChange): boolean {
  switch (type) {
    case BreakingChangeType.FIELD_REMOVED: {
      const [typeName = '', fieldName = ''] = (description.split(' ')[0] ?? '').split('.');
      const parent = released.getType(typeName);
      if (!isObjectType(parent) && !isInterfaceType(parent) && !isInputObjectType(parent)) return false;
      return parent.getFields()[fieldName]?.deprecationReason != null;
    }
    case BreakingChangeType.VALUE_REMOVED_FROM_ENUM: {
      const [, value = '', enumName = ''] =
        /^(\S+) was removed from enum type (\S+)\.$/.exec(description) ?? [];
      const enumeration = released.getType(enumName);
      return isEnumType(enumeration) && enumeration.getValue(value)?.deprecationReason != null;
    }
    case BreakingChangeType.ARG_REMOVED: {
      const [, typeName = '', fieldName = '', name = ''] =
        /^(\w+)\.(\w+) arg (\w+) was removed\.$/.exec(description) ?? [];
      const parent = released.getType(typeName);
      if (!isObjectType(parent) && !isInterfaceType(parent)) return false;
      const argument = parent.getFields()[fieldName]?.args.find((each) => each.name === name);
      return argument?.deprecationReason != null;
    }
    default:
      return false;
  }
}
