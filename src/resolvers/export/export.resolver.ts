import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import {
  MAXIMUM_EXPORT_BYTES,
  MAXIMUM_EXPORT_DAYS,
  MAXIMUM_PART_ROWS,
  type ExportedReadings,
} from '../../domain/export';
import { QUANTITIES, type QuantityName } from '../../domain/quantity';
import { mayReadQuantity } from '../../store/exports/documents';
import { type Refusal } from '../../store/registry';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  Export,
  ExportConnection,
  ExportPart,
  ExportReadingsInput,
  ExportReadingsResult,
  ExportReadingsSuccess,
} from './export.type';

const WORDS = new Intl.NumberFormat('en');

@Resolver(() => Export)
export class ExportResolver {
  @Visible('signed-in')
  @Query(() => Export, {
    nullable: true,
    description: 'An export by its id; null where there is none or you may not read all that it holds.',
  })
  export(
    @Arg('id', () => ID, { description: 'The export’s id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Export | null> {
    return loadExport(context, id);
  }

  @Visible('with-parent')
  @FieldResolver(() => [ExportPart], {
    description:
      'Its files that are ready, oldest first; time without a reading has none. They can be downloaded once the job has SUCCEEDED.',
  })
  async parts(
    @Root() { id, source }: Export,
    @Ctx() { services: { exports }, scope }: Context,
  ): Promise<ExportPart[]> {
    return (await exports.parts(scope, source)).map((part) => ExportPart.of(id, part));
  }

  @Visible({ needs: 'reading.read', of: 'arguments' })
  @Mutation(() => ExportReadingsResult, {
    description: `Writes readings into files, in the background: each reading once, as \`readings\` tells it. Over ${MAXIMUM_EXPORT_DAYS} days at most, one file a UTC day (several days where there are more than a hundred), at most ${WORDS.format(MAXIMUM_PART_ROWS)} readings a file and ${WORDS.format(MAXIMUM_EXPORT_BYTES)} bytes in all; eight exports of a tenant may be under way. The audit log tells who asked for it and who downloaded what.`,
  })
  async exportReadings(
    @Arg('input', () => ExportReadingsInput, { description: 'Which readings, and how.' })
    input: ExportReadingsInput,
    @Ctx() context: Context,
  ): Promise<ExportReadingsSuccess | UserError> {
    const { services, scope } = context;
    const place = await placeOf(context, input);
    if ('code' in place) return userErrorOf(place);
    const quantities = quantitiesOf(
      context,
      { ...place, spaceIds: input.spaces ?? null },
      input.quantities ?? null,
    );
    if ('code' in quantities) return userErrorOf(quantities);
    const wanted: ExportedReadings = {
      format: input.format,
      quantities,
      spaceIds: input.spaces ?? null,
      deviceIds: input.devices ?? null,
      from: input.from.getTime(),
      to: input.to.getTime(),
    };
    const outcome = await services.exports.request(scope, { ...place, ...wanted }, input.idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new ExportReadingsSuccess(), { export: Export.of(outcome.value) });
  }
}

@Resolver(() => Tenant)
export class TenantExportsResolver {
  @Visible('with-parent')
  @FieldResolver(() => ExportConnection, {
    description: 'Its exports that you may see, the newest first, until seven days after their end.',
  })
  exports(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { exports, cursors }, scope, principal }: Context,
  ): Promise<Connection<Export>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.exports', arguments: [tenantId] },
      fetch: (options) => exports.ofTenant(scope, tenantId, options),
      toNode: Export.of,
    });
  }
}

export async function loadExport(
  { services: { exports }, scope }: Context,
  id: string,
): Promise<Export | null> {
  const found = await exports.byId(scope, id);
  return found === null ? null : Export.of(found);
}

interface Place {
  tenantId: string;
  buildingId: string | null;
}

async function placeOf(
  { loaders }: Context,
  { buildingId, tenantId, spaces }: ExportReadingsInput,
): Promise<Place | Refusal> {
  if ((buildingId == null) === (tenantId == null)) {
    return { code: 'INVALID_INPUT', message: 'give either buildingId or tenantId', path: 'buildingId' };
  }
  if (tenantId != null) {
    if (spaces == null) return { tenantId, buildingId: null };
    return { code: 'INVALID_INPUT', message: 'spaces go with a buildingId', path: 'spaces' };
  }
  const building = await loaders.building.load(buildingId!);
  if (building === null) {
    return { code: 'NOT_FOUND', message: `there is no building ${buildingId}`, path: 'buildingId' };
  }
  return { tenantId: building.tenantId, buildingId: building.id };
}

/**
 * What the export may hold: named in it, so that it never grows with a right. Where the caller may read nothing the
 * store says so, in the words for what they can see of the place.
 */
function quantitiesOf(
  { scope }: Context,
  place: Place & { spaceIds: string[] | null },
  asked: readonly QuantityName[] | null,
): QuantityName[] | Refusal {
  const names = QUANTITIES.map(({ name }) => name);
  const visible = names.filter((quantity) => mayReadQuantity(scope, { ...place, quantity }));
  if (asked === null || visible.length === 0) return visible;
  if (asked.length === 0) {
    return {
      code: 'INVALID_INPUT',
      message: 'quantities must not be empty: leave it out',
      path: 'quantities',
    };
  }
  const hidden = asked.find((quantity) => !visible.includes(quantity));
  if (hidden !== undefined) {
    return { code: 'FORBIDDEN', message: `${hidden} is not shared with you here`, path: 'quantities' };
  }
  return names.filter((quantity) => asked.includes(quantity));
}
