import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInputObjectType, getNamedType } from 'graphql';
import { PLATFORM_TENANT } from '../../src/auth/platform';
import { createSchema } from '../../src/resolvers/schema';
import { type OwnWorld, startWorld } from '../isolation/in-process';
import { buildTenants, type Tenants } from '../isolation/tenants';
import { freshKey, type Person } from './api.support';
import { IDEMPOTENT, type IdempotentMutation } from './idempotent-mutations';

/** What is shown once, and that it was. */
const SHOWN_ONCE =
  /^(secret|secondarySecret|connectionString|primaryKey|secondaryKey|claimText|claimCode|grantCode|invitationCode|token|code|secretsAlreadyShown)$/;

describe('idempotency keys', () => {
  let world: OwnWorld;
  let tenants: Tenants;
  let operators: [Person, Person];
  beforeAll(async () => {
    world = await startWorld();
    tenants = await buildTenants(world);
    operators = [
      await world.person('first operator', PLATFORM_TENANT, 'OPERATOR'),
      await world.person('second operator', PLATFORM_TENANT, 'OPERATOR'),
    ];
  });
  afterAll(() => world?.stop());

  async function call({ field }: IdempotentMutation, who: Person, input: Record<string, unknown>) {
    const name = field[0]!.toUpperCase() + field.slice(1);
    const document = readFileSync(join('schema', 'operations', `${name}.graphql`), 'utf8');
    const { data, errors } = await world.ask<Record<string, Answer>, object>(who, document, { input });
    if (errors !== undefined) throw new Error(`${field}: ${errors[0]!.message}`);
    return data![field]!;
  }

  /** How often each action was told in the logs that a change could be told in. */
  async function told(): Promise<Record<string, number>> {
    const { data } = await world.ask<
      Record<'tenant' | 'building', { auditLog: { nodes: { action: string }[] } }>,
      object
    >(
      tenants.people.OWNER,
      `query ($tenant: ID!, $building: ID!) {
        tenant(id: $tenant) { auditLog(first: 200) { nodes { action } } }
        building(id: $building) { auditLog(first: 200) { nodes { action } } } }`,
      { tenant: tenants.north.tenant, building: tenants.north.building },
    );
    const counts: Record<string, number> = {};
    for (const place of ['tenant', 'building'] as const) {
      for (const { action } of data![place].auditLog.nodes) {
        const key = `${place} ${action}`;
        counts[key] = (counts[key] ?? 0) + 1;
      }
    }
    return counts;
  }

  it('are taken by mutations that are all in the table', () => {
    const mutations = createSchema().getMutationType()!.getFields();
    const taking = Object.values(mutations).filter(({ args }) =>
      args.some(({ type }) => {
        const input = getNamedType(type);
        return isInputObjectType(input) && 'idempotencyKey' in input.getFields();
      }),
    );
    expect(IDEMPOTENT.map(({ field }) => field).sort()).toEqual(taking.map(({ name }) => name).sort());
  });

  it.each(IDEMPOTENT)(
    'make $field happen once, answer alike, and are bound to its variables and caller',
    async (mutation) => {
      const { by } = mutation;
      const [caller, colleague] = by ? operators : [tenants.people.OWNER, tenants.deputy];
      const idempotencyKey = freshKey();
      const input = { ...mutation.input(tenants.north, tenants.south), idempotencyKey };
      const before = await told();
      const twins = await Promise.all([call(mutation, caller, input), call(mutation, caller, input)]);
      const again = await call(mutation, caller, input);
      expect(twins[0].code).toBeUndefined();
      expect(withoutSecrets(twins[1])).toEqual(withoutSecrets(twins[0]));
      expect(withoutSecrets(again)).toEqual(withoutSecrets(twins[0]));
      const after = await told();
      const twice = Object.keys(after).filter((action) => after[action]! > (before[action] ?? 0) + 1);
      expect(twice).toEqual([]);
      // Where there is something to be shown once, one of them shows it.
      const shown = [...twins, again].filter(({ secretsAlreadyShown }) => secretsAlreadyShown === false);
      expect(shown).toHaveLength('secretsAlreadyShown' in again ? 1 : 0);

      const others = { ...input, ...mutation.other(tenants.north, tenants.south) };
      expect(await call(mutation, caller, others)).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });

      // A colleague's call with the same key is a call of their own, even where nothing is left to be done by it.
      const colleagues = await call(mutation, colleague, input);
      expect(colleagues.code).not.toBe('IDEMPOTENCY_KEY_REUSED');
      if (idsIn(twins[0]).length > 0 && colleagues.code === undefined) {
        const theirs = new Set(idsIn(colleagues));
        expect(mutation.changes === 'in place' || idsIn(twins[0]).some((id) => !theirs.has(id))).toBe(true);
      }
    },
  );

  it('are each mutation’s own', async () => {
    const idempotencyKey = freshKey();
    for (const field of ['createBuilding', 'createWebhook', 'createEnrollmentGroup']) {
      const mutation = IDEMPOTENT.find((each) => each.field === field)!;
      const answer = await call(mutation, tenants.people.OWNER, {
        ...mutation.input(tenants.north, tenants.south),
        idempotencyKey,
      });
      expect(answer.__typename).toMatch(/Success$/);
    }
  });
});

type Answer = { __typename: string; code?: string; secretsAlreadyShown?: boolean };

function withoutSecrets(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer, (name, value: unknown) => (SHOWN_ONCE.test(name) ? undefined : value)),
  );
}

function idsIn(answer: unknown): string[] {
  return [...JSON.stringify(answer).matchAll(/"(?:id|credentialId)":"([^"]+)"/g)].map(([, id]) => id!);
}
