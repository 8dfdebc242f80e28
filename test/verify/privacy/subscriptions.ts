import { type OwnWorld } from '../../isolation/in-process';
import { type Houses } from './house';
import { masked } from './questions';

const SUBSCRIPTIONS: Record<
  string,
  (houses: Houses) => { query: string; variables: Record<string, unknown> }
> = {
  averages: ({ buildingId }) => ({
    query: `subscription ($building: ID!) { buildingAverage(building: $building, minInterval: "PT0S", corrections: true) {
      quantity mean minimum maximum readings devicesReporting windowEnd asOf lastReadingAt position { sequence } revision delivery } }`,
    variables: { building: buildingId },
  }),
  alerts: ({ buildingId }) => ({
    query: `subscription ($buildings: [ID!]!) { alerts(buildingIds: $buildings, minimumSeverity: MINOR) {
      __typename ... on AlertChanged { change number alert { id ruleName raisedAt value } } ... on ActiveAlert { alert { id raisedAt } } } }`,
    variables: { buildings: [buildingId] },
  }),
  devices: ({ buildingId }) => ({
    query: `subscription ($building: ID!) { deviceStatus(building: $building) { deviceId state lastSeenAt lastProtocol } }`,
    variables: { building: buildingId },
  }),
};

/** What one caller is told by each subscription. */
export interface Listening {
  /** Messages so far, by subscription and by what replaces what: the order within these is what is delivered. */
  told(): Map<string, string[]>;
  /** Whether all began: each has a message, or has ended. */
  begun(): boolean;
  end(): void;
}

export function listen(houses: Houses, world: OwnWorld, who: { token: string }): Listening {
  const told = new Map<string, string[]>();
  const begun = new Set<string>();
  const client = world.subscriber(who);
  const put = (key: string, text: string): void => void told.set(key, [...(told.get(key) ?? []), text]);
  const names = Object.keys(SUBSCRIPTIONS);
  const ends = names.map((name) => {
    const ended = (how: string) => () => {
      begun.add(name);
      put(name, how);
    };
    return client.subscribe<Record<string, Record<string, unknown>>>(SUBSCRIPTIONS[name]!(houses), {
      next({ data, errors }) {
        begun.add(name);
        const value = Object.values(data ?? {})[0];
        const slot = value?.['quantity'] ?? value?.['deviceId'] ?? '';
        put(`${name} ${String(slot)}`, masked({ value, errors }));
      },
      error: (error) => ended(`error ${masked(error)}`)(),
      complete: ended('complete'),
    });
  });
  return {
    told: () => told,
    begun: () => begun.size === names.length,
    end: () => ends.forEach((each) => each()),
  };
}
