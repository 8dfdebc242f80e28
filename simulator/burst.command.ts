import { count, duration } from './arguments';
import { createBurst } from './burst';
import { COMMON_HELP, COMMON_OPTIONS, parsed, runOptionsOf, sessionOf } from './command';
import { ensureFleet } from './ensure-fleet';
import { type Source } from './load';
import { runFromCommandLine } from './run';
import { planSteady } from './steady';

const USAGE = `Usage: npm run simulate -- burst [options]

Room sensors that bring many readings a message, each message sent as soon as an earlier one is answered for: as much as
the platform takes over that many connections.

  --devices N          how many room sensors (512)
  --buildings N        in how many buildings (16)
  --name NAME          how the buildings are called (Burst)
  --batch N            readings a message (100)
  --duration DURATION  how long to send (30s)
${COMMON_HELP}`;

const DEFAULT_CONNECTIONS = '32';

export async function burstCommand(args: string[]): Promise<number> {
  const values = parsed(args, {
    ...COMMON_OPTIONS,
    connections: { type: 'string', default: DEFAULT_CONNECTIONS },
    devices: { type: 'string', default: '512' },
    buildings: { type: 'string', default: '16' },
    name: { type: 'string', default: 'Burst' },
    batch: { type: 'string', default: '100' },
    duration: { type: 'string', default: '30s' },
  });
  if (values.help) {
    process.stdout.write(
      USAGE.replace(
        'most requests under way at once (1024)',
        `requests under way at once (${DEFAULT_CONNECTIONS})`,
      ),
    );
    return 0;
  }
  const devices = count(values.devices, 'devices', 100_000);
  const batch = count(values.batch, 'batch', 5_000);
  const durationMs = duration(values.duration, 'duration');
  const plans = planSteady({
    name: values.name,
    buildings: count(values.buildings, 'buildings', devices),
    devices,
    models: ['room-sensor'],
  });
  const session = await sessionOf(values);
  try {
    const fleet = await ensureFleet(session, plans);
    const options = runOptionsOf(values, session);
    const burst = createBurst({ devices: interleaved(fleet.map((building) => building.devices)), batch });
    const source = closedLoop(burst, options.connections, Date.now() + durationMs);
    return await runFromCommandLine([source], { ...options, onAcknowledged: source.onAnswered });
  } finally {
    await session.close();
  }
}

/** One message under way a connection: the next is made when one is acknowledged. */
function closedLoop(
  burst: ReturnType<typeof createBurst>,
  connections: number,
  end: number,
): Source & { onAnswered: () => void } {
  let submitNow: Parameters<Source['advance']>[1] | undefined;
  const next = (): void => {
    const now = Date.now();
    if (now < end) submitNow!(burst.next(now));
  };
  return {
    total: null,
    onAnswered: next,
    advance(now, submit) {
      if (submitNow === undefined) {
        submitNow = submit;
        for (let i = 0; i < connections; i++) next();
      }
      return now >= end;
    },
  };
}

/** Buildings in turn, so that the partitions of the stream are filled alike at every moment. */
function interleaved<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}
