import { ArgsType, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type Excursion as Found, type ExcursionsFound } from '../../analytics/excursions';
import { type QuantityName } from '../../domain/quantity';
import { DEFAULT_PAGE, MAXIMUM_PAGE } from '../connection';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { DateTime, Duration } from '../scalars';

export const ExcursionsBy = { POINT: 'POINT', BUILDING_AVERAGE: 'BUILDING_AVERAGE' } as const;
export type ExcursionsBy = keyof typeof ExcursionsBy;
registerEnumType(ExcursionsBy, {
  name: 'ExcursionsBy',
  description: 'Whose excursions.',
  valuesConfig: {
    POINT: {
      description:
        'Of each point. A silence of more than three of its usual intervals, and of a minute at least, ends an excursion; its usual interval is the median between readings of one UTC day in the range.',
    },
    BUILDING_AVERAGE: {
      description:
        'Of the rolling five-minute average of each building, at each whole minute, from the readings that were asked for. A minute whose window holds no reading ends an excursion.',
    },
  },
});

export const ExcursionEnd = { RETURNED: 'RETURNED', SILENT: 'SILENT', ONGOING: 'ONGOING' } as const;
export type ExcursionEnd = keyof typeof ExcursionEnd;
registerEnumType(ExcursionEnd, {
  name: 'ExcursionEnd',
  description: 'How an excursion ended.',
  valuesConfig: {
    RETURNED: { description: 'The next value was back in range.' },
    SILENT: { description: 'No value followed for longer than the silence that ends an excursion.' },
    ONGOING: { description: 'The range of time, or the present, ends before it is known.' },
  },
});

@ArgsType()
export class ExcursionsArguments {
  @Field(() => Quantity, { description: 'Which quantity; a continuous one.' })
  quantity!: QuantityName;

  @Field(() => Number, {
    nullable: true,
    description: 'A value less than this is out, in the quantity’s unit. Give `low`, `high` or both.',
  })
  low?: number | null;

  @Field(() => Number, {
    nullable: true,
    description: 'A value greater than this is out, in the quantity’s unit.',
  })
  high?: number | null;

  @Field(() => Duration, {
    description: 'Only excursions that lasted longer than this: `PT10M`; `PT0S` for every one of two values.',
  })
  longerThan!: number;

  @Field(() => DateTime, { description: 'Values from this instant on; none before it is looked at.' })
  from!: Date;

  @Field(() => DateTime, { description: 'Values before this instant.' })
  to!: Date;

  @Field(() => ExcursionsBy, { defaultValue: ExcursionsBy.POINT, description: 'Whose excursions.' })
  by!: ExcursionsBy;

  @Field(() => Duration, {
    nullable: true,
    description:
      'Of points: the silence that ends an excursion, in place of three usual intervals of each point.',
  })
  silence?: number | null;

  @Field(() => Int, {
    defaultValue: DEFAULT_PAGE,
    description: `How many excursions to tell at most, 1 to ${MAXIMUM_PAGE}; all are counted.`,
  })
  first!: number;

  @Field(() => String, {
    nullable: true,
    description: 'An `endCursor` of the same question: excursions after it are told.',
  })
  after?: string | null;
}

@ObjectType('Excursion', {
  description:
    'A stretch of values that are all out. It starts at the first value that is out and ends at the first that is back in range, or else at its last value.',
})
export class Excursion {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The building.' })
  buildingId!: string;

  @Visible('with-parent')
  @Field(() => ID, { nullable: true, description: 'The point; null for the average of a building.' })
  pointId!: string | null;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When its first value was observed.' })
  start!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, {
    description:
      'When the first value back in range was observed; where none is known to follow, when its own last value was.',
  })
  end!: Date;

  @Visible('with-parent')
  @Field(() => Duration, { description: 'From start to end.' })
  duration!: number;

  @Visible('with-parent')
  @Field(() => ExcursionEnd, { description: 'How it ended.' })
  endedBy!: ExcursionEnd;

  @Visible('with-parent')
  @Field({ description: 'Its value farthest out, in the quantity’s unit; the earliest of equals.' })
  peak!: number;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When that was observed.' })
  peakAt!: Date;

  static of({ start, end, peakAt, ...rest }: Found): Excursion {
    return Object.assign(new Excursion(), {
      ...rest,
      start: new Date(start),
      end: new Date(end),
      duration: end - start,
      peakAt: new Date(peakAt),
    });
  }
}

@ObjectType('Excursions', {
  description:
    'How often, when and how far values were out of a range. Repeated readings count once, late ones where they belong; only readings of the range of time are looked at, so that an excursion that lasts over one of its ends is told as far as it lies in it.',
})
export class Excursions {
  @Visible('with-parent')
  @Field(() => Int, { description: 'How many there were, also those of other pages.' })
  count!: number;

  @Visible('with-parent')
  @Field(() => Duration, { description: 'How long all of them lasted together.' })
  total!: number;

  @Visible('with-parent')
  @Field(() => [Excursion], { description: 'Those of this page, by start, then by building and point.' })
  nodes!: Excursion[];

  @Visible('with-parent')
  @Field({ description: 'Whether more follow this page.' })
  hasNextPage!: boolean;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'The cursor to go on after, for `after`; null for an empty page.',
  })
  endCursor!: string | null;

  static of(found: ExcursionsFound, cursorAt: (offset: number) => string, offset: number): Excursions {
    const end = offset + found.excursions.length;
    return Object.assign(new Excursions(), {
      count: found.count,
      total: found.total,
      nodes: found.excursions.map(Excursion.of),
      hasNextPage: end < found.count,
      endCursor: found.excursions.length === 0 ? null : cursorAt(end),
    });
  }
}
