import { type Questions } from '../analytics/questions';
import { type Principal, type TenantScope } from '../auth/scope';
import { type LiveAverages } from '../live/live';
import { type AlertFeed } from '../store/alerts/feed';
import { type Alerting } from '../store/alerts/alerting';
import { type AveragesReader } from '../store/averages';
import { type ColdAccess } from '../store/cold-access/cold-access';
import { type DeviceStatuses } from '../store/device-statuses';
import { type Exports } from '../store/exports/exports';
import { type Jobs } from '../store/jobs/jobs';
import { type RecentReader } from '../store/recent';
import { type Registry } from '../store/registry';
import { type Webhooks } from '../store/webhooks/webhooks';
import { type Cursors } from './cursor';
import { type DocumentCheck } from './document/document-check';
import { type Freshness } from './freshness';
import { type Loaders } from './loaders';

/** What resolvers work with, the same for every request. */
export interface Services {
  registry: Registry;
  jobs: Jobs;
  exports: Exports;
  coldAccess: ColdAccess;
  averages: AveragesReader;
  recent: Pick<RecentReader, 'latest'>;
  questions: Questions;
  live: LiveAverages;
  deviceStatuses: Pick<DeviceStatuses, 'follow'>;
  alerting: Alerting;
  alertFeed: AlertFeed;
  webhooks: Webhooks;
  cursors: Cursors;
  /** What is wrong with documents that are to be registered. */
  documentCheck: DocumentCheck;
  /** `host:port` (or `host`) of the gateway as devices reach it. */
  gatewayHostName: string;
  /** Whoever has a right to single spaces sees averages of a building over at least so many. */
  minimumSpaces: number;
}

/** One request, or one event of a subscription. */
export interface Context {
  readonly services: Services;
  readonly principal: Principal;
  readonly requestId: string;
  /** Aborted when the client goes before it has its answer. */
  readonly signal: AbortSignal;
  readonly scope: TenantScope;
  readonly loaders: Loaders;
  /** Of this answer, or of this event's. */
  readonly freshness: Freshness;
  /**
   * For a subscription, before each event: the rights of now (at most a second old) and loaders that remember nothing,
   * so that no event is answered from what was allowed or true at an earlier one.
   */
  renew(): Promise<TenantScope>;
}
