import { Field, ID, ObjectType } from 'type-graphql';
import { type AuditDocument } from '../../store/documents';
import { connectionType } from '../connection';
import { Visible } from '../rule';
import { DateTime, JSONObject } from '../scalars';

@ObjectType({
  description:
    'That something was changed: who did what to what, and when. Written together with the change, and never altered.',
})
export class AuditEvent {
  @Visible('with-parent')
  @Field(() => ID, { description: 'Opaque and unique.' })
  id!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was changed.' })
  at!: Date;

  @Visible('with-parent')
  @Field(() => ID, {
    description:
      'Who did it: the id that `viewer` tells that person, or that program. `gateway` for what a device brings about by sending.',
  })
  actor!: string;

  @Visible('with-parent')
  @Field({ description: 'What was done, e.g. `device.retire`.' })
  action!: string;

  @Visible('with-parent')
  @Field(() => ID, {
    description:
      'The id of what was changed. An event about several devices has their building’s or tenant’s here and names them in `after.devices`.',
  })
  subject!: string;

  @Visible('with-parent')
  @Field(() => JSONObject, {
    nullable: true,
    description: 'What of it was changed, as it was before; null where there was nothing. Never a secret.',
  })
  before!: Record<string, unknown> | null;

  @Visible('with-parent')
  @Field(() => JSONObject, {
    nullable: true,
    description: 'The same as it was afterwards; null where nothing more is to be said. Never a secret.',
  })
  after!: Record<string, unknown> | null;

  static of(document: AuditDocument): AuditEvent {
    const { id, at, actor, action, subject, before, after } = document;
    return Object.assign(new AuditEvent(), {
      id,
      at: new Date(at),
      actor,
      action,
      subject,
      before,
      after,
    });
  }
}

export const AuditEventConnection = connectionType(
  AuditEvent,
  'AuditEvent',
  'an audit log, the latest first',
);
