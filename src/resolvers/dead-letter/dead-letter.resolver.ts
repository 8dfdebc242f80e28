import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { allows } from '../../auth/scope';
import { type LetterFilter, type LettersPlace } from '../../store/dead-letters/reader';
import { Building } from '../building/building.type';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { loadDevice } from '../device/device.resolver';
import { Device } from '../device/device.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { DeadLetter, DeadLetterConnection, DeadLetterFilter, OmittedDeadLetters } from './dead-letter.type';

const DAY_MS = 86_400_000;
/** Minutes of a day. */
const MAXIMUM_OMITTED = 1_440;

@Resolver(() => Building)
export class BuildingDeadLettersResolver {
  @Visible({ needs: 'dead-letter.read', of: 'parent' })
  @FieldResolver(() => DeadLetterConnection, {
    nullable: true,
    description:
      'What its devices sent and was refused, newest first; null, with an error, where your role does not show dead letters. Those of devices that measure what tells of presence are left out where you may not see that. A page may be short although more follows: ask `pageInfo.hasNextPage`.',
  })
  deadLetters(
    @Root() { id, tenantId }: Building,
    @Args(() => PageArguments) page: PageArguments,
    @Args(() => DeadLetterFilter) filter: DeadLetterFilter,
    @Ctx() context: Context,
  ): Promise<Connection<DeadLetter>> {
    return lettersOf(context, { tenantId, buildingId: id }, 'Building.deadLetters', page, filter);
  }

  @Visible({ needs: 'dead-letter.read', of: 'parent' })
  @FieldResolver(() => [OmittedDeadLetters], {
    nullable: true,
    description: `Minutes in which more was refused here than \`deadLetters\` lists, newest first, at most ${MAXIMUM_OMITTED}. None where not all that tells of presence is yours to see.`,
  })
  deadLettersOmitted(
    @Root() { id, tenantId }: Building,
    @Arg('from', () => DateTime, { nullable: true, description: 'Left out, a day before `to`.' })
    from: Date | null | undefined,
    @Arg('to', () => DateTime, { nullable: true, description: 'Left out, now.' })
    to: Date | null | undefined,
    @Ctx() context: Context,
  ): Promise<OmittedDeadLetters[]> {
    return omittedOf(context, { tenantId, buildingId: id }, from, to);
  }
}

@Resolver(() => Tenant)
export class TenantDeadLettersResolver {
  @Visible({ needs: 'dead-letter.read', of: 'parent' })
  @FieldResolver(() => DeadLetterConnection, {
    nullable: true,
    description:
      'What devices of the tenant that had no place in a building sent and was refused, newest first; null, with an error, where your role in the tenant as a whole does not show dead letters. Empty where you may not see what tells of presence in all of the tenant.',
  })
  deadLetters(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Args(() => DeadLetterFilter) filter: DeadLetterFilter,
    @Ctx() context: Context,
  ): Promise<Connection<DeadLetter>> {
    return lettersOf(context, { tenantId, buildingId: null }, 'Tenant.deadLetters', page, filter);
  }

  @Visible({ needs: 'dead-letter.read', of: 'parent' })
  @FieldResolver(() => [OmittedDeadLetters], {
    nullable: true,
    description: `Minutes in which more was refused than \`deadLetters\` lists, newest first, at most ${MAXIMUM_OMITTED}. None where not all that tells of presence is yours to see.`,
  })
  deadLettersOmitted(
    @Root() { tenantId }: Tenant,
    @Arg('from', () => DateTime, { nullable: true, description: 'Left out, a day before `to`.' })
    from: Date | null | undefined,
    @Arg('to', () => DateTime, { nullable: true, description: 'Left out, now.' })
    to: Date | null | undefined,
    @Ctx() context: Context,
  ): Promise<OmittedDeadLetters[]> {
    return omittedOf(context, { tenantId, buildingId: null }, from, to);
  }
}

@Resolver(() => DeadLetter)
export class DeadLetterResolver {
  @Visible('with-parent')
  @FieldResolver(() => Device, {
    nullable: true,
    description: 'The device that sent it; null where it is not yours to see any more.',
  })
  device(@Root() { deviceId }: DeadLetter, @Ctx() context: Context): Promise<Device | null> {
    return loadDevice(context, deviceId);
  }

  @Visible('with-parent')
  @FieldResolver(() => String, {
    nullable: true,
    description:
      'The message that is judged again, in base64: of a refused reading a message of just that reading, of a message that could not be read the whole of it as it came. Null where none is kept here.',
  })
  async payload(
    @Root() { scopeKey, storedId: id }: DeadLetter,
    @Ctx() { loaders }: Context,
  ): Promise<string | null> {
    return (await loaders.deadLetterPayload.load({ scopeKey, id }))?.toString('base64') ?? null;
  }
}

/** The arguments as the store takes them. */
export function filterOf({ from, to, code, device }: DeadLetterFilter): LetterFilter {
  return {
    ...(from == null ? {} : { from: from.getTime() }),
    ...(to == null ? {} : { to: to.getTime() }),
    ...(code == null ? {} : { code }),
    ...(device == null ? {} : { deviceId: device }),
  };
}

function lettersOf(
  { services: { registry, cursors }, principal, scope }: Context,
  place: LettersPlace,
  list: string,
  page: PageArguments,
  filter: DeadLetterFilter,
): Promise<Connection<DeadLetter>> {
  const { from, to, code, deviceId } = filterOf(filter);
  const binding = {
    principalId: principal.id,
    list,
    arguments: [place.buildingId ?? place.tenantId, from, to, code, deviceId],
    // It says where in the stream a letter lies, and in which row of what was refused together.
    concealed: true,
  };
  // So does its id; whoever may not see all of them may not replay them either, which is all that an id is good for.
  const { tenantId, buildingId } = place;
  const named = allows(scope, 'presence.read', {
    tenantId,
    quantity: null,
    ...(buildingId !== null && { buildingId }),
  });
  return storePage(page, {
    cursors,
    binding,
    fetch: (options) => registry.deadLetters(scope, place, { ...options, ...filterOf(filter) }),
    toNode: (letter) => {
      const told = DeadLetter.of(letter);
      return named ? told : Object.assign(told, { id: cursors.pseudonym(told.id), storedId: letter.id });
    },
  });
}

async function omittedOf(
  { services: { registry }, scope }: Context,
  place: LettersPlace,
  from: Date | null | undefined,
  to: Date | null | undefined,
): Promise<OmittedDeadLetters[]> {
  const end = to?.getTime() ?? Date.now();
  const range = { from: from?.getTime() ?? end - DAY_MS, to: end, limit: MAXIMUM_OMITTED };
  return (await registry.omittedDeadLetters(scope, place, range)).map(OmittedDeadLetters.of);
}
