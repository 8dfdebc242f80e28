import { readFileSync } from 'node:fs';
import { OperatorError } from '../../src/observability/operator-error';

/** What a shared access policy lets its holder do. Manage includes the other two, as in Azure. */
export type Right = 'Send' | 'Listen' | 'Manage';

export interface Policy {
  keyName: string;
  key: string;
  rights: Right[];
  /** The one event hub it is good for; absent for a policy of the namespace. */
  hub?: string;
}

export interface HubConfiguration {
  namespace: string;
  name: string;
  partitionCount: number;
  /** As written; `$Default` is always among them. */
  consumerGroups: string[];
  retentionMilliseconds: number;
  /** Of each partition. */
  retentionBytes: number;
}

export interface Configuration {
  hubs: HubConfiguration[];
  policies: Policy[];
}

const HOUR = 3_600_000;
/** Azure's default for the standard tier is one hour to seven days; ours keeps what a developer left on Friday. */
const DEFAULT_RETENTION_HOURS = 7 * 24;
const DEFAULT_RETENTION_BYTES = 8 * 1024 ** 3;
const MAX_PARTITIONS = 1024;

/** Used where no file is given: one hub to try things with. */
export const SAMPLE_CONFIGURATION = {
  UserConfig: {
    NamespaceConfig: [
      {
        Type: 'EventHub',
        Name: 'emulatorNs1',
        Entities: [{ Name: 'eh1', PartitionCount: '4', ConsumerGroups: [{ Name: 'cg1' }] }],
      },
    ],
  },
};

export function readConfiguration(path: string): Configuration {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError(
      `the configuration ${path} cannot be read (${(error as NodeJS.ErrnoException).code}): name an existing file with --config`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OperatorError(`the configuration ${path} is not JSON: ${(error as Error).message}`);
  }
  const { configuration, problems } = parseConfiguration(value);
  if (problems.length > 0) {
    throw new OperatorError(`the configuration ${path} is not valid: ${problems.join('; ')}`);
  }
  return configuration;
}

/**
 * Reads the shape of Microsoft's emulator (`UserConfig.NamespaceConfig[].Entities[]`), see
 * https://learn.microsoft.com/azure/event-hubs/test-locally-with-event-hub-emulator. Three settings are ours:
 * `RetentionHours` and `RetentionBytes` of an entity, `AuthorizationRules` of a namespace. All mistakes are reported
 * at once, each with the place where it stands.
 */
export function parseConfiguration(value: unknown): { configuration: Configuration; problems: string[] } {
  const problems: string[] = [];
  const hubs: HubConfiguration[] = [];
  const policies: Policy[] = [];
  const seen = new Set<string>();
  const namespaces = list(property(property(value, 'UserConfig'), 'NamespaceConfig'));
  if (namespaces === undefined || namespaces.length === 0) {
    problems.push('UserConfig.NamespaceConfig must be a list with at least one namespace');
  }
  for (const [i, namespace] of (namespaces ?? []).entries()) {
    const where = `NamespaceConfig[${i}]`;
    const type = property(namespace, 'Type');
    if (type !== undefined && String(type).toLowerCase() !== 'eventhub') {
      problems.push(`${where}.Type must be "EventHub"`);
    }
    const name = nameOf(namespace, `${where}.Name`, problems);
    const entities = list(property(namespace, 'Entities'));
    if (entities === undefined) problems.push(`${where}.Entities must be a list`);
    for (const [j, entity] of (entities ?? []).entries()) {
      const hub = parseHub(entity, name, `${where}.Entities[${j}]`, problems);
      if (seen.has(hub.name.toLowerCase())) {
        problems.push(
          `${where}.Entities[${j}].Name '${hub.name}' is used twice: one endpoint serves all namespaces`,
        );
      }
      seen.add(hub.name.toLowerCase());
      hubs.push(hub);
    }
    for (const [j, rule] of (list(property(namespace, 'AuthorizationRules')) ?? []).entries()) {
      const policy = parsePolicy(rule, `${where}.AuthorizationRules[${j}]`, problems);
      if (policy) policies.push(policy);
    }
  }
  return { configuration: { hubs, policies }, problems };
}

function parseHub(entity: unknown, namespace: string, where: string, problems: string[]): HubConfiguration {
  const consumerGroups = ['$Default'];
  for (const [i, group] of (list(property(entity, 'ConsumerGroups')) ?? []).entries()) {
    const name = nameOf(group, `${where}.ConsumerGroups[${i}].Name`, problems);
    if (!consumerGroups.some((each) => each.toLowerCase() === name.toLowerCase())) consumerGroups.push(name);
  }
  return {
    namespace,
    name: nameOf(entity, `${where}.Name`, problems),
    partitionCount: whole(entity, 'PartitionCount', where, problems, { from: 1, to: MAX_PARTITIONS }),
    consumerGroups,
    retentionMilliseconds:
      HOUR * whole(entity, 'RetentionHours', where, problems, { from: 1, default: DEFAULT_RETENTION_HOURS }),
    retentionBytes: whole(entity, 'RetentionBytes', where, problems, {
      from: 1,
      default: DEFAULT_RETENTION_BYTES,
    }),
  };
}

function parsePolicy(rule: unknown, where: string, problems: string[]): Policy | undefined {
  const keyName = property(rule, 'KeyName');
  const key = property(rule, 'Key');
  const rights = list(property(rule, 'Rights')) ?? [];
  const hub = property(rule, 'EventHub');
  const isRight = (each: unknown): each is Right => ['Send', 'Listen', 'Manage'].includes(String(each));
  if (typeof keyName !== 'string' || typeof key !== 'string' || key === '') {
    problems.push(`${where} needs a KeyName and a Key`);
    return undefined;
  }
  if (rights.length === 0 || !rights.every(isRight)) {
    problems.push(`${where}.Rights must list some of "Send", "Listen" and "Manage"`);
    return undefined;
  }
  return { keyName, key, rights, ...(typeof hub === 'string' ? { hub } : {}) };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function list(value: unknown): unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function nameOf(value: unknown, where: string, problems: string[]): string {
  const name = property(value, 'Name');
  if (typeof name === 'string' && /^[A-Za-z0-9$][A-Za-z0-9._-]{0,255}$/.test(name)) return name;
  problems.push(`${where} must be a name of letters, digits, '.', '-' and '_', not ${JSON.stringify(name)}`);
  return '';
}

function whole(
  entity: unknown,
  name: string,
  where: string,
  problems: string[],
  range: { from: number; to?: number; default?: number },
): number {
  const value = property(entity, name);
  if (value === undefined && range.default !== undefined) return range.default;
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= range.from && number <= (range.to ?? number)) return number;
  const bounds = range.to === undefined ? `of at least ${range.from}` : `from ${range.from} to ${range.to}`;
  problems.push(`${where}.${name} must be a whole number ${bounds}, not ${JSON.stringify(value)}`);
  return range.from;
}
