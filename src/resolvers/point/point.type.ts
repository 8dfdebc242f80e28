import { Field, ID, ObjectType } from 'type-graphql';
import { type Assignment } from '../../domain/device';
import { quantityNamed, type QuantityName } from '../../domain/quantity';
import { Quantity } from '../quantity.type';
import { type Owned, Visible } from '../rule';

@ObjectType('Point', {
  description: 'One sensed quantity of one place. A point stays; the devices that feed it come and go.',
})
export class Point implements Owned {
  tenantId!: string;
  buildingId!: string;
  spaceId!: string;
  /** Where its latest reading is kept. */
  ordinal!: number;

  @Visible('with-parent')
  @Field(() => ID, { description: 'Opaque and global.' })
  id!: string;

  @Visible('with-parent')
  @Field(() => Quantity, { description: 'What is measured there.' })
  quantity!: QuantityName;

  @Visible('with-parent')
  @Field({ description: 'The unit (UCUM) of its values.' })
  unit!: string;

  /** An assignment says all there is to know of its point, so that no store is asked. */
  static of(assignment: Assignment): Point {
    return Object.assign(new Point(), {
      tenantId: assignment.tenantId,
      buildingId: assignment.buildingId,
      spaceId: assignment.spaceId,
      ordinal: assignment.pointOrdinal,
      id: assignment.pointId,
      quantity: assignment.quantity,
      unit: quantityNamed(assignment.quantity).unit,
    });
  }
}
