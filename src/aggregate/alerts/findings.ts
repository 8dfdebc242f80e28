import { type ActiveAlert, type ClearedBecause, type Effect } from './effect';
import { type Progress } from './progress';
import { type Rule } from './rule';
import { type WatchedBuilding } from './watched-building';

export type Found = Pick<
  Extract<Effect, { kind: 'raise' }>,
  'key' | 'subject' | 'onset' | 'raisedAt' | 'value' | 'clearedAt'
>;

/** Tells what was found, and keeps which alerts of a building are told as active. */
export interface Findings {
  /**
   * @param seenSince clock (ms) at which what was found was first seen.
   * @returns null where it was over when it was found.
   */
  raise(building: WatchedBuilding, rule: Rule, found: Found, seenSince: number): ActiveAlert | null;
  clear(building: WatchedBuilding, active: ActiveAlert, at: number, because: ClearedBecause): void;
}

export function createFindings(progress: Progress, emit: (effect: Effect) => void): Findings {
  return {
    raise(building, rule, found, seenSince) {
      const { tenantId, buildingId } = building;
      const { id, revision, document } = rule;
      const { name, severity, condition } = document;
      emit({
        kind: 'raise',
        tenantId,
        buildingId,
        rule: { id, revision, name, severity },
        condition,
        sequence: progress.sequence,
        ofEvent: progress.reading,
        neededSince: Math.min(seenSince, progress.clock),
        ...found,
      });
      if (found.clearedAt !== null) return null;
      const { key, subject, onset, raisedAt, value } = found;
      const active = { key, ruleId: id, revision, subject, onset, raisedAt, value };
      building.actives.set(key, active);
      return active;
    },
    clear(building, active, at, because) {
      const { tenantId, buildingId } = building;
      const { key } = active;
      building.actives.delete(key);
      const { sequence, reading, clock } = progress;
      const position = { sequence, ofEvent: reading, neededSince: clock };
      emit({ kind: 'clear', tenantId, buildingId, key, at, because, ...position });
    },
  };
}
