import 'reflect-metadata';
import { GraphQLInputObjectType, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, getMetadataStorage, type NonEmptyArray } from 'type-graphql';
import {
  AcknowledgeAlertResolver,
  AlertResolver,
  AlertsSubscription,
  BuildingAlertsResolver,
} from './alert/alert.resolver';
import { ApiKeyResolver, TenantApiKeysResolver } from './access/api-key.resolver';
import {
  BuildingAccessResolver,
  GrantResolver,
  TenantGrantsResolver,
  ViewerGrantsResolver,
} from './access/grant.resolver';
import { InvitationResolver, TenantInvitationsResolver } from './access/invitation.resolver';
import { MemberResolver, TenantMembersResolver } from './access/member.resolver';
import { TenantAdministrationResolver } from './access/tenant-administration.resolver';
import { AlertRuleResolver, TenantAlertRulesResolver } from './alert/rule.resolver';
import { BuildingAuditLogResolver, TenantAuditLogResolver } from './audit/audit.resolver';
import { BuildingAveragesResolver, SpaceAveragesResolver } from './average/average.resolver';
import { AverageCursorResolver, LiveAverageResolver } from './average/live-average.resolver';
import { BuildingResolver } from './building/building.resolver';
import { PresenceResolver } from './building/presence.resolver';
import { CreateBuildingResolver } from './building/create-building.resolver';
import { ColdStoreAccessResolver } from './cold-access/cold-access.resolver';
import { ClaimDeviceResolver } from './device/claim-device.resolver';
import { DeviceConfigurationResolver } from './device/configuration.resolver';
import { DeviceCredentialResolver } from './device/credential.resolver';
import {
  BuildingDeadLettersResolver,
  DeadLetterResolver,
  TenantDeadLettersResolver,
} from './dead-letter/dead-letter.resolver';
import { ReplayDeadLettersResolver } from './dead-letter/replay-dead-letters.resolver';
import { DeviceAssignmentResolver, DeviceResolver } from './device/device.resolver';
import { DeviceIntervalResolver } from './device/interval.resolver';
import { LastSeenResolver } from './device/last-seen.resolver';
import { MoveDeviceResolver } from './device/move-device.resolver';
import { DeviceParentResolver } from './device/parent.resolver';
import { ProvisionDevicesJobResolver } from './device/provision-devices-job.resolver';
import { ProvisionDevicesResolver } from './device/provision-devices.resolver';
import { RegisterDevicesResolver } from './device/register-devices.resolver';
import { ReplaceDeviceResolver } from './device/replace-device.resolver';
import { RetireDeviceResolver } from './device/retire-device.resolver';
import { StockResolver, TenantStockResolver } from './device/stock.resolver';
import { SuspensionResolver } from './device/suspension.resolver';
import { DeviceStatusResolver } from './device/device-status.resolver';
import { DeviceTransferResolver, TenantTransfersResolver } from './device/transfer.resolver';
import {
  TenantTrustedDocumentsResolver,
  TrustedDocumentResolver,
} from './document/trusted-document.resolver';
import { ExportResolver, TenantExportsResolver } from './export/export.resolver';
import { JobResolver, JobRowResolver, TenantJobsResolver } from './job/job.resolver';
import { NodeResolver } from './node.resolver';
import { PointResolver } from './point/point.resolver';
import {
  BuildingExcursionsResolver,
  SpaceExcursionsResolver,
  TenantExcursionsResolver,
} from './reading/excursions.resolver';
import { BuildingHistoryResolver, SpaceHistoryResolver } from './reading/history.resolver';
import {
  BuildingLatestReadingsResolver,
  DeviceLatestReadingsResolver,
  PointLatestReadingResolver,
} from './reading/latest-reading.resolver';
import { BuildingReadingsResolver } from './reading/reading.resolver';
import { DateTime } from './scalars';
import { SpaceResolver } from './space/space.resolver';
import { BuildingStatesResolver, SpaceStatesResolver } from './state/state.resolver';
import { IngestionReportResolver } from './tenant/ingestion-report.resolver';
import { TenantResolver } from './tenant/tenant.resolver';
import { TenantMembershipResolver, ViewerResolver } from './viewer/viewer.resolver';
import { TenantWebhooksResolver, WebhookResolver } from './webhook/webhook.resolver';

const resolvers: NonEmptyArray<new () => object> = [
  ViewerResolver,
  TenantMembershipResolver,
  TenantResolver,
  NodeResolver,
  BuildingResolver,
  PresenceResolver,
  BuildingAveragesResolver,
  AverageCursorResolver,
  LiveAverageResolver,
  SpaceAveragesResolver,
  BuildingStatesResolver,
  SpaceStatesResolver,
  CreateBuildingResolver,
  BuildingReadingsResolver,
  BuildingLatestReadingsResolver,
  DeviceLatestReadingsResolver,
  PointLatestReadingResolver,
  BuildingHistoryResolver,
  SpaceHistoryResolver,
  BuildingExcursionsResolver,
  SpaceExcursionsResolver,
  TenantExcursionsResolver,
  BuildingDeadLettersResolver,
  TenantDeadLettersResolver,
  IngestionReportResolver,
  DeadLetterResolver,
  ReplayDeadLettersResolver,
  SpaceResolver,
  DeviceResolver,
  DeviceAssignmentResolver,
  PointResolver,
  ProvisionDevicesResolver,
  RetireDeviceResolver,
  ClaimDeviceResolver,
  MoveDeviceResolver,
  ReplaceDeviceResolver,
  DeviceTransferResolver,
  TenantTransfersResolver,
  StockResolver,
  TenantStockResolver,
  RegisterDevicesResolver,
  ProvisionDevicesJobResolver,
  JobResolver,
  JobRowResolver,
  TenantJobsResolver,
  ExportResolver,
  TenantExportsResolver,
  ColdStoreAccessResolver,
  SuspensionResolver,
  DeviceCredentialResolver,
  DeviceConfigurationResolver,
  DeviceParentResolver,
  LastSeenResolver,
  DeviceStatusResolver,
  DeviceIntervalResolver,
  BuildingAlertsResolver,
  AlertResolver,
  AcknowledgeAlertResolver,
  AlertsSubscription,
  AlertRuleResolver,
  TenantAlertRulesResolver,
  WebhookResolver,
  TenantWebhooksResolver,
  TrustedDocumentResolver,
  TenantTrustedDocumentsResolver,
  BuildingAuditLogResolver,
  TenantAuditLogResolver,
  ApiKeyResolver,
  TenantApiKeysResolver,
  GrantResolver,
  TenantGrantsResolver,
  BuildingAccessResolver,
  ViewerGrantsResolver,
  TenantAdministrationResolver,
  InvitationResolver,
  TenantInvitationsResolver,
  MemberResolver,
  TenantMembersResolver,
];

/** Inputs of which exactly one field is given (`@oneOf`), which type-graphql cannot say. */
const ONE_OF = ['AlertConditionInput'];

/** The schema with its resolvers. They hold no state: all they work with comes by the context. */
export function createSchema(): GraphQLSchema {
  // A field without a resolver of its own is read from its object by graphql-js, not by a function around that.
  for (const type of getMetadataStorage().objectTypes) type.simpleResolvers = true;
  const schema = buildSchemaSync({
    resolvers,
    scalarsMap: [{ type: Date, scalar: DateTime }],
    // The store validates, so that a refusal is a value of the result and the same for every way in.
    validate: false,
    // Subscriptions bring their own iterables; type-graphql asks for a PubSub all the same.
    pubSub: {
      publish: () => undefined,
      subscribe: () => {
        throw new Error('subscriptions bring their own iterables');
      },
    },
  });
  for (const name of ONE_OF) {
    const input = schema.getType(name);
    if (!(input instanceof GraphQLInputObjectType)) throw new Error(`there is no input ${name}`);
    input.isOneOf = true;
  }
  return schema;
}
