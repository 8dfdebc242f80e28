import { Arg, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { type Context } from '../context';
import { clientError } from '../errors';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { IngestionHour } from './ingestion-report.type';
import { Tenant } from './tenant.type';

const DAY_MS = 86_400_000;
const MAXIMUM_DAYS = 31;

@Resolver(() => Tenant)
export class IngestionReportResolver {
  @Visible({ needs: 'ingestion.read', of: 'parent' })
  @FieldResolver(() => [IngestionHour], {
    nullable: true,
    description: `What became of every reading of the tenant, by the hour (UTC) in which it was received, oldest first, ${MAXIMUM_DAYS} days at most: what was expected, what was accepted, and where it is. Hours in which nothing was expected and nothing came are left out. A few minutes behind. Null, with an error, where you are not an owner or manager of the tenant as a whole.`,
  })
  async ingestionReport(
    @Root() { tenantId }: Tenant,
    @Arg('from', () => DateTime, {
      nullable: true,
      description: 'Hours that begin at or after this instant; left out, a day before `to`.',
    })
    from: Date | null | undefined,
    @Arg('to', () => DateTime, {
      nullable: true,
      description: 'Hours that begin before this instant; left out, now.',
    })
    to: Date | null | undefined,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<IngestionHour[]> {
    const end = to?.getTime() ?? Date.now();
    const start = from?.getTime() ?? end - DAY_MS;
    if (end - start > MAXIMUM_DAYS * DAY_MS) {
      throw clientError('BAD_USER_INPUT', `from and to are more than ${MAXIMUM_DAYS} days apart`);
    }
    const hours = await registry.ingestionReport(scope, tenantId, { from: start, to: end });
    return hours.map((each) => IngestionHour.of(each));
  }
}
