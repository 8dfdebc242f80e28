import { type JSONValue } from '@azure/cosmos';
import { type TenantScope } from '../../auth/scope';
import { DEFAULT_INTERVAL_SECONDS, type DeviceState } from '../../domain/device';
import { steppedLastSeen } from '../../domain/last-seen';
import { type ActivityReader } from '../device-activity';
import { seenKeyOf } from '../device-activity-documents';
import { type DeviceDocument } from '../documents';
import { type Page } from '../registry';
import { type ToldDevices } from './traces';

export interface DeviceFilter {
  state?: DeviceState;
  spaceId?: string;
  /** The model's name. */
  model?: string;
  /** Milliseconds since 1970. Devices in service that were not heard at or after it, or never. */
  silentSince?: number;
}

/**
 * Devices looked at for a page of silent ones. A building in which most are heard gives short pages, whose cursors go
 * on: no request looks at more.
 */
export const DEVICES_LOOKED_AT = 500;

/** What of a filter the store can judge: further conditions of a query, with their parameters. */
export function conditionsOf({ state, spaceId, model, silentSince }: DeviceFilter): {
  conditions: string;
  parameters: Record<string, JSONValue>;
} {
  let conditions = '';
  const parameters: Record<string, JSONValue> = {};
  const equal = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    conditions += ` AND c.${name} = @${name}`;
    parameters[name] = value;
  };
  equal('state', state);
  equal('spaceId', spaceId);
  equal('model', model);
  if (silentSince !== undefined) conditions += " AND c.state IN ('PROVISIONED', 'ACTIVE')";
  return { conditions, parameters };
}

/** Those of a page that were not heard since, at most `first`; the page's own end stays where it was. */
export async function silentOf(
  activity: ActivityReader,
  scope: TenantScope,
  page: Page<DeviceDocument>,
  since: number,
  first: number,
  told: ToldDevices,
): Promise<Page<DeviceDocument>> {
  const places = page.items.map(seenKeyOf);
  const seen = await activity.lastSeen(
    scope,
    places.filter((each) => each !== null),
  );
  let next = 0;
  const silent = page.items.flatMap((item, i) => {
    const last = places[i] === null ? null : seen[next++];
    const at = last && (told.has(item.id) ? last.at : steppedLastSeen(last.at, intervalOf(item), Date.now()));
    // Whole seconds are kept: one heard in the second of `since` counts as heard.
    return at && at >= Math.trunc(since / 1000) * 1000 ? [] : [{ item, position: page.positions[i]! }];
  });
  const shown = silent.slice(0, first);
  return {
    items: shown.map(({ item }) => item),
    positions: shown.map(({ position }) => position),
    next: silent.length > first ? shown.at(-1)!.position : page.next,
  };
}

/** How often a device is expected to send, in seconds. */
export function intervalOf({ intervalSeconds }: Pick<DeviceDocument, 'intervalSeconds'>): number {
  return intervalSeconds ?? DEFAULT_INTERVAL_SECONDS;
}
