import { ArgsType, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { REFUSAL_CODES, type RefusalCode as Code } from '../../domain/reading';
import {
  isReplayable,
  type OmittedDocument,
  type ReplayOutcome as Outcome,
} from '../../store/dead-letters/documents';
import { type FiledLetter } from '../../store/dead-letters/reader';
import { connectionType } from '../connection';
import { type Owned, Visible } from '../rule';
import { DateTime, Long } from '../scalars';

export const RefusalCode = Object.fromEntries(REFUSAL_CODES.map((code) => [code, code])) as Record<
  Code,
  Code
>;
registerEnumType(RefusalCode, {
  name: 'RefusalCode',
  description: 'Why the gateway did not take what a device sent. Further codes may come.',
  valuesConfig: {
    VALUE_NOT_FINITE: { description: 'The value is no finite number.' },
    VALUE_OUT_OF_RANGE: { description: 'The value lies outside the quantity’s physical range.' },
    VALUE_NOT_A_NUMBER: { description: 'The value is no number, nor true or false for a state.' },
    OBSERVED_IN_FUTURE: { description: 'Observed more than 30 seconds after it was received.' },
    OBSERVED_TOO_OLD: { description: 'Observed before the oldest instant that is taken.' },
    OBSERVED_AT_INVALID: { description: 'The time cannot be read.' },
    UNKNOWN_CHANNEL: { description: 'The device has no channel of that name.' },
    UNIT_MISMATCH: { description: 'The quantity is not measured in that unit.' },
    NOT_ASSIGNED: { description: 'The channel had no place when it was observed.' },
    PAYLOAD_INVALID: { description: 'The message, or a record of it, cannot be read.' },
    CHILD_NOT_YOURS: {
      description: 'A device named another one that it may not relay for, or that does not exist.',
    },
  },
});

export const ReplayOutcome = {
  ACCEPTED: 'ACCEPTED',
  PARTLY_ACCEPTED: 'PARTLY_ACCEPTED',
  REFUSED: 'REFUSED',
} as const satisfies Record<Outcome, Outcome>;
registerEnumType(ReplayOutcome, {
  name: 'DeadLetterReplayOutcome',
  description: 'What came of a dead letter that was judged again.',
  valuesConfig: {
    ACCEPTED: { description: 'All its readings went into the stream.' },
    PARTLY_ACCEPTED: { description: 'Some of its readings went into the stream, others were refused again.' },
    REFUSED: { description: 'It was refused again.' },
  },
});

@ObjectType({ description: 'That a dead letter was judged again, and what came of it.' })
export class DeadLetterReplay {
  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was judged again.' })
  at!: Date;

  @Visible('with-parent')
  @Field(() => ReplayOutcome, { description: 'What came of it.' })
  outcome!: Outcome;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How many readings went into the stream.' })
  accepted!: number;

  @Visible('with-parent')
  @Field(() => RefusalCode, {
    nullable: true,
    description: 'Why it, or the first of its readings, was refused again; null where none was.',
  })
  code!: Code | null;

  @Visible('with-parent')
  @Field(() => String, { nullable: true, description: 'The same in words; null where nothing was refused.' })
  message!: string | null;
}

@ObjectType('DeadLetter', {
  description:
    'A reading or a message of an authenticated device that was refused. It is in no average and no count; it can be asked for here for a while (30 days unless set otherwise) and stays in the cold store.',
})
export class DeadLetter implements Owned {
  tenantId!: string;
  buildingId?: string;
  scopeKey!: string;
  storedId!: string;

  @Visible('with-parent')
  @Field(() => ID, {
    description:
      'Names it to `replayDeadLetters`, together with its building or tenant; another name for whoever may not see all that tells of presence there.',
  })
  id!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When the gateway received it.' })
  receivedAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When it was observed, or stamped where it had no time; null where no time could be read.',
  })
  observedAt!: Date | null;

  @Visible('with-parent')
  @Field(() => ID, { description: 'The device that sent it.' })
  deviceId!: string;

  @Visible('with-parent')
  @Field({ description: 'The channel as the device named it; empty for a whole message.' })
  channel!: string;

  @Visible('with-parent')
  @Field(() => RefusalCode, { description: 'Why it was refused.' })
  code!: Code;

  @Visible('with-parent')
  @Field({ description: 'The same in words, with the value found.' })
  message!: string;

  @Visible('with-parent')
  @Field({ description: 'The offending part of the message as text, cut to 1,024 characters.' })
  raw!: string;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'How it came: `HTTP`, `MQTT`, ...; null where that was not kept.',
  })
  protocol!: string | null;

  @Visible('with-parent')
  @Field(() => ID, {
    nullable: true,
    description: 'The field gateway whose connection brought it; null where the device sent it itself.',
  })
  relayedByDeviceId!: string | null;

  @Visible('with-parent')
  @Field(() => String, { nullable: true, description: 'The device’s message id; null where it gave none.' })
  messageId!: string | null;

  @Visible('with-parent')
  @Field(() => String, { nullable: true, description: 'Media type of `payload`; null where there is none.' })
  contentType!: string | null;

  @Visible('with-parent')
  @Field(() => Int, { description: 'Size of the payload, in bytes; 0 where none was kept.' })
  payloadBytes!: number;

  @Visible('with-parent')
  @Field({
    description:
      'Whether `replayDeadLetters` can judge it again. Not where nothing more than `raw` could be kept of it (no readable time or value), nor where its payload is larger than 96 KiB: the cold store has that.',
  })
  replayable!: boolean;

  @Visible('with-parent')
  @Field(() => DeadLetterReplay, {
    nullable: true,
    description: 'The last time that it was judged again; null where it never was.',
  })
  replay!: DeadLetterReplay | null;

  static of(letter: FiledLetter): DeadLetter {
    const { replay } = letter;
    return Object.assign(new DeadLetter(), {
      tenantId: letter.tenantId,
      ...(letter.buildingId === null ? {} : { buildingId: letter.buildingId }),
      scopeKey: letter.buildingId ?? letter.tenantId,
      id: letter.id,
      storedId: letter.id,
      receivedAt: new Date(letter.receivedAt),
      observedAt: dateOf(letter.observedAt),
      deviceId: letter.deviceId,
      channel: letter.channel,
      code: letter.code,
      message: letter.message,
      raw: letter.raw,
      protocol: letter.protocol || null,
      relayedByDeviceId: letter.relayedBy,
      messageId: letter.messageId,
      contentType: letter.contentType || null,
      payloadBytes: letter.bytes,
      replayable: isReplayable(letter),
      replay:
        replay === undefined
          ? null
          : Object.assign(new DeadLetterReplay(), {
              at: new Date(replay.at),
              outcome: replay.outcome,
              accepted: replay.accepted,
              code: replay.code ?? null,
              message: replay.message ?? null,
            }),
    });
  }
}

/** Null also for an instant that JavaScript's dates do not reach: a device may claim any. */
function dateOf(instant: number | null): Date | null {
  const date = new Date(instant ?? NaN);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date : null;
}

@ObjectType({ description: 'How often something was refused for one reason.' })
export class RefusalCount {
  @Visible('with-parent')
  @Field(() => RefusalCode, { description: 'The reason.' })
  code!: Code;

  @Visible('with-parent')
  @Field(() => Long, { description: 'How many dead letters.' })
  count!: number;
}

@ObjectType({
  description:
    'A minute in which more was refused than is kept to be asked for: how much more there was. The cold store has each.',
})
export class OmittedDeadLetters {
  @Visible('with-parent')
  @Field(() => DateTime, { description: 'Where the minute begins.' })
  minute!: Date;

  @Visible('with-parent')
  @Field(() => Long, { description: 'How many dead letters are not among those listed.' })
  count!: number;

  @Visible('with-parent')
  @Field(() => [RefusalCount], { description: 'The same by reason.' })
  byCode!: RefusalCount[];

  static of({ minute, count, codes }: OmittedDocument): OmittedDeadLetters {
    return Object.assign(new OmittedDeadLetters(), {
      minute: new Date(minute * 60_000),
      count,
      byCode: REFUSAL_CODES.filter((code) => codes[code] !== undefined).map((code) =>
        Object.assign(new RefusalCount(), { code, count: codes[code]! }),
      ),
    });
  }
}

@ArgsType()
export class DeadLetterFilter {
  @Field(() => DateTime, { nullable: true, description: 'Only those received at or after this instant.' })
  from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Only those received before this instant.' })
  to?: Date | null;

  @Field(() => RefusalCode, { nullable: true, description: 'Only those refused for this reason.' })
  code?: Code | null;

  @Field(() => ID, { nullable: true, description: 'Only those of this device.' })
  device?: string | null;
}

export const DeadLetterConnection = connectionType(DeadLetter, 'DeadLetter', 'dead letters, newest first');
