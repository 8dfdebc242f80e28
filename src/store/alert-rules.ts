import { explain, type Logger } from '../observability/logger';
import {
  ALERT_RULE_TENANTS,
  type AlertRuleDocument,
  alertRulesOf,
  type AlertRuleTenantDocument,
} from './alert-documents';
import { createChangeFollower } from './change-follower';
import { type Cosmos } from './cosmos';
import { type BuildingEntryDocument } from './documents';
import { GATEWAY_HEARTBEATS, type HeartbeatDocument } from './gateway-heartbeats';

/** Every rule of every tenant, kept current by the directory's change feed; and the last that was heard of any gateway. */
export interface AlertRules {
  /** Resolves once all rules are read, or the store was found away: then they are read as soon as it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Whether the rules are known. */
  known(): boolean;
  /** Ended and disabled ones too: what they raised has to be cleared. */
  all(): Iterable<AlertRuleDocument>;
  /** Tells of each rule that is new or changed. Returns what ends it. */
  onRule(listener: (rule: AlertRuleDocument) => void): () => void;
  /** The tenant's buildings, by id. */
  buildingsOf(tenantId: string): Promise<string[]>;
  /** When (ms, our clock) a gateway was heard last; the start where none was. */
  gatewayHeardAt(): number;
}

const ASK_AGAIN_MS = 1_000;
const MAXIMUM_RULES = 100_000;

export function createAlertRules(options: {
  cosmos: Cosmos;
  logger: Logger;
  now?: () => number;
}): AlertRules {
  const { cosmos, logger, now = Date.now } = options;
  const rules = new Map<string, AlertRuleDocument>();
  const listeners = new Set<(rule: AlertRuleDocument) => void>();
  let heardAt = now();
  let known = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;

  const follower = createChangeFollower({
    cosmos,
    container: 'directory',
    // Rules from before are read one tenant after another; nothing changes unseen meanwhile.
    from: 'now',
    onChanges(documents) {
      for (const each of documents as { kind?: string; key?: string }[]) {
        if (each.kind === 'alertRule') take(each as AlertRuleDocument);
        else if (each.key === GATEWAY_HEARTBEATS && (each as HeartbeatDocument).connected) heardAt = now();
      }
    },
    logger,
  });

  function take(rule: AlertRuleDocument): void {
    const before = rules.get(rule.id);
    // What was read may be older than what the feed has brought.
    if (before !== undefined && isOlder(rule, before)) return;
    if (before === undefined && rules.size >= MAXIMUM_RULES) {
      logger.error(
        { rules: rules.size },
        'there are more alert rules than a worker follows: one is left out',
      );
      return;
    }
    rules.set(rule.id, rule);
    if (before?._etag !== undefined && before._etag === rule._etag) return;
    for (const listener of listeners) listener(rule);
  }

  async function read(): Promise<void> {
    if (!Number.isFinite(follower.behindMs())) throw new Error('changes cannot be followed yet');
    const tenants = await cosmos.query<AlertRuleTenantDocument>(
      'directory',
      ALERT_RULE_TENANTS,
      'SELECT * FROM c',
    );
    for (const { tenantId } of tenants) {
      const found = await cosmos.query<AlertRuleDocument>(
        'directory',
        alertRulesOf(tenantId),
        'SELECT * FROM c',
      );
      for (const each of found) if (each.kind === 'alertRule') take(each);
    }
    known = true;
  }

  async function readUntilKnown(): Promise<void> {
    try {
      await read();
    } catch (error) {
      logger.warn({ error: explain(error) }, 'the alert rules cannot be read');
      if (!stopped) retry = setTimeout(() => void readUntilKnown(), ASK_AGAIN_MS);
    }
  }

  return {
    async start() {
      await follower.start();
      await readUntilKnown();
    },
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await follower.stop();
    },
    known: () => known,
    all: () => rules.values(),
    onRule(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async buildingsOf(tenantId) {
      const entries = await cosmos.query<Pick<BuildingEntryDocument, 'id' | 'kind'>>(
        'directory',
        `tenant:${tenantId}`,
        'SELECT c.id, c.kind FROM c',
      );
      return entries.filter(({ kind }) => kind === 'building').map(({ id }) => id);
    },
    gatewayHeardAt: () => heardAt,
  };
}

function isOlder(rule: AlertRuleDocument, than: AlertRuleDocument): boolean {
  if (rule.revision !== than.revision) return rule.revision < than.revision;
  return rule.changedAt < than.changedAt;
}
