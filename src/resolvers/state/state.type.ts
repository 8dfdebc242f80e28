import { Field, Int, ObjectType } from 'type-graphql';
import { quantityOfCode, type QuantityName } from '../../domain/quantity';
import { type PlaceState as State } from '../../domain/state';
import { StreamPosition } from '../average/average.type';
import { Quantity } from '../quantity.type';
import { type Owned, Visible } from '../rule';
import { DateTime } from '../scalars';

@ObjectType('PlaceState', {
  description:
    'What the points of a building or space that sense a state (smoke, intrusion, occupancy) say at an instant. A point’s state holds until its next reading, for ten minutes at most; then it is unknown.',
})
export class PlaceState implements Owned {
  tenantId!: string;
  buildingId!: string;

  @Visible('with-parent')
  @Field(() => Quantity, { description: 'Which state is sensed.' })
  quantity!: QuantityName;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How many points are active: sense smoke, an intruder, somebody.' })
  active!: number;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How many points are clear: sense none.' })
  clear!: number;

  @Visible('with-parent')
  @Field(() => Number, {
    nullable: true,
    description:
      'The share of the last five minutes, 0 to 1, for which points were active, over all points and of the time for which their states were known; null where none was.',
  })
  activeShare!: number | null;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When the newest change of the last five minutes was observed; null where nothing changed.',
  })
  changedAt!: Date | null;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When the newest reading was observed.' })
  lastReadingAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'The instant that it is true of, a whole second.' })
  at!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was computed.' })
  asOf!: Date;

  @Visible('with-parent')
  @Field(() => StreamPosition, { description: 'How far the stream is counted.' })
  position!: StreamPosition;

  /** Undefined for a quantity that this release does not know. */
  static of(value: State): PlaceState | undefined {
    const quantity = quantityOfCode(value.quantity);
    if (quantity === undefined) return undefined;
    return Object.assign(new PlaceState(), {
      tenantId: value.tenantId,
      buildingId: value.buildingId,
      quantity: quantity.name,
      active: value.active,
      clear: value.clear,
      activeShare: value.knownMs === 0 ? null : value.activeMs / value.knownMs,
      changedAt: value.changedAt === null ? null : new Date(value.changedAt),
      lastReadingAt: new Date(value.lastReadingAt),
      at: new Date(value.windowEnd * 1000),
      asOf: new Date(value.asOf),
      position: value.position,
    });
  }
}
