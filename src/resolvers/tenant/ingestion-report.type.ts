import { Field, Int, ObjectType } from 'type-graphql';
import { REFUSAL_CODES } from '../../domain/reading';
import { type IngestionHour as Hour } from '../../store/ingestion/report';
import { deadLettersOf } from '../../domain/ingestion';
import { RefusalCount } from '../dead-letter/dead-letter.type';
import { Visible } from '../rule';
import { DateTime, Long } from '../scalars';

@ObjectType({
  description:
    'What became of readings, in numbers of readings. Each stage counts for itself: the gateways what they acknowledged, the landing the rows of its files, curation what it merged. Counts of the last minutes are still on their way.',
})
export class IngestionCounts {
  @Visible('with-parent')
  @Field(() => Long, {
    nullable: true,
    description:
      'How many should have come, about: each channel’s time in its place divided by the interval its device is expected to send at, from its first message until it was suspended or retired. By today’s intervals, and where devices stand today; states are also sent on change. Null while the hour is not over and where it was never reckoned.',
  })
  expected!: number | null;

  @Visible('with-parent')
  @Field(() => Long, {
    description:
      'Acknowledged to devices, repeats among them, or taken from dead letters that were replayed. A gateway tells it every ten seconds; one that is killed leaves its last ones untold.',
  })
  accepted!: number;

  @Visible('with-parent')
  @Field(() => Long, {
    description:
      'Not acknowledged, because the stream did not answer in time: devices were told to send again. Some of them may have landed all the same.',
  })
  unanswered!: number;

  @Visible('with-parent')
  @Field(() => Long, { description: 'Rows in the files of the landing, repeats among them.' })
  landed!: number;

  @Visible('with-parent')
  @Field(() => Long, {
    description:
      'Of those landed, how many were enqueued more than 48 h after they were observed: kept for ever and found by questions, and in no average.',
  })
  tooLate!: number;

  @Visible('with-parent')
  @Field(() => Long, {
    description: 'Of those landed, how many stand in the curated store, one an identity.',
  })
  curated!: number;

  @Visible('with-parent')
  @Field(() => Long, {
    description: 'Of those landed, how many repeat a reading that is curated: devices that send again.',
  })
  repeated!: number;

  @Visible('with-parent')
  @Field(() => Long, {
    description:
      'Refused with a reason and kept as dead letters: readings, or whole messages that could not be read.',
  })
  deadLettered!: number;

  @Visible('with-parent')
  @Field(() => [RefusalCount], { description: 'The same by reason.' })
  deadLetteredByCode!: RefusalCount[];

  @Visible('with-parent')
  @Field(() => Long, {
    description: 'Accepted and not landed yet: in the stream, which hands over once a minute.',
  })
  inFlight!: number;

  @Visible('with-parent')
  @Field(() => Long, { description: 'Landed and not curated yet, which happens once an hour.' })
  notYetCurated!: number;

  @Visible('with-parent')
  @Field(() => Long, {
    description:
      'Landed although no gateway told that it was accepted or unanswered: a gateway that ended without telling. No loss. 0 while the hour is not over, for gateways tell some seconds late.',
  })
  untold!: number;

  @Visible('with-parent')
  @Field(() => Long, {
    description:
      'What nothing above explains, readings and dead letters: accepted or refused and not landed although the landing has gone past, or landed and neither curated nor repeated although curation has. Anything but 0 is a fault of ours; the platform raises an alert, and it returns to 0 when it is found. So many as are unanswered or untold could hide a loss of as many.',
  })
  unexplained!: number;

  @Visible('with-parent')
  @Field(() => Boolean, { description: 'Whether nothing of it is in flight or waits for curation.' })
  settled!: boolean;

  static from({
    expected,
    counts,
    balance,
    settled,
  }: Pick<Hour, 'expected' | 'counts' | 'balance' | 'settled'>): IngestionCounts {
    const { accepted, unanswered, landed, tooLate, curated, repeated, dead } = counts;
    const { inFlight, notYetCurated, untold, lost, lettersLost, uncurated } = balance;
    return {
      ...{ expected, accepted, unanswered, landed, tooLate, curated, repeated },
      deadLettered: deadLettersOf(counts),
      deadLetteredByCode: REFUSAL_CODES.filter((code) => dead[code] !== undefined).map((code) =>
        Object.assign(new RefusalCount(), { code, count: dead[code]! }),
      ),
      ...{ inFlight, notYetCurated, untold, unexplained: lost + lettersLost + uncurated, settled },
    };
  }
}

@ObjectType({
  description: 'What became of the readings of one partition of the stream; a building lies in one.',
})
export class IngestionPartition extends IngestionCounts {
  @Visible('with-parent')
  @Field(() => Int, { description: 'The partition’s number.' })
  partition!: number;
}

@ObjectType({ description: 'What became of the readings that gateways received in one hour.' })
export class IngestionHour extends IngestionCounts {
  @Visible('with-parent')
  @Field(() => DateTime, { description: 'Where the hour begins; hours are of UTC.' })
  hour!: Date;

  @Visible('with-parent')
  @Field(() => [IngestionPartition], { description: 'The same by partition of the stream.' })
  partitions!: IngestionPartition[];

  static of(hour: Hour): IngestionHour {
    return Object.assign(new IngestionHour(), {
      ...IngestionCounts.from(hour),
      hour: new Date(hour.from),
      partitions: hour.partitions.map((each) =>
        Object.assign(new IngestionPartition(), {
          ...IngestionCounts.from(each),
          partition: each.partition,
        }),
      ),
    });
  }
}
