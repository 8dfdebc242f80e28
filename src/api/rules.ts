import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLSchema,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
} from 'graphql';
import { isForKeys } from '../auth/api-key-permissions';
import { allows, allowsSomewhere } from '../auth/scope';
import { type Context } from '../resolvers/context';
import { clientError } from '../resolvers/errors';
import { type Owned, type Rule } from '../resolvers/rule';
import { userErrorOf } from '../resolvers/user-error.type';

/** Every field of every object and interface, as `Type.field`. */
export function schemaFields(
  schema: GraphQLSchema,
): { name: string; field: GraphQLField<unknown, Context> }[] {
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isIntrospectionType(type) || !(isObjectType(type) || isInterfaceType(type))
      ? []
      : Object.values(type.getFields()).map((field) => ({ name: `${type.name}.${field.name}`, field })),
  );
}

export function ruleOf(field: GraphQLField<unknown, Context>): Rule | undefined {
  return field.extensions['rule'] as Rule | undefined;
}

/** Whether a field is the same for everybody who may see its object. */
export function isIndependent(field: GraphQLField<unknown, Context>): boolean {
  return field.extensions['independent'] === true;
}

/** The fields without a rule, as `Type.field`. */
export function fieldsWithoutRule(schema: GraphQLSchema): string[] {
  return schemaFields(schema)
    .filter(({ field }) => ruleOf(field) === undefined)
    .map(({ name }) => name);
}

/**
 * Puts each field's rule before its resolver. No field is served that names none: throws where one is missing, so that
 * the API does not start. Changes the schema it is given.
 */
export function enforceRules(schema: GraphQLSchema): GraphQLSchema {
  const missing = fieldsWithoutRule(schema);
  if (missing.length > 0) {
    throw new Error(`these fields of the schema name no rule: ${missing.join(', ')}; add @Visible(...)`);
  }
  const contradictory = schemaFields(schema).filter(({ name, field }) => {
    const rule = ruleOf(field)!;
    // What asks for a permission, or goes through the caller's own scope, depends on who asks. A subscription's stream asks
    // for it itself, apart from the execution.
    const asks = typeof rule === 'object' || rule === 'signed-in';
    return isIndependent(field) && asks && !name.startsWith('Subscription.');
  });
  if (contradictory.length > 0) {
    const names = contradictory.map(({ name }) => name).join(', ');
    throw new Error(`these fields are marked as independent and have a rule that is not: ${names}`);
  }
  for (const { name, field } of schemaFields(schema)) {
    const rule = ruleOf(field)!;
    if (name.startsWith('Mutation.') && !isChangeForKeys(rule)) keepFromKeys(field);
    if (typeof rule === 'string' || rule.of === 'arguments') continue;
    const resolve = field.resolve ?? defaultFieldResolver;
    field.resolve = (source, args, context, info) => {
      const { tenantId, buildingId, spaceId = null } = source as Owned;
      const target = buildingId === undefined ? { tenantId } : { tenantId, buildingId, spaceId };
      const holds = rule.of === 'parent' ? allows : allowsSomewhere;
      if (!holds(context.scope, rule.needs, target)) {
        throw clientError('FORBIDDEN', `your role does not show ${name}`);
      }
      return resolve(source, args, context, info) as unknown;
    };
  }
  return schema;
}

/** What no key can have a permission for, and what asks for none because it is about the caller's own person. */
function isChangeForKeys(rule: Rule): boolean {
  return typeof rule === 'object' && isForKeys(rule.needs);
}

/** Refuses a program before anything is looked up, whatever it names. */
function keepFromKeys(field: GraphQLField<unknown, Context>): void {
  const resolve = field.resolve ?? defaultFieldResolver;
  field.resolve = (source, args, context, info) =>
    context.principal.kind === 'key'
      ? userErrorOf({ code: 'FORBIDDEN', message: 'an API key may not do this: somebody has to sign in' })
      : resolve(source, args, context, info);
}
