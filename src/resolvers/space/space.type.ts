import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { type SpaceDocument, type SpaceKind as Kind } from '../../store/documents';
import { DateTime } from '../scalars';
import { type Owned, Visible } from '../rule';

export const SpaceKind = { LEVEL: 'LEVEL', ROOM: 'ROOM', ZONE: 'ZONE' } as const satisfies Record<Kind, Kind>;

registerEnumType(SpaceKind, {
  name: 'SpaceKind',
  description: 'What kind of place a space is, in RealEstateCore’s words.',
  valuesConfig: {
    LEVEL: { description: 'A storey.' },
    ROOM: { description: 'A room.' },
    ZONE: { description: 'A part of a room or several rooms that are treated alike.' },
  },
});

@ObjectType('Space', { description: 'A place in a building: a level, a room or a zone.' })
export class Space implements Owned {
  tenantId!: string;
  buildingId!: string;
  /** Its own id: where a right to it is looked up. */
  spaceId!: string;
  parentId!: string | null;

  @Visible('with-parent')
  @Field(() => ID, { description: 'Opaque and global.' })
  id!: string;

  @Visible('with-parent')
  @Field({ description: 'What people call it, e.g. `Room 413`.' })
  name!: string;

  @Visible('with-parent')
  @Field(() => SpaceKind, { description: 'Level, room or zone.' })
  kind!: Kind;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was entered.' })
  createdAt!: Date;

  static of(document: SpaceDocument): Space {
    return Object.assign(new Space(), {
      tenantId: document.tenantId,
      buildingId: document.buildingId,
      spaceId: document.id,
      parentId: document.parentId,
      id: document.id,
      name: document.name,
      kind: document.kind,
      createdAt: new Date(document.createdAt),
    });
  }
}
