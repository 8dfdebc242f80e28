import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { loadApiKey } from './access/api-key.resolver';
import { loadAlert } from './alert/alert.resolver';
import { loadAlertRule } from './alert/rule.resolver';
import { loadBuilding } from './building/building.resolver';
import { type Context } from './context';
import { loadDevice } from './device/device.resolver';
import { loadExport } from './export/export.resolver';
import { loadJob } from './job/job.resolver';
import { Node } from './node.type';
import { Visible } from './rule';
import { Tenant } from './tenant/tenant.type';
import { loadWebhook } from './webhook/webhook.resolver';

@Resolver()
export class NodeResolver {
  @Visible('signed-in')
  @Query(() => Node, {
    nullable: true,
    description:
      'A tenant, building, device, job, export, alert, alert rule, webhook or API key by its global id; null where there is none or it is not yours to see.',
  })
  async node(
    @Arg('id', () => ID, { description: 'The object’s id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Node | null> {
    switch (id.slice(0, 4)) {
      case 'ten_': {
        const document = await context.loaders.tenant.load(id);
        return document === null ? null : Tenant.of(document);
      }
      case 'bld_':
        return loadBuilding(context, id);
      case 'dev_':
        return loadDevice(context, id);
      case 'job_':
        return loadJob(context, id);
      case 'alt_':
        return loadAlert(context, id);
      case 'alr_':
        return loadAlertRule(context, id);
      case 'whk_':
        return loadWebhook(context, id);
      case 'exp_':
        return loadExport(context, id);
      case 'key_':
        return loadApiKey(context, id);
      default:
        return null;
    }
  }
}
