import { Field, ObjectType } from 'type-graphql';
import { type HistoryStep as Step } from '../../analytics/history';
import { Visible } from '../rule';
import { DateTime, Long } from '../scalars';

@ObjectType('HistoryStep', { description: 'What the readings of one step of time amount to.' })
export class HistoryStep {
  @Visible('with-parent')
  @Field(() => DateTime, { description: 'Where the step begins; a reading at this very instant is in it.' })
  start!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'Where it ends; a reading at this very instant is not in it.' })
  end!: Date;

  @Visible('with-parent')
  @Field(() => Long, { description: 'How many distinct readings were observed in it.' })
  count!: number;

  @Visible('with-parent')
  @Field(() => Number, {
    nullable: true,
    description: 'Their mean, in the quantity’s unit; null where there are none.',
  })
  average!: number | null;

  @Visible('with-parent')
  @Field(() => Number, {
    nullable: true,
    description: 'The least of them, in the quantity’s unit; null where there are none.',
  })
  minimum!: number | null;

  @Visible('with-parent')
  @Field(() => Number, {
    nullable: true,
    description: 'The greatest of them, in the quantity’s unit; null where there are none.',
  })
  maximum!: number | null;

  static of({ start, end, ...rest }: Step): HistoryStep {
    return Object.assign(new HistoryStep(), { ...rest, start: new Date(start), end: new Date(end) });
  }
}
