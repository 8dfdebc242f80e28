import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createClient } from 'graphql-ws';
import { count, duration } from '../simulator/arguments';
import { ensureFleet } from '../simulator/ensure-fleet';
import {
  CreateAlertRuleDocument,
  OnAlertsDocument,
  type OnAlertsSubscription,
} from '../simulator/generated/graphql';
import { createSendingDevice } from '../simulator/sending-device';
import { openSession, type Session } from '../simulator/session';
import { planSteady } from '../simulator/steady';
import { createAlertEngine } from '../src/aggregate/alerts/alert-engine';
import { type AlertRuleDocument, alertRulesOf } from '../src/store/alert-documents';
import { type Frame } from '../src/stream/frame';
import { type Platform, startPlatform } from '../test/support/platform';
import { type Bench, type BenchContext, type BenchReport, type Figure } from './bench';
import { simulate } from './simulate';

const USER = 'owner@north.example';
const POINTS = 10_000;
const FRAME_ROWS = 300;
const BETWEEN_ALARMS_MS = 250;
const RULE_FOLLOWED_MS = 3_000;
const ARRIVES_WITHIN_MS = 10_000;

export const bench: Bench = {
  name: 'alerts',
  summary: 'what a rule costs a reading, and how long after a reading its subscribers hear of an alert',
  options: [
    '--phase rules|latency|both  which part to run (both)',
    '--connections N             of the load beside the alarms, a hundred readings a request (16; 0: none)',
    '--duration DURATION         how long alarms are sent (60s)',
  ],
  run,
};

async function run({ args, progress }: BenchContext): Promise<BenchReport> {
  const { values } = parseArgs({
    args,
    options: {
      phase: { type: 'string', default: 'both' },
      connections: { type: 'string', default: '16' },
      duration: { type: 'string', default: '60s' },
    },
  });
  const figures: Figure[] = [];
  if (values.phase !== 'latency') {
    for (const [matching, others] of [
      [0, 0],
      [0, 10],
      [1, 0],
      [10, 0],
    ] as const) {
      figures.push({
        name: `ns a reading, ${matching} rules that look at it, ${others} that do not`,
        value: Math.round(nanosecondsAReading(matching, others) * 10) / 10,
        unit: 'ns',
      });
      progress(`${matching} rules measured`);
    }
  }
  if (values.phase !== 'rules') {
    const platform = await startPlatform();
    try {
      const session = await openSession({ endpointsFile: platform.endpointsFile, user: USER });
      try {
        figures.push(
          ...(await latency(platform, session, {
            connections: count(values.connections, 'connections', 1_000),
            length: values.duration,
            progress,
          })),
        );
      } finally {
        await session.close();
      }
    } finally {
      await platform.stop();
    }
  }
  return {
    figures,
    notes: [
      'a reading that no rule looks at is one look-up in an array of its frame’s points; the rules are of a bound that is crossed by no reading',
      'latency is from the instant a reading was observed to the alert in the hands of a GraphQL subscriber, over a WebSocket',
    ],
  };
}

/** CPU of the alerts' engine alone, over frames of readings in their order. */
function nanosecondsAReading(matching: number, others: number): number {
  const engine = createAlertEngine({
    learns: false,
    placeValue: () => undefined,
    expected: () => undefined,
    inventoryOf: () => undefined,
    owns: () => true,
    notJudged: () => undefined,
    emit: () => {
      throw new Error('no reading crosses the bound');
    },
  });
  for (let i = 0; i < matching; i++) engine.setRule(ruleOf(`alr_${i}`, 'AIR_TEMPERATURE'));
  for (let i = 0; i < others; i++) engine.setRule(ruleOf(`alr_other_${i}`, 'CO2_LEVEL'));
  const frames = framesOf();
  let sequence = 0;
  let at = Date.now();
  const minute = (): number => {
    let readings = 0;
    for (const frame of frames) {
      for (let row = 0; row < frame.count; row++) frame.observedAt[row] = at - 40;
      engine.apply(frame, sequence++, at);
      readings += frame.count;
    }
    at += 60_000;
    return readings;
  };
  for (let i = 0; i < 40; i++) minute();
  // Stamping is the bench's own and is taken off.
  const stamping = process.cpuUsage();
  for (let i = 0; i < 100; i++) {
    for (const frame of frames) for (let row = 0; row < frame.count; row++) frame.observedAt[row] = at - 40;
  }
  const stamped = process.cpuUsage(stamping);
  const began = process.cpuUsage();
  let readings = 0;
  for (let i = 0; i < 100; i++) readings += minute();
  const used = process.cpuUsage(began);
  return ((used.user + used.system - stamped.user - stamped.system) / readings) * 1_000;
}

function ruleOf(id: string, quantity: AlertRuleDocument['quantity']): AlertRuleDocument {
  return {
    id,
    key: alertRulesOf('ten_a'),
    kind: 'alertRule',
    tenantId: 'ten_a',
    name: id,
    severity: 'MAJOR',
    quantity,
    scope: { buildingId: null, spaceId: null, deviceId: null },
    condition: { kind: 'READING', comparison: 'ABOVE', low: null, high: 80, hysteresis: 1, forMs: 0 },
    enabled: true,
    revision: 1,
    createdAt: 0,
    changedAt: 0,
    endedAt: null,
    sortKey: id,
  };
}

/** One reading of each point; a hundred points a building. */
function framesOf(): Frame[] {
  return Array.from({ length: Math.ceil(POINTS / FRAME_ROWS) }, (_, index) => {
    const ordinals = Array.from(
      { length: Math.min(FRAME_ROWS, POINTS - index * FRAME_ROWS) },
      (_each, row) => index * FRAME_ROWS + row,
    );
    const buildings = [...new Set(ordinals.map((ordinal) => Math.floor(ordinal / 100)))];
    return {
      buildings: buildings.map((building) => ({ tenantId: 'ten_a', buildingId: `bld_${building}` })),
      points: ordinals.map((ordinal) => ({
        building: buildings.indexOf(Math.floor(ordinal / 100)),
        spaceId: `spc_${Math.floor(ordinal / 20)}`,
        pointId: `pnt_${ordinal}`,
        pointOrdinal: ordinal % 100,
        deviceId: `dev_${ordinal}`,
        deviceOrdinal: ordinal % 100,
        quantity: 1,
      })),
      count: ordinals.length,
      point: ordinals.map((_ordinal, row) => row),
      observedAt: ordinals.map(() => 0),
      receivedAt: ordinals.map(() => 0),
      value: ordinals.map((ordinal) => 20 + (ordinal % 10) / 10),
      undated: [],
      originals: [],
      refused: [],
    };
  });
}

/** One device that overheats and cools down again and again, beside a load of others. */
async function latency(
  platform: Platform,
  session: Session,
  options: { connections: number; length: string; progress: (line: string) => void },
): Promise<Figure[]> {
  const { connections, length, progress } = options;
  const { gateway, subscriptions } = platform.endpoints();
  const plans = planSteady({ name: 'Alarm', buildings: 1, devices: 1, models: ['thermometer'] });
  const [building] = await ensureFleet(session, plans);
  const { buildingId } = building!;
  const made = await session.client.execute(CreateAlertRuleDocument, {
    input: {
      tenantId: session.tenantId,
      name: 'This unit is overheating',
      severity: 'CRITICAL',
      quantity: 'AIR_TEMPERATURE',
      condition: { reading: { comparison: 'ABOVE', high: 60, hysteresis: 5, forSeconds: 0 } },
      scope: { buildingId },
      idempotencyKey: randomUUID(),
    },
  } as never);
  const { createAlertRule } = made as { createAlertRule: { __typename: string } };
  if (createAlertRule.__typename !== 'CreateAlertRuleSuccess') {
    throw new Error(`no rule was made: ${JSON.stringify(createAlertRule)}`);
  }
  /** By the instant observed. */
  const heardAt = new Map<number, number>();
  const client = createClient({
    url: subscriptions,
    connectionParams: async () => ({ authorization: `Bearer ${await session.client.token()}` }),
  });
  client.subscribe<OnAlertsSubscription>(
    { query: OnAlertsDocument.toString(), variables: { buildings: [buildingId] } },
    {
      next({ data }) {
        const event = data?.alerts;
        if (event?.__typename !== 'AlertChanged' || !('alert' in event)) return;
        const { clearedAt, onset } = event.alert as { clearedAt: string | null; onset: string };
        const at = Date.parse(clearedAt ?? onset);
        if (!heardAt.has(at)) heardAt.set(at, Date.now());
      },
      error: (error) => progress(`the subscription ended: ${JSON.stringify(error)}`),
      complete: () => undefined,
    },
  );
  await delay(RULE_FOLLOWED_MS);
  const load =
    connections === 0
      ? undefined
      : simulate(
          [
            ...['burst', '--attach', platform.endpointsFile, '--batch', '100', '--duration', length],
            ...['--devices', '512', '--buildings', '16', '--connections', String(connections)],
          ],
          progress,
        );
  const device = createSendingDevice(building!.devices[0]!.connectionString);
  const sent: number[] = [];
  const ends = Date.now() + duration(length, 'duration');
  let hot = true;
  while (Date.now() < ends) {
    const observedAt = Date.now();
    const answer = await fetch(`${gateway}${device.path}`, {
      method: 'POST',
      headers: { authorization: device.authorization(observedAt), 'content-type': 'application/json' },
      body: JSON.stringify({ observedAt: new Date(observedAt), temperature: hot ? 75 : 20 }),
    });
    if (answer.ok) {
      sent.push(observedAt);
      hot = !hot;
    }
    await delay(BETWEEN_ALARMS_MS);
  }
  const summary = await load?.done;
  await delay(ARRIVES_WITHIN_MS / 2);
  await client.dispose();
  const times = sent.flatMap((at) => (heardAt.has(at) ? [heardAt.get(at)! - at] : [])).sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return [
    {
      name: 'readings a second beside the alarms',
      value: summary ? Math.round(summary.acknowledged / summary.seconds) : 0,
      unit: '/s',
    },
    { name: 'alerts raised and cleared', value: times.length, unit: '' },
    { name: 'of those sent never heard', value: sent.length - times.length, unit: '', target: { atMost: 0 } },
    { name: 'observed to subscriber, p50', value: at(0.5), unit: 'ms' },
    { name: 'observed to subscriber, p99', value: at(0.99), unit: 'ms', target: { atMost: 2_000 } },
  ];
}
