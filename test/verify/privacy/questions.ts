import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kind, type OperationDefinitionNode, parse } from 'graphql';
import { QUANTITIES } from '../../../src/domain/quantity';
import { type Houses } from './house';

export interface Question {
  name: string;
  document: string;
  variables: Record<string, unknown>;
}

const OPERATIONS = join(process.cwd(), 'schema/operations');

/** What the documented operations leave out of what can be asked of a building. */
const FURTHER: [string, string][] = [
  [
    'AllOfAverages',
    `query ($building: ID!) { building(id: $building) { presenceRevealing averages { ...A } spaces { id averages { ...A } states { quantity active clear } } } }
     fragment A on BuildingAverage { quantity mean minimum maximum deviceMean readings devicesReporting devicesExpected windowStart windowEnd asOf
       lastReadingAt further { name value } position { incarnation partition sequence } revision cursor }`,
  ],
  [
    'AllOfHistory',
    `query ($building: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!) { building(id: $building) {
       averageHistory(quantity: $quantity, from: $from, to: $to, first: 20) { nodes { mean minimum maximum readings position { sequence } asOf revision cursor } pageInfo { hasNextPage } } } }`,
  ],
  [
    'SpacesHistory',
    `query ($building: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!) { building(id: $building) { spaces { id
       history(quantity: $quantity, from: $from, to: $to, step: "PT1H") { count average }
       excursions(quantity: $quantity, from: $from, to: $to, high: 1, longerThan: "PT1S") { total count } } } }`,
  ],
  [
    'AllOfDevices',
    `query ($building: ID!) { building(id: $building) { devices(first: 100) { nodes { id state lastSeenAt lastProtocol activatedAt
       assignments { point { id presenceRevealing } } } } } }`,
  ],
  [
    'DevicesReadings',
    `query ($building: ID!) { building(id: $building) { devices(first: 100) { nodes { latestReadings { quantity value observedAt }
       assignments { point { latestReading { value observedAt } } } } } } }`,
  ],
  [
    'AlertsByTwo',
    `query ($building: ID!) { building(id: $building) { alerts(first: 2) { nodes { id ruleName value raisedAt quantity } pageInfo { hasNextPage } } } }`,
  ],
  [
    'LettersByTwo',
    `query ($building: ID!, $tenant: ID!) { building(id: $building) {
       deadLetters(first: 2) { nodes { id raw message payload payloadBytes receivedAt device { id } } pageInfo { hasNextPage } }
       deadLettersOmitted { minute count } }
       tenant(id: $tenant) { deadLetters { nodes { id } } deadLettersOmitted { count } } }`,
  ],
  [
    'TenantExcursions',
    `query ($tenant: ID!, $quantity: Quantity!, $from: DateTime!, $to: DateTime!) { tenant(id: $tenant) {
       excursions(quantity: $quantity, from: $from, to: $to, high: 1, longerThan: "PT1S") { total count } } }`,
  ],
  [
    'Nodes',
    `query ($building: ID!, $device: ID!, $tenant: ID!) { a: node(id: $building) { id ... on Building { averages { quantity mean } states { quantity active } } }
       b: node(id: $device) { id ... on Device { lastSeenAt } } c: node(id: $tenant) { id } }`,
  ],
];

/** Every documented query and some more, with all that their variables can be about in the house. */
export function questionsAbout({ buildingId, tenantId, rooms, devices }: Houses): Question[] {
  const documented = readdirSync(OPERATIONS).map((file): [string, string] => [
    file.replace('.graphql', ''),
    readFileSync(join(OPERATIONS, file), 'utf8'),
  ]);
  const now = Date.now();
  const hour = new Date(now - 3_600_000).toISOString();
  const values: Record<string, unknown[]> = {
    ...{ id: [buildingId], building: [buildingId], tenant: [tenantId], tenantId: [tenantId] },
    ...{ from: [hour], to: [new Date(now + 60_000).toISOString()] },
    quantity: QUANTITIES.filter(({ kind }) => kind === 'continuous').map(({ name }) => name),
    ...{ longerThan: ['PT1S'], high: [19], step: ['PT1H'], direction: ['GIVEN'] },
    ...{ silentSince: [new Date(now - 30_000).toISOString()], device: sampleOf(devices) },
    space: [null, rooms[0]],
  };
  const byDevice = new Set(['DeviceDetail', 'DeviceConfiguration', 'DeviceLatestReadings']);
  return [...documented, ...FURTHER].flatMap(([name, document]) => {
    const operation = parse(document).definitions.find(
      (each): each is OperationDefinitionNode => each.kind === Kind.OPERATION_DEFINITION,
    );
    if (operation?.operation !== 'query') return [];
    const asked = (operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
    const of = byDevice.has(name) ? { ...values, id: sampleOf(devices) } : values;
    // What narrows to one device hides others: it is asked with and without.
    const narrowing: Record<string, unknown[]> =
      name === 'Readings' || name === 'DeadLetters' ? { device: [null, ...sampleOf(devices)] } : {};
    return combinations(
      asked.flatMap((each) => {
        const choices = { ...of, ...narrowing }[each];
        return choices === undefined ? [] : [[each, choices] as [string, unknown[]]];
      }),
    ).map((variables) => ({ name, document, variables }));
  });
}

/** One of each model. */
function sampleOf(devices: Houses['devices']): string[] {
  return [...new Map(devices.map(({ model, id }) => [model, id])).values()];
}

function combinations(choices: [string, unknown[]][]): Record<string, unknown>[] {
  return choices.reduce<Record<string, unknown>[]>(
    (all, [name, values]) => all.flatMap((each) => values.map((value) => ({ ...each, [name]: value }))),
    [{}],
  );
}

/** What is told in an answer, but for what differs between any two: the request, the moment, how much is left to spend. */
export function masked(body: unknown): string {
  const seen = new Map<string, string>();
  return JSON.stringify(body, (key, value: unknown) => {
    if (key === 'requestId' || key === 'throttleStatus') return undefined;
    // By the clock of each; since when is compared.
    if (key === 'ageMs') return '(age)';
    // Of lists, whose items have ids of their own in each run, or are sealed anew each time; those of averages are compared.
    if (key === 'endCursor' || key === 'startCursor') return value === null ? null : '(cursor)';
    if (typeof value !== 'string') return value;
    // Dead letters are named by where they lie in the stream, which whoever may not know is told under another name.
    if (key === 'id' && /^[\w-]{22}$/.test(value)) return '(dead letter)';
    // Alerts have ids of their own in each run.
    return value.replace(/alt_[\w-]{22}/g, (id) => {
      if (!seen.has(id)) seen.set(id, `alert ${seen.size}`);
      return seen.get(id)!;
    });
  });
}
