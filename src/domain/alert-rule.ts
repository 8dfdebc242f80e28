import { type AlertCondition, type AlertScope } from './alert';
import { quantityNamed, type QuantityName } from './quantity';

/** Rules a tenant may have at a time. */
export const MAXIMUM_RULES = 200;
/** How long a condition may have to hold, and how far back a rate of change may look: a day. */
export const LONGEST_HOLD_MS = 24 * 3_600_000;
export const MOST_INTERVALS = 1_000;

/** What is wrong with what a rule looks for, and where in it; undefined where nothing is. */
export interface RuleProblem {
  path: string;
  message: string;
}

/**
 * Whether a condition can be met and be over again: its bounds lie in the quantity's range, the quantity is of the kind
 * that the condition looks at, and a value that is back in order by the hysteresis exists.
 */
export function ruleProblem({
  quantity,
  scope,
  condition,
}: {
  quantity: QuantityName | null;
  scope: AlertScope;
  condition: AlertCondition;
}): RuleProblem | undefined {
  const { kind } = condition;
  if (scope.spaceId !== null && scope.buildingId === null) {
    return at('scope.buildingId', 'a space is in a building: name that too');
  }
  if ((kind === 'AVERAGE' || kind === 'TOO_FEW_REPORTING') && scope.deviceId !== null) {
    return at('scope.deviceId', `${kind} looks at a space or a building, not at one device`);
  }
  if (kind === 'DEVICE_SILENT') {
    if (quantity !== null) return at('quantity', 'DEVICE_SILENT is of no quantity: leave it out');
    return within('condition.deviceSilent.intervals', condition.intervals, 1, MOST_INTERVALS);
  }
  if (quantity === null) return at('quantity', `${kind} needs a quantity`);
  const { kind: of, minimum, maximum, unit } = quantityNamed(quantity);
  const wanted = kind === 'STATE' ? 'state' : 'continuous';
  if (of !== wanted) return at('quantity', `${kind} looks at a ${wanted} quantity, ${quantity} is none`);
  switch (kind) {
    case 'STATE': {
      const path = 'condition.state';
      if (!Number.isInteger(condition.value)) return at(`${path}.value`, 'must be a whole number');
      return within(`${path}.value`, condition.value, minimum, maximum) ?? holdProblem(path, condition.forMs);
    }
    case 'TOO_FEW_REPORTING': {
      const path = 'condition.tooFewReporting';
      if (!(condition.share > 0 && condition.share <= 1)) {
        return at(`${path}.share`, `is ${condition.share} and must be more than 0 and at most 1`);
      }
      return holdProblem(path, condition.forMs);
    }
    case 'RATE_OF_CHANGE': {
      const path = 'condition.rateOfChange';
      const range = maximum - minimum;
      if (!(condition.change > 0 && condition.change <= range && Number.isFinite(condition.change))) {
        return at(
          `${path}.change`,
          `is ${condition.change} and must be more than 0 and at most ${range} ${unit}`,
        );
      }
      return whole(`${path}.withinSeconds`, condition.withinMs, 1_000);
    }
    default:
      return boundsProblem(kind === 'READING' ? 'condition.reading' : 'condition.average', condition, {
        minimum,
        maximum,
      });
  }
}

function boundsProblem(
  path: string,
  condition: Extract<AlertCondition, { comparison: string }>,
  { minimum, maximum }: { minimum: number; maximum: number },
): RuleProblem | undefined {
  const { comparison, low, high, hysteresis, forMs } = condition;
  const needsLow = comparison !== 'ABOVE';
  const needsHigh = comparison !== 'BELOW';
  if (needsLow !== (low !== null)) {
    return at(`${path}.low`, `${comparison} ${needsLow ? 'needs a lower bound' : 'has no lower bound'}`);
  }
  if (needsHigh !== (high !== null)) {
    return at(`${path}.high`, `${comparison} ${needsHigh ? 'needs an upper bound' : 'has no upper bound'}`);
  }
  const outside =
    (low === null ? undefined : within(`${path}.low`, low, minimum, maximum)) ??
    (high === null ? undefined : within(`${path}.high`, high, minimum, maximum));
  if (outside) return outside;
  if (low !== null && high !== null && low >= high) {
    return at(`${path}.low`, `is ${low} and must be less than the upper bound, ${high}`);
  }
  // What is back in order lies in this band, `hysteresis` away from the bound that was crossed.
  const band = (high ?? maximum) - (low ?? minimum);
  if (!(hysteresis >= 0 && hysteresis < band)) {
    return at(`${path}.hysteresis`, `is ${hysteresis} and must be at least 0 and less than ${band}`);
  }
  return holdProblem(path, forMs);
}

function holdProblem(path: string, forMs: number): RuleProblem | undefined {
  return whole(`${path}.forSeconds`, forMs, 0);
}

function whole(path: string, milliseconds: number, least: number): RuleProblem | undefined {
  if (Number.isInteger(milliseconds) && milliseconds >= least && milliseconds <= LONGEST_HOLD_MS) {
    return undefined;
  }
  const seconds = (each: number): number => each / 1000;
  return at(
    path,
    `is ${seconds(milliseconds)} and must be ${seconds(least)} to ${seconds(LONGEST_HOLD_MS)} seconds`,
  );
}

function within(path: string, value: number, minimum: number, maximum: number): RuleProblem | undefined {
  if (value >= minimum && value <= maximum && Number.isFinite(value)) return undefined;
  return at(
    path,
    maximum === Number.MAX_VALUE
      ? `is ${value} and must be at least ${minimum}`
      : `is ${value} and must be ${minimum} to ${maximum}`,
  );
}

function at(path: string, message: string): RuleProblem {
  return { path, message: `${path} ${message}` };
}
