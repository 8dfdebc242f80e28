import { createHash } from 'node:crypto';
import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { MAXIMUM_JOB_ROWS } from '../../domain/job';
import { type LettersPlace } from '../../store/dead-letters/reader';
import { type Refusal } from '../../store/registry';
import { type Context } from '../context';
import { Job } from '../job/job.type';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { filterOf } from './dead-letter.resolver';
import {
  ReplayDeadLettersInput,
  ReplayDeadLettersResult,
  ReplayDeadLettersSuccess,
} from './replay-dead-letters.type';

@Resolver()
export class ReplayDeadLettersResolver {
  @Visible({ needs: 'dead-letter.replay', of: 'arguments' })
  @Mutation(() => ReplayDeadLettersResult, {
    description: `Judges dead letters again, by the registry and decoders of now, after what was wrong is mended: what is accepted goes into the stream as if it came anew, with the instants at which it was observed and received; what is refused again stays a dead letter and says why. Replaying twice changes nothing. At most ${MAXIMUM_JOB_ROWS.toLocaleString('en')} letters a call, the oldest that can be replayed and were not accepted yet; call again, with another key, for more. Suspended and retired devices’ letters are judged too: their messages came while they were in service.`,
  })
  async replayDeadLetters(
    @Arg('input', () => ReplayDeadLettersInput, { description: 'Which dead letters.' })
    input: ReplayDeadLettersInput,
    @Ctx() context: Context,
  ): Promise<ReplayDeadLettersSuccess | UserError> {
    const {
      services: { registry, jobs },
      scope,
    } = context;
    const { filter, idempotencyKey } = input;
    const ids = filter?.ids ?? undefined;
    if (ids !== undefined && ids.length > MAXIMUM_JOB_ROWS) {
      const message = `at most ${MAXIMUM_JOB_ROWS} ids a call, these are ${ids.length}: split them over several`;
      return userErrorOf({ code: 'LIMIT_EXCEEDED', message, path: 'filter.ids' });
    }
    const place = await placeOf(context, input);
    if ('code' in place) return userErrorOf(place);
    const filtered = filterOf({ ...filter, device: filter?.deviceId ?? null });
    let found: number | undefined;
    const outcome = await jobs.create(
      scope,
      {
        kind: 'REPLAY_DEAD_LETTERS',
        ...place,
        // The ids themselves are the rows; here they only tell one call from another.
        parameters: { ...filtered, ...(ids === undefined ? {} : { ids: digestOf(ids) }) },
        rows: async () => {
          const letters = await registry.replayableLetters(scope, place, {
            ...filtered,
            ...(ids === undefined ? {} : { ids }),
            limit: MAXIMUM_JOB_ROWS,
          });
          found = letters.length;
          return letters;
        },
      },
      idempotencyKey,
    );
    if (!outcome.ok) {
      const message = 'there is no such dead letter that can be replayed and was not accepted yet';
      return userErrorOf(found === 0 ? { code: 'INVALID_INPUT', message, path: 'filter' } : outcome.refusal);
    }
    return Object.assign(new ReplayDeadLettersSuccess(), { job: Job.of(outcome.value) });
  }
}

function digestOf(ids: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(ids)).digest('base64url');
}

async function placeOf(
  { loaders }: Context,
  { buildingId, tenantId }: ReplayDeadLettersInput,
): Promise<LettersPlace | Refusal> {
  if ((buildingId == null) === (tenantId == null)) {
    return { code: 'INVALID_INPUT', message: 'give either buildingId or tenantId', path: 'buildingId' };
  }
  if (tenantId != null) return { tenantId, buildingId: null };
  const building = await loaders.building.load(buildingId!);
  if (building === null) {
    return { code: 'NOT_FOUND', message: `there is no building ${buildingId}`, path: 'buildingId' };
  }
  return { tenantId: building.tenantId, buildingId: building.id };
}
