import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { type Origin, ORIGIN_TRANSPORTS } from '../../domain/origin';
import { type AuditDocument } from '../../store/documents';
import { connectionType } from '../connection';
import { Visible } from '../rule';
import { DateTime, JSONObject } from '../scalars';

export const OriginTransport = Object.fromEntries(ORIGIN_TRANSPORTS.map((name) => [name, name])) as Record<
  Origin['transport'],
  Origin['transport']
>;

registerEnumType(OriginTransport, {
  name: 'OriginTransport',
  description: 'How somebody reached the API.',
  valuesConfig: {
    HTTP: { description: 'A request over HTTP.' },
    WEBSOCKET: { description: 'An operation over a WebSocket.' },
    SSE: { description: 'An operation whose answer comes as server-sent events.' },
  },
});

@ObjectType({ description: 'Whence somebody asked for a change.' })
export class AuditOrigin {
  @Visible('with-parent')
  @Field({
    description:
      'The address of the connection, IPv4 or IPv6; behind a proxy of the platform what it says of the caller.',
  })
  address!: string;

  @Visible('with-parent')
  @Field(() => OriginTransport, { description: 'How it came.' })
  transport!: Origin['transport'];
}

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
  @Field(() => AuditOrigin, {
    nullable: true,
    description:
      'Whence it was asked for, also where a job did it later; null where nobody asked, where it was asked for in another tenant, and of events that an earlier release wrote.',
  })
  from!: AuditOrigin | null;

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
    const { id, at, actor, from, action, subject, before, after } = document;
    return Object.assign(new AuditEvent(), {
      id,
      at: new Date(at),
      actor,
      from: from ? Object.assign(new AuditOrigin(), from) : null,
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
