import { Field, ObjectType } from 'type-graphql';
import { type QuantityName } from '../../domain/quantity';
import { type BuildingDocument } from '../../store/documents';
import { connectionType } from '../connection';
import { Node } from '../node.type';
import { type Owned, Visible } from '../rule';
import { DateTime, TimeZone } from '../scalars';

@ObjectType('Building', { implements: Node, description: 'A building with its spaces and devices.' })
export class Building extends Node implements Owned {
  tenantId!: string;
  buildingId!: string;
  /** Devices in force, by quantity. */
  devicesByQuantity!: Partial<Record<QuantityName, number>>;
  /** What its owner has just said tells of presence; left out where the caller's rights say it. */
  chosen?: readonly QuantityName[];

  @Visible('with-parent')
  @Field({ description: 'What people call it; not unique.' })
  name!: string;

  @Visible('with-parent')
  @Field(() => TimeZone, { description: 'Where it stands: the zone of its days and hours.' })
  timeZone!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was entered.' })
  createdAt!: Date;

  static of(document: BuildingDocument): Building {
    return Object.assign(new Building(), {
      tenantId: document.tenantId,
      buildingId: document.id,
      devicesByQuantity: document.devicesByQuantity,
      id: document.id,
      name: document.name,
      timeZone: document.timeZone,
      createdAt: new Date(document.createdAt),
    });
  }
}

export const BuildingConnection = connectionType(Building, 'Building', 'the buildings you may see, by name');
