import { type AlertSubject } from '../../domain/alert';
import { type AlertDocument } from '../../store/alert-documents';
import { type Rule } from './rule';

export type ClearedBecause = NonNullable<AlertDocument['clearedBecause']>;

/** What the engine has found, to be stored and told. The position is the last event it had applied. */
export type Effect = {
  tenantId: string;
  buildingId: string;
  /** `keyOf(rule, subject)` */
  key: string;
  sequence: number;
  /** It follows from the event's readings, so that whoever has stored one of the event's effects has stored it too. */
  ofEvent?: boolean;
  /**
   * A replay that begins at what was enqueued before this instant (ms) finds it again: until it is stored, the checkpoint
   * stays before it.
   */
  neededSince: number;
} & (
  | {
      kind: 'raise';
      rule: { id: string; revision: number; name: string; severity: Rule['document']['severity'] };
      condition: Rule['document']['condition'];
      subject: AlertSubject;
      onset: number;
      raisedAt: number;
      value: number | null;
      /** Where it was over when it was found: when. */
      clearedAt: number | null;
    }
  | { kind: 'clear'; at: number; because: ClearedBecause }
);

/** An alert that is told as active, by its key. */
export interface ActiveAlert {
  key: string;
  ruleId: string;
  revision: number;
  subject: AlertSubject;
  onset: number;
  raisedAt: number;
  /** What was read when it was raised; null for silence, or where it is not known. */
  value: number | null;
}
