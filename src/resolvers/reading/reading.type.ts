import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { quantityNamed, type QuantityName } from '../../domain/quantity';
import { type StoredReading } from '../../analytics/readings-page';
import { connectionType } from '../connection';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';

export const TimeSource = { DEVICE: 'DEVICE', GATEWAY: 'GATEWAY' } as const;
export type TimeSource = keyof typeof TimeSource;
registerEnumType(TimeSource, {
  name: 'TimeSource',
  description: 'Who said when a reading was observed.',
  valuesConfig: {
    DEVICE: { description: 'The device.' },
    GATEWAY: { description: 'The gateway, by its clock at receipt, because the device gave no time.' },
  },
});

@ObjectType('Reading', {
  description:
    'One value of a point at an instant, as it is kept for ever. Sent again it is still one; where two values claim one instant, the first that arrived stands.',
})
export class Reading {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The point that it is a value of.' })
  pointId!: string;

  @Visible('with-parent')
  @Field(() => ID, { description: 'The space that the point lay in.' })
  spaceId!: string;

  @Visible('with-parent')
  @Field(() => ID, { description: 'The device that sent it.' })
  deviceId!: string;

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

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When the gateway received it.' })
  receivedAt!: Date;

  @Visible('with-parent')
  @Field(() => TimeSource, { description: 'Who said when it was observed.' })
  timeSource!: TimeSource;

  static of({ observedAt, receivedAt, ...reading }: StoredReading): Reading {
    return Object.assign(new Reading(), {
      ...reading,
      unit: quantityNamed(reading.quantity).unit,
      observedAt: new Date(observedAt),
      receivedAt: new Date(receivedAt),
    });
  }
}

export const ReadingConnection = connectionType(Reading, 'Reading', 'readings, oldest first');
