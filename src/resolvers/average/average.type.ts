import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { quantityOfCode, type QuantityName } from '../../domain/quantity';
import { type StreamPosition as Position, WINDOW_SECONDS } from '../../domain/window';
import { type StoredAverage } from '../../store/averages';
import { connectionType } from '../connection';
import { Quantity } from '../quantity.type';
import { INDEPENDENT, type Owned, Visible } from '../rule';
import { DateTime, Long } from '../scalars';

@ObjectType('StreamPosition', {
  description:
    'How far the stream of readings is counted in a value, so that anybody can recompute exactly that value.',
})
export class StreamPosition implements Position {
  @Visible('with-parent', INDEPENDENT)
  @Field({ description: 'Which life of the stream: positions mean something only within one.' })
  incarnation!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Int, { description: 'The stream’s partition that holds the building.' })
  partition!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Long, {
    description:
      'The last event of the partition that is counted; -1 before the first, and where not all that tells of presence in the building is yours to see: how many events there are would tell of it.',
  })
  sequence!: number;
}

@ObjectType('FurtherAggregate', { description: 'What a further aggregation says of a window.' })
export class FurtherAggregate {
  @Visible('with-parent', INDEPENDENT)
  @Field({ description: 'Which aggregation.' })
  name!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Number, {
    nullable: true,
    description: 'In the average’s `unit`, or as the aggregation says; null for an empty window.',
  })
  value!: number | null;
}

const DELIVERIES = ['LIVE', 'MISSED', 'CORRECTED'] as const;
export type Delivery = (typeof DELIVERIES)[number];
const AverageDelivery = Object.fromEntries(DELIVERIES.map((name) => [name, name])) as Record<
  Delivery,
  Delivery
>;

registerEnumType(AverageDelivery, {
  name: 'AverageDelivery',
  description: 'Why a subscription delivers a value. More may come: pass over what you do not know.',
  valuesConfig: {
    LIVE: { description: 'It is the value now.' },
    MISSED: { description: 'It is the record of a minute since `after`, from before the value now.' },
    CORRECTED: {
      description: 'It is the record of a minute, to which readings came late: it replaces the one before.',
    },
  },
});

@ObjectType('AverageGap', {
  description:
    'Minutes whose records are not told: they are too many, no longer kept, or not stored yet. `Building.averageHistory` has those that are kept.',
})
export class AverageGap {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, { description: 'The first `windowEnd` that is not told.' })
  from!: Date;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, { description: 'The last `windowEnd` that is not told.' })
  to!: Date;

  /** In minutes since 1970. */
  static of({ from, to }: { from: number; to: number }): AverageGap {
    return Object.assign(new AverageGap(), { from: new Date(from * 60_000), to: new Date(to * 60_000) });
  }
}

@ObjectType('BuildingAverage', {
  description:
    'The rolling average of a quantity over a building or a space: the mean of all distinct readings of all its devices that were observed in the five minutes up to `windowEnd`. A window without readings has no mean, never the last one.',
})
export class BuildingAverage implements Owned {
  tenantId!: string;
  spaceId!: string | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { description: 'The building, or the one in which the space is.' })
  buildingId!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Quantity, { description: 'What was measured.' })
  quantity!: QuantityName;

  @Visible('with-parent', INDEPENDENT)
  @Field({ description: 'The unit (UCUM) of mean, minimum and maximum.' })
  unit!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Number, { nullable: true, description: 'The mean, in `unit`; null for an empty window.' })
  mean!: number | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Number, {
    nullable: true,
    description:
      'The least reading, in `unit`; null for an empty window, and of a building for whoever has a right to single spaces.',
  })
  minimum!: number | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Number, {
    nullable: true,
    description:
      'The greatest reading, in `unit`; null for an empty window, and of a building for whoever has a right to single spaces.',
  })
  maximum!: number | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Number, {
    nullable: true,
    description:
      'The mean over devices of each device’s own mean, in `unit`, so that one that sends often counts no more than one that sends seldom; null for an empty window, and for a point that was stored before it was computed.',
  })
  deviceMean!: number | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Long, { description: 'How many distinct readings are counted.' })
  readings!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Int, { description: 'How many devices sent at least one of them.' })
  devicesReporting!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Int, {
    description:
      'How many devices in service measure this quantity here; of a space, how many sent at least one of the readings.',
  })
  devicesExpected!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, {
    description: 'Where the window begins; a reading at this very instant is not in it.',
  })
  windowStart!: Date;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, {
    description: 'Where the window ends, a whole second; a reading at this very instant is in it.',
  })
  windowEnd!: Date;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, { description: 'When the value was computed.' })
  asOf!: Date;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, {
    nullable: true,
    description:
      'When the newest reading known was observed, also if it has left the window; null where none is known.',
  })
  lastReadingAt!: Date | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => [FurtherAggregate], {
    description: 'What further aggregations say of the window, by name; none for a stored point.',
  })
  further!: FurtherAggregate[];

  @Visible('with-parent', INDEPENDENT)
  @Field(() => StreamPosition, { description: 'How far the stream is counted.' })
  position!: StreamPosition;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Int, {
    description: '1 when the value was first published, one more at each correction by late readings.',
  })
  revision!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => AverageDelivery, {
    nullable: true,
    description: 'Of a subscription: why it is delivered. Null in the answer of a query.',
  })
  delivery!: Delivery | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => AverageGap, {
    nullable: true,
    description:
      'Of a subscription with `after`: the minutes before this value, of its building and quantity, whose records are not told. Null where none is missing.',
  })
  gap!: AverageGap | null;

  /** Whether a reader of one who has the other would learn anything; that time went by is no news. */
  differsFrom(other: BuildingAverage): boolean {
    return (
      this.mean !== other.mean ||
      this.minimum !== other.minimum ||
      this.maximum !== other.maximum ||
      this.deviceMean !== other.deviceMean ||
      this.readings !== other.readings ||
      this.devicesReporting !== other.devicesReporting ||
      this.devicesExpected !== other.devicesExpected ||
      this.revision !== other.revision ||
      this.further.some(({ value }, index) => value !== other.further[index]?.value)
    );
  }

  /** Undefined for one that this release does not know. */
  static quantityOf({ quantity }: { quantity: number }): QuantityName | undefined {
    return quantityOfCode(quantity)?.name;
  }

  /** Undefined for a quantity that this release does not know. */
  static of(value: StoredAverage): BuildingAverage | undefined {
    const quantity = quantityOfCode(value.quantity);
    if (quantity === undefined) return undefined;
    return Object.assign(new BuildingAverage(), {
      tenantId: value.tenantId,
      buildingId: value.buildingId,
      spaceId: value.spaceId ?? null,
      delivery: null,
      gap: null,
      quantity: quantity.name,
      unit: quantity.unit,
      mean: value.mean,
      minimum: value.minimum,
      maximum: value.maximum,
      deviceMean: value.deviceMean ?? null,
      readings: value.readings,
      devicesReporting: value.devicesReporting,
      devicesExpected: value.devicesExpected,
      windowStart: new Date((value.windowEnd - WINDOW_SECONDS) * 1000),
      windowEnd: new Date(value.windowEnd * 1000),
      asOf: new Date(value.asOf),
      lastReadingAt: value.lastReadingAt === null ? null : new Date(value.lastReadingAt),
      further: Object.entries(value.further ?? {}).map(([name, each]) => ({ name, value: each })),
      position: value.position,
      revision: value.revision,
    });
  }
}

export const BuildingAverageConnection = connectionType(
  BuildingAverage,
  'BuildingAverage',
  'the stored points of a rolling average, oldest first',
);
