import { type TenantScope } from '../../src/auth/scope';
import { createMetrics } from '../../src/observability/metrics';
import { type Cosmos } from '../../src/store/cosmos';
import { createWebhooks, type NewWebhook, type Webhooks } from '../../src/store/webhooks/webhooks';
import { createWebhookDelivery, type WebhookDelivery } from '../../src/webhooks';
import { createRaiser } from '../alerts/alerts.support';
import {
  createBuilding,
  freshKey,
  logger,
  startStore,
  type Store,
  tapped,
  valueOf,
} from '../store/store.support';
import { eventually } from '../support/eventually';
import { startReceiver } from './receiver';

const NORTH = 'ten_north';

describe('webhooks', () => {
  let store: Store;
  let webhooks: Webhooks;
  let owner: TenantScope;
  let buildingId: string;
  let raiser: ReturnType<typeof createRaiser>;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  const workers: WebhookDelivery[] = [];
  let looked = 0;

  const startWorker = (cosmos: Cosmos = store.cosmos): WebhookDelivery => {
    const worker = createWebhookDelivery({
      cosmos,
      keyring: store.keyring,
      registry: store.registry,
      worker: `worker ${workers.length}`,
      keepSeconds: 3_600,
      allowPrivate: true,
      resolve: async () => {
        looked++;
        return [{ address: '127.0.0.1', family: 4 }];
      },
      timeoutMs: 700,
      schedule: { delays: [50, 50, 50], jitter: 0.2 },
      limits: { pollMs: 30, leaseMs: 1_500 },
      metrics: createMetrics({ process: 'jobs' }),
      logger,
    });
    workers.push(worker);
    worker.start();
    return worker;
  };
  const make = async (change: Partial<NewWebhook> = {}) => {
    const wanted: NewWebhook = {
      tenantId: NORTH,
      name: 'Desk',
      url: receiver.url,
      minimumSeverity: 'WARNING',
      buildingIds: [buildingId],
      ...change,
    };
    const made = valueOf(await webhooks.createWebhook(owner, wanted, freshKey()));
    receiver.useSecret(made.secret!);
    return made.webhook;
  };
  const deliveries = async (webhook: { id: string }) =>
    (await webhooks.webhookDeliveries(webhook, { first: 50, after: null })).items;
  const raise = () => raiser.raise({ tenantId: NORTH, buildingId });
  const settled = (webhook: { id: string }, state: string) =>
    eventually(async () => expect((await deliveries(webhook)).map((each) => each.state)).toEqual([state]));

  beforeAll(async () => {
    store = await startStore();
    webhooks = createWebhooks({ ...store, allowPrivate: true });
    owner = await store.member('owner', NORTH, 'OWNER');
    receiver = await startReceiver();
    raiser = createRaiser(store.cosmos);
  });
  beforeEach(async () => {
    ({ buildingId } = await createBuilding(store.registry, owner));
    receiver.received.length = 0;
    receiver.answer.with = (_request, response) => void response.end();
  });
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
  });
  afterAll(async () => {
    await receiver.stop();
    await store.stop();
  });

  it('are told of each event of their buildings once, signed, by however many workers', async () => {
    startWorker();
    startWorker();
    const webhook = await make({ minimumSeverity: 'MAJOR' });
    const raised = await raise();
    await raiser.raise({ tenantId: NORTH, buildingId, severity: 'MINOR' });
    await raiser.raise({
      tenantId: NORTH,
      buildingId: (await createBuilding(store.registry, owner)).buildingId,
    });
    await raiser.clear(raised);
    await eventually(() => expect(receiver.received).toHaveLength(2));
    await eventually(async () =>
      expect((await deliveries(webhook)).map(({ state }) => state)).toEqual(['DELIVERED', 'DELIVERED']),
    );
    expect(receiver.received.map(({ type }) => type).sort()).toEqual(['alert.cleared', 'alert.raised']);
    expect(receiver.received.every(({ verified }) => verified)).toBe(true);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(2);
    const body = JSON.parse(receiver.received.find(({ type }) => type === 'alert.raised')!.body) as object;
    expect(body).toMatchObject({
      data: { alert: { severity: 'MAJOR', value: 31.5, unit: 'Cel', buildingId } },
    });
    const [noted] = await deliveries(webhook);
    expect(noted!.attempts).toMatchObject([{ status: 200, problem: null }]);
  });

  it('are tried again while they fail, then given up, and sent again when asked', async () => {
    startWorker();
    const webhook = await make();
    receiver.answer.with = (_request, response) => void response.writeHead(500).end();
    await raise();
    await settled(webhook, 'DEAD');
    const [dead] = await deliveries(webhook);
    expect(dead!.attempts.map(({ problem }) => problem)).toEqual(Array(4).fill('answered 500'));
    receiver.answer.with = (_request, response) => void response.end();
    valueOf(await webhooks.redeliverWebhook(owner, { webhookId: webhook.id, deliveryId: dead!.id }));
    await settled(webhook, 'DELIVERED');
    expect(new Set(receiver.received.map(({ id }) => id))).toEqual(new Set([dead!.id]));
    const unknown = { webhookId: webhook.id, deliveryId: 'whd_unknown' };
    expect(await webhooks.redeliverWebhook(owner, unknown)).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
  });

  it('are not led elsewhere, not held up, and not made to read without end', async () => {
    startWorker();
    const webhook = await make();
    const problems = async (): Promise<(string | null)[]> =>
      (await deliveries(webhook)).flatMap(({ attempts }) => attempts.map(({ problem }) => problem));
    receiver.answer.with = (_request, response) =>
      void response.writeHead(302, { location: `http://127.0.0.1:${receiver.port}/elsewhere` }).end();
    await raise();
    await eventually(async () =>
      expect(await problems()).toContain('answered 302: redirects are not followed'),
    );
    receiver.answer.with = () => undefined;
    await eventually(async () => expect(await problems()).toContain('no answer within 0.7 s'));
    // An answer that never ends, and is taken for what its status says.
    receiver.answer.with = (_request, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536)));
        response.once('drain', more);
      };
      more();
    };
    const other = await make();
    await raise();
    await settled(other, 'DELIVERED');
  });

  it('are given up at once by a receiver that is gone', async () => {
    startWorker();
    const webhook = await make();
    receiver.answer.with = (_request, response) => void response.writeHead(410).end();
    await raise();
    await settled(webhook, 'DEAD');
    expect(receiver.received).toHaveLength(1);
  });

  it('are signed with both secrets after a rotation, with one where the other was revoked', async () => {
    startWorker();
    const webhook = await make();
    const input = { webhookId: webhook.id, revokeOther: false };
    const key = freshKey();
    const rotated = valueOf(await webhooks.rotateWebhookSecret(owner, input, key));
    expect(rotated.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(valueOf(await webhooks.rotateWebhookSecret(owner, input, key)).secret).toBeNull();
    // The receiver still has the first.
    await raise();
    await eventually(() => expect(receiver.received).toMatchObject([{ verified: true }]));
    valueOf(await webhooks.rotateWebhookSecret(owner, { ...input, revokeOther: true }, freshKey()));
    await raise();
    await eventually(() => expect(receiver.received).toMatchObject([{}, { verified: false }]));
  });

  it('stop when they are deleted, and when who answers for them has no right any more', async () => {
    startWorker();
    const deleted = await make();
    receiver.answer.with = (_request, response) => void response.writeHead(500).end();
    await raise();
    await eventually(() => expect(receiver.received.length).toBeGreaterThan(0));
    valueOf(await webhooks.deleteWebhook(owner, deleted.id));
    await settled(deleted, 'CANCELLED');

    const leaver = await store.member('leaver', NORTH, 'MANAGER');
    const input = {
      tenantId: NORTH,
      name: 'Of the leaver',
      url: receiver.url,
      minimumSeverity: 'WARNING' as const,
      buildingIds: [buildingId],
    };
    const { webhook } = valueOf(await webhooks.createWebhook(leaver, input, freshKey()));
    await raise();
    await eventually(async () => expect(await deliveries(webhook)).toHaveLength(1));
    await store.member('leaver', NORTH, 'VIEWER');
    await settled(webhook, 'CANCELLED');
    const count = receiver.received.length;
    await raise();
    // Whoever rotates its secret answers for it, and what happens then is told again.
    receiver.answer.with = (_request, response) => void response.end();
    const taken = { webhookId: webhook.id, revokeOther: true };
    expect(valueOf(await webhooks.rotateWebhookSecret(owner, taken, freshKey())).webhook.responsible).toBe(
      owner.principal.id,
    );
    await raise();
    await eventually(async () =>
      expect((await deliveries(webhook)).some(({ state }) => state === 'DELIVERED')).toBe(true),
    );
    expect(receiver.received.length).toBeGreaterThan(count);
  });

  it('are told again, and never not, where a worker dies between sending and noting it', async () => {
    const webhook = await make();
    let dead = false;
    // From the first answer of the receiver on nothing of this worker reaches the store.
    const dying = tapped(store.anotherCosmos(), {
      before: () => {
        if (dead) throw new Error('this worker is dead');
      },
    });
    startWorker(dying);
    receiver.answer.with = (_request, response) => {
      dead = true;
      response.end();
    };
    await raise();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    expect((await deliveries(webhook))[0]!.state).toBe('PENDING');
    startWorker();
    await settled(webhook, 'DELIVERED');
    expect(receiver.received).toHaveLength(2);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
  });

  it('lose nothing that happened while no worker was there', async () => {
    const webhook = await make();
    await raise();
    await raise();
    startWorker();
    await eventually(async () =>
      expect((await deliveries(webhook)).map(({ state }) => state)).toEqual(['DELIVERED', 'DELIVERED']),
    );
    expect(looked).toBeGreaterThan(0);
  });

  it('are managed by owners and managers of the tenant alone, and are unknown to strangers', async () => {
    const webhook = await make();
    const technician = await store.member('technician', NORTH, 'TECHNICIAN');
    const stranger = await store.member('stranger', 'ten_south', 'OWNER');
    const input: NewWebhook = {
      tenantId: NORTH,
      name: 'X',
      url: 'https://example.com/',
      minimumSeverity: 'WARNING',
      buildingIds: null,
    };
    const code = (outcome: { ok: boolean; refusal?: { code: string } }) => outcome.refusal?.code ?? 'none';
    expect(code(await webhooks.createWebhook(technician, input, freshKey()))).toBe('FORBIDDEN');
    expect(code(await webhooks.createWebhook(stranger, input, freshKey()))).toBe('NOT_FOUND');
    expect(code(await webhooks.deleteWebhook(technician, webhook.id))).toBe('NOT_FOUND');
    expect(await webhooks.webhook(stranger, webhook.id)).toBeNull();
    const foreign = { ...input, tenantId: 'ten_south', buildingIds: [buildingId] };
    expect(code(await webhooks.createWebhook(stranger, foreign, freshKey()))).toBe('NOT_FOUND');
    expect(JSON.stringify(await webhooks.webhooks(owner, NORTH, { first: 50, after: null }))).not.toContain(
      'whsec_',
    );
    const log = await store.registry.auditLog(
      owner,
      { tenantId: NORTH },
      { first: 1, after: null, subject: webhook.id },
    );
    expect(log.items).toMatchObject([{ action: 'webhook.create' }]);
  });
});
