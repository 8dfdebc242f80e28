import { type AlertRules } from '../store/alert-rules';
import { type AveragesWriter } from '../store/averages';
import { type RecentWriter } from '../store/recent';
import { READING } from './chunks';
import { type PackedPart, type PackedStates } from './packed';
import { type RecentStore } from './recent/recent';
import { type Snapshot } from './snapshot';

export type IsErased = (tenantId: string) => boolean;

/** A snapshot without what it holds of erased tenants; the same where that is nothing. */
export function snapshotWithout(snapshot: Snapshot, isErased: IsErased): Snapshot {
  const { head } = snapshot;
  const owned = <T extends { tenantId: string }>(all: readonly T[]): T[] =>
    all.filter(({ tenantId }) => !isErased(tenantId));
  const parts = snapshot.parts.map((part) => partWithout(part, isErased));
  const points = owned(head.points);
  const late = head.recent && owned(head.recent.late);
  const alerts = head.alerts && {
    engine: { ...head.alerts.engine, buildings: owned(head.alerts.engine.buildings) },
    effects: owned(head.alerts.outbox.effects),
  };
  const isSame =
    parts.every((part, i) => part === snapshot.parts[i]) &&
    points.length === head.points.length &&
    late?.length === head.recent?.late.length &&
    alerts?.engine.buildings.length === head.alerts?.engine.buildings.length &&
    alerts?.effects.length === head.alerts?.outbox.effects.length;
  if (isSame) return snapshot;
  return {
    parts,
    head: {
      ...head,
      points,
      ...(head.recent && { recent: { ...head.recent, late: late! } }),
      // Numbers of buildings' newest events do not say whose they are. Without them the last minute's are told again, which
      // whoever hears them knows by their numbers.
      ...(alerts && { alerts: { engine: alerts.engine, outbox: { effects: alerts.effects, numbers: [] } } }),
    },
  };
}

function partWithout(part: PackedPart, isErased: IsErased): PackedPart {
  if (part.states) {
    if (!part.states.leaves.some(({ tenantId }) => isErased(tenantId))) return part;
    return { ...part, states: statesWithout(part.states, isErased) };
  }
  if (!part.buildings.some(({ tenantId }) => isErased(tenantId))) return part;
  const kept: number[] = [];
  const rows: Uint32Array[] = [];
  let leaf = 0;
  let at = 0;
  for (const building of part.buildings) {
    for (let i = 0; i < building.leaves; i++, leaf++) {
      const to = at + part.counts[leaf]! * READING;
      if (!isErased(building.tenantId)) {
        kept.push(leaf);
        rows.push(part.readings.subarray(at, to));
      }
      at = to;
    }
  }
  const readings = new Uint32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const each of rows) {
    readings.set(each, end);
    end += each.length;
  }
  return {
    ...part,
    buildings: part.buildings.filter(({ tenantId }) => !isErased(tenantId)),
    spaceIds: kept.map((each) => part.spaceIds[each]!),
    codes: Uint8Array.from(kept, (each) => part.codes[each]!),
    counts: Uint32Array.from(kept, (each) => part.counts[each]!),
    evictedAt: Float64Array.from(kept, (each) => part.evictedAt[each]!),
    readings,
  };
}

function statesWithout({ leaves, instants, marks }: PackedStates, isErased: IsErased): PackedStates {
  const kept: number[] = [];
  let at = 0;
  for (const { tenantId, counts } of leaves) {
    const to = at + counts.reduce((sum, each) => sum + each, 0);
    if (!isErased(tenantId)) for (let i = at; i < to; i++) kept.push(i);
    at = to;
  }
  return {
    leaves: leaves.filter(({ tenantId }) => !isErased(tenantId)),
    instants: Float64Array.from(kept, (each) => instants[each]!),
    marks: Uint8Array.from(kept, (each) => marks[each]!),
  };
}

/** Writes no averages of erased tenants: what was computed before the tombstone may still wait. */
export function averagesWithout(writer: AveragesWriter, isErased: IsErased): AveragesWriter {
  return {
    write(buildingId, points) {
      const kept = points.filter(({ tenantId }) => !isErased(tenantId));
      return kept.length === 0 && points.length > 0 ? Promise.resolve([]) : writer.write(buildingId, kept);
    },
  };
}

/** The same of single readings. */
export function recentWithout(recent: RecentStore, isErased: IsErased): RecentStore {
  const writer: RecentWriter = {
    begin: recent.writer.begin,
    // Nobody asks any more from when on its readings are held.
    write: (batch) => (isErased(batch.tenantId) ? Promise.resolve(Infinity) : recent.writer.write(batch)),
  };
  return { ...recent, writer };
}

/** Rules of erased tenants are none: their documents go without an end that the feed would tell. */
export function rulesWithout(rules: AlertRules, isErased: IsErased): AlertRules {
  return {
    ...rules,
    all: () => [...rules.all()].filter(({ tenantId }) => !isErased(tenantId)),
    onRule: (listener) =>
      rules.onRule((rule) => {
        if (!isErased(rule.tenantId)) listener(rule);
      }),
  };
}
