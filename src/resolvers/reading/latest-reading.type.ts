import { Field, ID, ObjectType } from 'type-graphql';
import { quantityNamed, type QuantityName } from '../../domain/quantity';
import { type LatestReading as Latest } from '../../store/recent';
import { connectionType } from '../connection';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';

@ObjectType('LatestReading', {
  description:
    'The value of a point that was observed last. It is noted once a minute: what was sent since then may be missing. It stays however old it becomes; `observedAt` says how old it is.',
})
export class LatestReading {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The point that it is a value of.' })
  pointId!: string;

  @Visible('with-parent')
  @Field(() => ID, { description: 'The space that the point lies in.' })
  spaceId!: string;

  @Visible('with-parent')
  @Field(() => Quantity, { description: 'What was measured.' })
  quantity!: QuantityName;

  @Visible('with-parent')
  @Field({ description: 'The unit (UCUM) of the value.' })
  unit!: string;

  @Visible('with-parent')
  @Field({ description: 'The value, in `unit`.' })
  value!: number;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was observed.' })
  observedAt!: Date;

  static of(
    point: { id: string; spaceId: string; quantity: QuantityName },
    { observedAt, value }: Latest,
  ): LatestReading {
    // One after the other: a dashboard asks for hundreds.
    const reading = new LatestReading();
    reading.pointId = point.id;
    reading.spaceId = point.spaceId;
    reading.quantity = point.quantity;
    reading.unit = quantityNamed(point.quantity).unit;
    reading.value = value;
    reading.observedAt = new Date(observedAt);
    return reading;
  }
}

export const LatestReadingConnection = connectionType(
  LatestReading,
  'LatestReading',
  'the latest readings of points, in no order that means anything',
);
