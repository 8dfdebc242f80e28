import { type AlertCondition, type AlertConditionKind } from '../../../domain/alert';
import { createAverage } from './average';
import { type Condition } from './condition';
import { createDeviceSilent } from './device-silent';
import { createRateOfChange } from './rate-of-change';
import { createReading } from './reading';
import { createState } from './state';
import { createTooFewReporting } from './too-few-reporting';

export * from './condition';

/** How what is asked for is judged. A further condition is its kind in `domain/alert.ts`, a file, and a line here. */
const CONDITIONS: {
  [Kind in AlertConditionKind]: (condition: Extract<AlertCondition, { kind: Kind }>) => Condition;
} = {
  READING: createReading,
  AVERAGE: createAverage,
  RATE_OF_CHANGE: createRateOfChange,
  STATE: createState,
  DEVICE_SILENT: createDeviceSilent,
  TOO_FEW_REPORTING: createTooFewReporting,
};

/** Undefined for a kind of a later release, which nothing here can judge. */
export function conditionOf(asked: AlertCondition): Condition | undefined {
  const create = CONDITIONS[asked.kind] as ((condition: AlertCondition) => Condition) | undefined;
  return create?.(asked);
}
