import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import {
  type Assignment,
  DEFAULT_INTERVAL_SECONDS,
  DEVICE_STATES,
  type DeviceState as State,
} from '../../domain/device';
import { type QuantityName } from '../../domain/quantity';
import { type SeenKey } from '../../store/device-activity';
import { seenKeyOf } from '../../store/device-activity-documents';
import { type DeviceDocument } from '../../store/documents';
import { connectionType } from '../connection';
import { Node } from '../node.type';
import { Quantity } from '../quantity.type';
import { type Owned, Visible } from '../rule';
import { DateTime } from '../scalars';

export const DeviceState = Object.fromEntries(DEVICE_STATES.map((state) => [state, state])) as Record<
  State,
  State
>;

registerEnumType(DeviceState, {
  name: 'DeviceState',
  description: 'Where a device is in its life.',
  valuesConfig: {
    REGISTERED: { description: 'Known by its serial number, with no place and no credentials yet.' },
    PROVISIONED: { description: 'Has its place and credentials and may send; not heard of yet.' },
    ACTIVE: { description: 'Has sent.' },
    SUSPENDED: { description: 'May not send until somebody lifts it.' },
    RETIRED: { description: 'Out of service for good: its credentials are destroyed, its history stays.' },
  },
});

@ObjectType('DeviceAssignment', {
  description:
    'That a channel of a device feeds a point, from an instant to an instant. A reading belongs to the assignment in force when it was observed.',
})
export class DeviceAssignment implements Owned {
  tenantId!: string;
  buildingId!: string;
  source!: Assignment;

  @Visible('with-parent')
  @Field({ description: 'The device’s own name for what it measures, e.g. `temperature`.' })
  channel!: string;

  @Visible('with-parent')
  @Field(() => Quantity, { description: 'What the channel measures.' })
  quantity!: QuantityName;

  @Visible('with-parent')
  @Field({ description: 'The unit (UCUM) that the device sends where its payload names none.' })
  unit!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'The first instant at which it holds.' })
  from!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'The first instant at which it no longer holds; null while it does.',
  })
  to!: Date | null;

  static of(assignment: Assignment): DeviceAssignment {
    return Object.assign(new DeviceAssignment(), {
      tenantId: assignment.tenantId,
      buildingId: assignment.buildingId,
      source: assignment,
      channel: assignment.channel,
      quantity: assignment.quantity,
      unit: assignment.unit,
      from: new Date(assignment.from),
      to: assignment.to === null ? null : new Date(assignment.to),
    });
  }
}

@ObjectType('Device', {
  implements: Node,
  description: 'A sensor, or a box with several, that sends readings.',
})
export class Device extends Node implements Owned {
  tenantId!: string;
  buildingId!: string;
  spaceId!: string;
  assigned!: readonly Assignment[];
  parentId!: string | null;
  /** Where its last seen is kept. */
  seenKey!: SeenKey | null;
  /** When its first telemetry was taken. */
  activated!: Date | null;

  @Visible('with-parent')
  @Field({ description: 'What people call it; not unique.' })
  name!: string;

  @Visible('with-parent')
  @Field({ description: 'The model: it says which channels the device has and in which units they are.' })
  model!: string;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'What its manufacturer printed on it, unique per manufacturer; null where none was given.',
  })
  serialNumber!: string | null;

  @Visible('with-parent')
  @Field(() => DeviceState, { description: 'Where it is in its life.' })
  state!: State;

  @Visible('with-parent')
  @Field(() => Int, {
    description: 'How often it is expected to send, in seconds: what its silence is measured by.',
  })
  intervalSeconds!: number;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was provisioned.' })
  createdAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was suspended; null for one that is not.',
  })
  suspendedAt!: Date | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'Why it was suspended; null where no reason was given, and for one that is not.',
  })
  suspensionReason!: string | null;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was retired; null while in service.' })
  retiredAt!: Date | null;

  /** Takes what may be shown; the sealed keys stay behind. */
  static of(document: DeviceDocument): Device {
    return Object.assign(new Device(), {
      tenantId: document.tenantId,
      buildingId: document.buildingId,
      spaceId: document.spaceId,
      assigned: document.assignments,
      id: document.id,
      name: document.name,
      model: document.model,
      serialNumber: document.serialNumber,
      state: document.state,
      parentId: document.parentId ?? null,
      seenKey: seenKeyOf(document),
      intervalSeconds: document.intervalSeconds ?? DEFAULT_INTERVAL_SECONDS,
      createdAt: new Date(document.createdAt),
      activated: document.activatedAt == null ? null : new Date(document.activatedAt),
      suspendedAt: document.suspended ? new Date(document.suspended.at) : null,
      suspensionReason: document.suspended?.reason ?? null,
      retiredAt: document.retiredAt === null ? null : new Date(document.retiredAt),
    });
  }
}

export const DeviceConnection = connectionType(Device, 'Device', 'the devices of a building');
