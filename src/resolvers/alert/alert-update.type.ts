import { createUnionType, Field, ID, ObjectType } from 'type-graphql';
import { type AlertChange as Change } from '../../domain/alert';
import { type AlertDocument, type AlertEventDocument } from '../../store/alert-documents';
import { INDEPENDENT, Visible } from '../rule';
import { DateTime, Long } from '../scalars';
import { Alert } from './alert.type';
import { AlertChange } from './severity.type';

const CURSOR = 'To pass as `after`: what follows this is told then. For you alone, at any replica.';

@ObjectType({ description: 'An alert that is active when the telling begins.' })
export class ActiveAlert {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => Alert, { description: 'The alert.' })
  alert!: Alert;

  static of(alert: AlertDocument): ActiveAlert {
    return Object.assign(new ActiveAlert(), { alert: Alert.of(alert) });
  }
}

@ObjectType({ description: 'That something happened to an alert.' })
export class AlertChanged {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertChange, { description: 'What happened.' })
  change!: Change;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, { description: 'When.' })
  at!: Date;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Alert, { description: 'The alert as it was then.' })
  alert!: Alert;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Long, {
    description:
      'Counts the events of the building, from 1. Each is told once, in this order; numbers are left out where an event is of lesser severity. 0 where not all alerts of the building are yours to see: how many others there are would be told by it.',
  })
  number!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field({ description: CURSOR })
  cursor!: string;

  static of({ change, at, alert, number }: AlertEventDocument, cursor: string): AlertChanged {
    return Object.assign(new AlertChanged(), {
      change,
      at: new Date(at),
      alert: Alert.of(alert),
      number,
      cursor,
    });
  }
}

@ObjectType({
  description:
    'That events of a building are not kept any more. What is active there now follows, as `ActiveAlert`.',
})
export class AlertsMissed {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { description: 'The building.' })
  buildingId!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Long, {
    description: 'The number of the first event that is missing; 0 where numbers are not told.',
  })
  fromNumber!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Long, { description: 'The number of the last; 0 where numbers are not told.' })
  toNumber!: number;

  static of({ buildingId, from, to }: { buildingId: string; from: number; to: number }): AlertsMissed {
    return Object.assign(new AlertsMissed(), { buildingId, fromNumber: from, toNumber: to });
  }
}

@ObjectType({
  description: 'That all that was active, or was missed, has been told: what follows is told as it happens.',
})
export class AlertsCaughtUp {
  @Visible('with-parent', INDEPENDENT)
  @Field({ description: CURSOR })
  cursor!: string;

  static of(cursor: string): AlertsCaughtUp {
    return Object.assign(new AlertsCaughtUp(), { cursor });
  }
}

export const AlertUpdate = createUnionType({
  name: 'AlertUpdate',
  description: 'What a subscriber of alerts is told.',
  types: () => [ActiveAlert, AlertChanged, AlertsMissed, AlertsCaughtUp] as const,
});
/** Under another name than the union, which would be taken for a class of values. */
export type ToldOfAlerts = ActiveAlert | AlertChanged | AlertsMissed | AlertsCaughtUp;
