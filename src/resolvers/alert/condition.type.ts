import { createUnionType, Field, Float, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type AlertCondition as Condition, type Comparison as Compared } from '../../domain/alert';
import { clientError } from '../errors';
import { INDEPENDENT, Visible } from '../rule';

export const AlertComparison = { ABOVE: 'ABOVE', BELOW: 'BELOW', OUTSIDE: 'OUTSIDE' } as const;
registerEnumType(AlertComparison, {
  name: 'AlertComparison',
  description: 'On which side of its bounds a value is out of order.',
  valuesConfig: {
    ABOVE: { description: 'More than `high`.' },
    BELOW: { description: 'Less than `low`.' },
    OUTSIDE: { description: 'Less than `low` or more than `high`.' },
  },
});

export const AlertDirection = { ANY: 'ANY', RISING: 'RISING', FALLING: 'FALLING' } as const;
registerEnumType(AlertDirection, {
  name: 'AlertDirection',
  description: 'Which way a value has to go.',
  valuesConfig: {
    ANY: { description: 'Up or down.' },
    RISING: { description: 'Up.' },
    FALLING: { description: 'Down.' },
  },
});

const LOW = 'The lower bound, in the quantity’s unit; for BELOW and OUTSIDE, null for ABOVE.';
const HIGH = 'The upper bound, in the quantity’s unit; for ABOVE and OUTSIDE, null for BELOW.';
const HYSTERESIS =
  'How far within the bound it crossed a value must come back to count as in order, in the quantity’s unit: at least 0 and less than the band that is in order.';
const FOR_SECONDS =
  'How long it must hold before the alert is raised, in seconds, up to a day; 0 for at once.';
const CHANGE = 'By how much, in the quantity’s unit; more than 0.';
const WITHIN = 'Within how long, in seconds, 1 to a day.';
const STATE_VALUE = 'The value that is out of order, such as 1 for smoke.';
const INTERVALS = 'For how many times its expected interval a device was not heard, 1 to 1,000.';
const SHARE = 'The share of the expected devices, more than 0 and at most 1; fewer are too few.';

/** Seconds in the API, milliseconds within. */
const milliseconds = (seconds: number): number => seconds * 1000;

@InputType({ description: 'Bounds of a value.' })
export class AlertBoundsInput {
  @Field(() => AlertComparison, { description: 'On which side of the bounds it is out of order.' })
  comparison!: Compared;
  @Field(() => Float, { nullable: true, description: LOW })
  low?: number | null;
  @Field(() => Float, { nullable: true, description: HIGH })
  high?: number | null;
  @Field(() => Float, { defaultValue: 0, description: HYSTERESIS })
  hysteresis!: number;
  @Field(() => Int, { defaultValue: 0, description: FOR_SECONDS })
  forSeconds!: number;
}

@InputType({ description: 'How fast a value may change.' })
export class AlertRateOfChangeInput {
  @Field(() => Float, { description: CHANGE })
  change!: number;
  @Field(() => Int, { description: WITHIN })
  withinSeconds!: number;
  @Field(() => AlertDirection, { defaultValue: 'ANY', description: 'Which way.' })
  direction!: keyof typeof AlertDirection;
}

@InputType({ description: 'A state that is out of order.' })
export class AlertStateInput {
  @Field(() => Float, { defaultValue: 1, description: STATE_VALUE })
  value!: number;
  @Field(() => Int, { defaultValue: 0, description: FOR_SECONDS })
  forSeconds!: number;
}

@InputType({ description: 'Silence of a device.' })
export class AlertDeviceSilentInput {
  @Field(() => Float, { defaultValue: 3, description: INTERVALS })
  intervals!: number;
}

@InputType({ description: 'Too few devices that report.' })
export class AlertTooFewReportingInput {
  @Field(() => Float, { description: SHARE })
  share!: number;
  @Field(() => Int, { defaultValue: 0, description: FOR_SECONDS })
  forSeconds!: number;
}

/** Marked as `@oneOf` when the schema is made, which type-graphql cannot say. */
@InputType('AlertConditionInput', { description: 'What is out of order: exactly one of these.' })
export class AlertConditionInput {
  @Field(() => AlertBoundsInput, { nullable: true, description: 'A reading, of each point by itself.' })
  reading?: AlertBoundsInput | null;
  @Field(() => AlertBoundsInput, {
    nullable: true,
    description: 'The rolling average of the rule’s space, or of each building it looks at.',
  })
  average?: AlertBoundsInput | null;
  @Field(() => AlertRateOfChangeInput, {
    nullable: true,
    description: 'A point whose value changes too fast.',
  })
  rateOfChange?: AlertRateOfChangeInput | null;
  @Field(() => AlertStateInput, {
    nullable: true,
    description: 'A point of a state quantity, such as SMOKE.',
  })
  state?: AlertStateInput | null;
  @Field(() => AlertDeviceSilentInput, {
    nullable: true,
    description: 'A device in service that was not heard for too long.',
  })
  deviceSilent?: AlertDeviceSilentInput | null;
  @Field(() => AlertTooFewReportingInput, {
    nullable: true,
    description: 'A space or building of which too few devices report.',
  })
  tooFewReporting?: AlertTooFewReportingInput | null;
}

/** Throws BAD_USER_INPUT where it is not exactly one, for a client that the schema did not stop. */
export function conditionOf(input: AlertConditionInput): Condition {
  const given = Object.values(input).filter((each) => each != null);
  if (given.length !== 1) {
    throw clientError('BAD_USER_INPUT', `condition must have exactly one field, it has ${given.length}`);
  }
  const bounds = (kind: 'READING' | 'AVERAGE', each: AlertBoundsInput): Condition => ({
    kind,
    comparison: each.comparison,
    low: each.low ?? null,
    high: each.high ?? null,
    hysteresis: each.hysteresis,
    forMs: milliseconds(each.forSeconds),
  });
  const { reading, average, rateOfChange, state, deviceSilent, tooFewReporting } = input;
  if (reading) return bounds('READING', reading);
  if (average) return bounds('AVERAGE', average);
  if (rateOfChange) {
    const { change, withinSeconds, direction } = rateOfChange;
    return { kind: 'RATE_OF_CHANGE', change, withinMs: milliseconds(withinSeconds), direction };
  }
  if (state) return { kind: 'STATE', value: state.value, forMs: milliseconds(state.forSeconds) };
  if (deviceSilent) return { kind: 'DEVICE_SILENT', intervals: deviceSilent.intervals };
  const { share, forSeconds } = tooFewReporting!;
  return { kind: 'TOO_FEW_REPORTING', share, forMs: milliseconds(forSeconds) };
}

@ObjectType({ description: 'Bounds of a value.' })
export class AlertBounds {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertComparison, { description: 'On which side of the bounds a value is out of order.' })
  comparison!: Compared;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { nullable: true, description: LOW })
  low!: number | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { nullable: true, description: HIGH })
  high!: number | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: HYSTERESIS })
  hysteresis!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: FOR_SECONDS })
  forSeconds!: number;
}

@ObjectType({ description: 'A reading out of its bounds, of each point by itself.' })
export class ReadingCondition {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertBounds, { description: 'What is in order.' })
  bounds!: AlertBounds;
}

@ObjectType({ description: 'A rolling average out of its bounds, of a space or a building.' })
export class AverageCondition {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertBounds, { description: 'What is in order.' })
  bounds!: AlertBounds;
}

@ObjectType({ description: 'A point whose value changes too fast.' })
export class RateOfChangeCondition {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: CHANGE })
  change!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: WITHIN })
  withinSeconds!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertDirection, { description: 'Which way.' })
  direction!: keyof typeof AlertDirection;
}

@ObjectType({ description: 'A point of a state quantity that says what is out of order.' })
export class StateCondition {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: STATE_VALUE })
  value!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: FOR_SECONDS })
  forSeconds!: number;
}

@ObjectType({ description: 'A device in service that was not heard for too long.' })
export class DeviceSilentCondition {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: INTERVALS })
  intervals!: number;
}

@ObjectType({ description: 'A space or building of which too few devices report.' })
export class TooFewReportingCondition {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: SHARE })
  share!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, { description: FOR_SECONDS })
  forSeconds!: number;
}

export const AlertCondition = createUnionType({
  name: 'AlertCondition',
  description: 'What is out of order. Further kinds may come.',
  types: () =>
    [
      ReadingCondition,
      AverageCondition,
      RateOfChangeCondition,
      StateCondition,
      DeviceSilentCondition,
      TooFewReportingCondition,
    ] as const,
});

export function conditionTypeOf(condition: Condition): typeof AlertCondition {
  switch (condition.kind) {
    case 'READING':
    case 'AVERAGE': {
      const { comparison, low, high, hysteresis, forMs } = condition;
      const bounds = { comparison, low, high, hysteresis, forSeconds: forMs / 1000 };
      return Object.assign(condition.kind === 'READING' ? new ReadingCondition() : new AverageCondition(), {
        bounds: Object.assign(new AlertBounds(), bounds),
      });
    }
    case 'RATE_OF_CHANGE': {
      const { change, withinMs, direction } = condition;
      return Object.assign(new RateOfChangeCondition(), {
        change,
        withinSeconds: withinMs / 1000,
        direction,
      });
    }
    case 'STATE':
      return Object.assign(new StateCondition(), {
        value: condition.value,
        forSeconds: condition.forMs / 1000,
      });
    case 'DEVICE_SILENT':
      return Object.assign(new DeviceSilentCondition(), { intervals: condition.intervals });
    case 'TOO_FEW_REPORTING':
      return Object.assign(new TooFewReportingCondition(), {
        share: condition.share,
        forSeconds: condition.forMs / 1000,
      });
  }
}
