import { parseArgs } from 'node:util';
import { explain } from '../src/observability/logger';
import { endpointsFileOf } from './command';
import { ensureFleet } from './ensure-fleet';
import { type PlannedBuilding, type PlannedDevice } from './fleet';
import { runLoad } from './load';
import { createSender } from './sender';
import { registerOwnDocuments } from './own-documents';
import { openSession } from './session';
import { createSteady } from './steady';
import { createTotals } from './totals';

/** What `npm start` shows: two tenants' buildings whose devices send every few seconds for as long as it runs. */
interface DemoTenant {
  user: string;
  tenantId: string;
  buildings: { name: string; timeZone: string; rooms: string[]; sensors: number }[];
}

const DEMO: readonly DemoTenant[] = [
  {
    user: 'owner@north.example',
    tenantId: 'ten_north',
    buildings: [
      {
        name: 'Building 25',
        timeZone: 'America/Los_Angeles',
        rooms: [
          'Lobby',
          'Open office east',
          'Open office west',
          'Meeting room 1',
          'Meeting room 2',
          'Kitchen',
        ],
        sensors: 24,
      },
      {
        name: 'Quay House',
        timeZone: 'Europe/Berlin',
        rooms: ['Reception', 'Studio', 'Workshop', 'Archive'],
        sensors: 16,
      },
    ],
  },
  {
    user: 'owner@south.example',
    tenantId: 'ten_south',
    buildings: [
      {
        name: 'South Gate 1',
        timeZone: 'Europe/Madrid',
        rooms: ['Hall', 'Office 1', 'Office 2', 'Office 3', 'Canteen'],
        sensors: 20,
      },
    ],
  },
];

const MODELS = ['room-sensor', 'climate-sensor', 'thermometer', 'room-sensor'];
const INTERVAL_MS = 4_000;
const CONNECTIONS = 8;

function planOf(building: DemoTenant['buildings'][number]): PlannedBuilding {
  const devices = Array.from({ length: building.sensors }, (_, i): PlannedDevice => {
    const model = MODELS[i % MODELS.length]!;
    const room = building.rooms[i % building.rooms.length]!;
    return { name: `${model} ${i + 1}, ${room}`, model, room };
  });
  return { name: building.name, timeZone: building.timeZone, rooms: building.rooms, devices };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { endpoints: { type: 'string' } } });
  const endpointsFile = endpointsFileOf(values.endpoints);
  const interruption = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
    process.on(signal, () => interruption.abort());
  }
  await Promise.all(
    DEMO.map(async ({ user, tenantId, buildings }, index) => {
      const session = await openSession({ endpointsFile, user, tenantId });
      await registerOwnDocuments(session);
      const fleet = await ensureFleet(session, buildings.map(planOf));
      await session.close();
      const sender = createSender({
        origin: session.endpoints.gateway,
        totals: createTotals(),
        connections: CONNECTIONS,
      });
      const source = createSteady({
        buildings: fleet,
        intervalMs: INTERVAL_MS,
        durationMs: Infinity,
        seed: index + 1,
      });
      await runLoad({ sources: [source], sender, graceMs: 1_000, signal: interruption.signal });
      await sender.stop();
    }),
  );
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    // The supervisor starts the demo again, and everything done so far is found as it stands.
    process.stderr.write(`the demo stopped: ${explain(error)}\n`);
    process.exit(1);
  },
);
