import { type Answer, type Person } from '../api/api.support';
import { ask, masked } from './judging';
import { type Things } from './rights';
import { type Tenants } from './tenants';
import { type World } from './world';

/** A list of something, whose cursors are its caller's alone. */
export interface Paged {
  /** `Type.field`, as in the schema. */
  list: string;
  /** What is asked of the parent, up to the list's own arguments: `after: $after` is put among them. */
  of: 'tenant' | 'building' | 'webhook' | 'export' | 'nothing';
  /** With `AFTER` where the cursor goes. */
  selection: string;
}

const RANGE = () => {
  const [from, to] = [-3_600_000, 60_000].map((by) => new Date(Date.now() + by).toISOString());
  return `from: "${from}", to: "${to}"`;
};
const PAGE = '{ pageInfo { endCursor } }';
const EXCURSIONS = `quantity: AIR_TEMPERATURE, high: 20, longerThan: "PT1S", ${RANGE()}`;

/** Every list of the schema that goes forward by a cursor; a test holds it to that. */
export const PAGED: Paged[] = [
  { list: 'Query.buildings', of: 'nothing', selection: `buildings(AFTER) ${PAGE}` },
  ...['access', 'alerts', 'auditLog', 'deadLetters', 'devices', 'latestReadings'].map((field) => ({
    list: `Building.${field}`,
    of: 'building' as const,
    selection: `${field}(AFTER) ${PAGE}`,
  })),
  {
    list: 'Building.averageHistory',
    of: 'building',
    selection: `averageHistory(quantity: AIR_TEMPERATURE, ${RANGE()}, AFTER) ${PAGE}`,
  },
  { list: 'Building.readings', of: 'building', selection: `readings(${RANGE()}, AFTER) ${PAGE}` },
  {
    list: 'Building.excursions',
    of: 'building',
    selection: `excursions(${EXCURSIONS}, AFTER) { endCursor }`,
  },
  {
    list: 'Space.excursions',
    of: 'building',
    selection: `spaces { id excursions(${EXCURSIONS}, AFTER) { endCursor } }`,
  },
  { list: 'Tenant.excursions', of: 'tenant', selection: `excursions(${EXCURSIONS}, AFTER) { endCursor }` },
  ...[
    'alertRules',
    'apiKeys',
    'auditLog',
    'deadLetters',
    'deviceTransfers',
    'exports',
    'invitations',
    'jobs',
    'members',
    'registeredDevices',
    'trustedDocuments',
    'webhooks',
  ].map((field) => ({
    list: `Tenant.${field}`,
    of: 'tenant' as const,
    selection: `${field}(AFTER) ${PAGE}`,
  })),
  { list: 'Tenant.grants', of: 'tenant', selection: `grants(direction: GIVEN, AFTER) ${PAGE}` },
  { list: 'Webhook.deliveries', of: 'webhook', selection: `... on Webhook { deliveries(AFTER) ${PAGE} }` },
  { list: 'Job.rows', of: 'export', selection: `... on Export { job { rows(AFTER) ${PAGE} } }` },
];

/**
 * Cursors that are no list's: where a subscription goes on. Those of averages are of a building and nobody's, and open
 * nothing by themselves; those of alerts are a person's.
 */
export const NOT_PAGED = [
  'Subscription.buildingAverage',
  'Subscription.buildingAverages',
  'Subscription.alerts',
];

export interface CursorJudged {
  /** What is wrong, in words; empty where nothing is. */
  differences: string[];
  answers: number;
}

/**
 * Takes the cursors that three callers have of the same list: one's own is good; another owner's of the same tenant, a
 * foreign tenant's and one that is made up are refused in the same words.
 */
export async function judgeCursors(world: World, tenants: Tenants, each: Paged): Promise<CursorJudged> {
  const { north, south, people, deputy, southOwner } = tenants;
  const ask = (who: Person, things: Things, after: string | null) => page(world, who, each, things, after);
  const own = endOf(await ask(people.OWNER, north, null));
  const colleagues = endOf(await ask(deputy, north, null));
  const foreign = endOf(await ask(southOwner, south, null));
  if (own === undefined || colleagues === undefined || foreign === undefined) {
    return { differences: [`${each.list} has nothing to have a cursor of`], answers: 3 };
  }
  const madeUp = Buffer.from('made up by nobody at all, ever').toString('base64url');
  const differences: string[] = [];
  const good = await ask(people.OWNER, north, own);
  // Of several spaces the cursor is one's alone.
  if (!JSON.stringify(good.data).includes('"endCursor"'))
    differences.push(`${each.list}: one's own cursor was refused`);
  const refused: string[] = [];
  for (const [whose, cursor] of Object.entries({ 'a colleague': colleagues, foreign, nobody: madeUp })) {
    const { status, data, errors } = await ask(people.OWNER, north, cursor);
    refused.push(masked(JSON.stringify({ status, data, errors }), north));
    if (errors?.[0]?.extensions['code'] !== 'BAD_USER_INPUT') {
      differences.push(`${each.list}: a cursor of ${whose} was taken`);
    }
  }
  if (new Set(refused).size > 1) differences.push(`${each.list}: cursors of others are told apart`);
  return { differences, answers: 7 };
}

function page(
  world: World,
  who: Person,
  { of, selection }: Paged,
  things: Things,
  after: string | null,
): Promise<Answer<Record<string, unknown>>> {
  const selected = selection.replace('AFTER', 'first: 1, after: $after');
  const document = {
    nothing: `query ($after: String) { ${selected} }`,
    tenant: `query ($id: ID!, $after: String) { tenant(id: $id) { ${selected} } }`,
    building: `query ($id: ID!, $after: String) { building(id: $id) { ${selected} } }`,
    webhook: `query ($id: ID!, $after: String) { node(id: $id) { ${selected} } }`,
    export: `query ($id: ID!, $after: String) { node(id: $id) { ${selected} } }`,
  }[of];
  const id = {
    tenant: things.tenant,
    building: things.building,
    webhook: things.webhook,
    export: things.readyExport,
  };
  const variables = { ...(of === 'nothing' ? {} : { id: id[of] }), after };
  return ask(world, who, document, variables, 'HTTP');
}

function endOf({ data }: Answer<Record<string, unknown>>): string | undefined {
  return /"endCursor":"([^"]+)"/.exec(JSON.stringify(data))?.[1];
}
