import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { count } from '../../simulator/arguments';
import { createRandom } from '../../simulator/random';
import { openSession, type Session } from '../../simulator/session';
import { attachPlatform, type Platform, startPlatform } from '../support/platform';
import { collectLanding, type CollectedLanding } from './collected-landing';
import { createLives, type Expected, type House, type Life } from './device-lives';
import { type Outcome, type Verification, type VerificationContext } from './verification';

const LANDED_WITHIN_MS = 120_000;
const LIVES_AT_ONCE = 20;
/** Between two changes of a device: some come before a move has begun to hold, most after. */
const SHORTLY_MS = 60;
const LONGER_MS = 3_200;
const SHORTLY_SHARE = 0.2;
const TIME_ZONE = 'Europe/Berlin';

export const verification: Verification = {
  name: 'attribution',
  summary:
    'moves, replaces and transfers devices again and again, sends what they observed in between only afterwards, and finds each reading with its rightful point and tenant',
  options: [
    '--devices N     how many devices begin (40)',
    '--changes N     how often each is moved, replaced or transferred (6)',
    '--seed N        of the random lives (a new one each time)',
    '--attach FILE   endpoints.json of a running platform instead of one of its own',
  ],
  run,
};

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: 'string', default: '40' },
      changes: { type: 'string', default: '6' },
      seed: { type: 'string' },
      attach: { type: 'string' },
    },
  });
  const shape = {
    devices: count(values.devices, 'devices', 10_000),
    changes: count(values.changes, 'changes', 1_000),
    seed: values.seed === undefined ? Date.now() % 1_000_000 : count(values.seed, 'seed'),
  };
  progress(`seed ${shape.seed}`);
  const platform =
    values.attach === undefined
      ? await startPlatform({ env: { INGEST_FLUSH_SECONDS: '5' } })
      : attachPlatform(values.attach);
  try {
    return await prove(platform, shape, progress);
  } finally {
    await platform.stop();
  }
}

async function prove(
  platform: Platform,
  shape: { devices: number; changes: number; seed: number },
  progress: (line: string) => void,
): Promise<Outcome> {
  const { endpointsFile } = platform;
  const north = await openSession({ endpointsFile, user: 'owner@north.example' });
  const south = await openSession({ endpointsFile, user: 'owner@south.example' });
  try {
    const houses = [
      await build(north, 'Attribution North 1'),
      await build(north, 'Attribution North 2'),
      await build(south, 'Attribution South'),
    ];
    const random = createRandom(shape.seed);
    const lives = createLives({ houses, random });
    const pause = (): Promise<void> => delay(random.next() < SHORTLY_SHARE ? SHORTLY_MS : LONGER_MS);
    const started = await lives.begin(shape.devices);
    progress(`${started.length} devices provisioned`);
    let done = 0;
    const live = async (life: Life): Promise<void> => {
      for (let change = 0; change < shape.changes; change++) {
        await pause();
        await lives.change(life);
      }
      await pause();
      await lives.tellTheRest(life);
      if (++done % 10 === 0) progress(`${done} of ${started.length} lives lived`);
    };
    const waiting = [...started];
    await Promise.all(
      Array.from({ length: LIVES_AT_ONCE }, async () => {
        for (let life = waiting.shift(); life !== undefined; life = waiting.shift()) await live(life);
      }),
    );

    const landing = await collectLanding(platform.endpoints(), { withinMs: LANDED_WITHIN_MS });
    try {
      const differences = await differencesIn(landing, lives.expected(), lives.refused());
      const { moved, movedAway, replaced, transferred } = lives.changes();
      return {
        counts: {
          'devices in all': lives.devices(),
          'moves within a building': moved,
          'moves to another building': movedAway,
          replacements: replaced,
          transfers: transferred,
          'readings acknowledged': lives.expected().length,
          'of them sent after a later change': lives.expected().filter(({ late }) => late).length,
          'readings refused for having had no place': lives.refused().length,
        },
        differences: [...lives.differences(), ...differences],
      };
    } finally {
      landing.close();
    }
  } finally {
    await Promise.all([north.close(), south.close()]);
  }
}

async function build(session: Session, name: string): Promise<House> {
  const rooms = ['East', 'West', 'Loft'];
  const { id, spaces } = await session.api.createBuilding(
    {
      tenantId: session.tenantId,
      name: `${name} ${randomUUID().slice(0, 8)}`,
      timeZone: TIME_ZONE,
      spaces: rooms.map((room) => ({ name: room, kind: 'ROOM' as const, parent: null })),
    },
    randomUUID(),
  );
  return { session, tenantId: session.tenantId, buildingId: id, spaces: Object.values(spaces) };
}

/** Each acknowledged reading stands once, where it belongs; nothing else of these devices stands anywhere. */
async function differencesIn(
  { connection }: CollectedLanding,
  expected: readonly Expected[],
  refused: readonly { deviceId: string }[],
): Promise<string[]> {
  const rows = await connection.runAndReadAll(
    `SELECT DISTINCT device_id, quantity, epoch_ms(observed_at) AS at, value, tenant_id, building_id, space_id, point_id
     FROM landing`,
  );
  const found = new Map<string, string[]>();
  for (const [device, quantity, at, value, tenant, building, space, point] of rows.getRows()) {
    const key = `${String(device)} ${String(quantity)} ${String(at)}`;
    const place = [tenant, building, space, point, value].map(String).join(' ');
    found.set(key, [...(found.get(key) ?? []), place]);
  }
  const differences: string[] = [];
  const mine = new Set([...expected, ...refused].map(({ deviceId }) => deviceId));
  for (const each of expected) {
    const key = `${each.deviceId} ${each.quantity} ${each.observedAt}`;
    const places = found.get(key) ?? [];
    found.delete(key);
    const place = [each.tenantId, each.buildingId, each.spaceId, each.pointId, each.value].join(' ');
    if (places.length !== 1 || places[0] !== place) {
      differences.push(
        `${key} belongs to ${place} and stands at ${places.join(' and ') || 'no place'} (${each.story})`,
      );
    }
  }
  for (const [key, places] of found) {
    const device = key.slice(0, key.indexOf(' '));
    if (mine.has(device)) differences.push(`${key} stands at ${places.join(' and ')} and was never taken`);
  }
  return differences;
}
