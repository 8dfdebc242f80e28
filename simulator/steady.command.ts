import { OperatorError } from '../src/observability/operator-error';
import { count, duration, positive } from './arguments';
import { COMMON_HELP, COMMON_OPTIONS, parsed, runOptionsOf, sessionOf } from './command';
import { ensureFleet } from './ensure-fleet';
import { runFromCommandLine } from './run';
import { buildingsFor, createSteady, planSteady, readingsARound } from './steady';

const USAGE = `Usage: npm run simulate -- steady [options]

Many devices in many buildings, each sending a reading an interval: staggered, with jitter, the values walking as their
quantities do over a day. What is missing is provisioned first.

  --devices N          how many (1000)
  --buildings N        in how many buildings (one for every 500 devices)
  --name NAME          how the buildings are called (Steady)
  --interval DURATION  how often each device sends (60s)
  --rate R             readings a second of all devices together, instead of --interval
  --duration DURATION  how long to send (2m)
  --seed N             another seed gives other walks and phases (1)
${COMMON_HELP}`;

const MAXIMUM_DEVICES = 1_000_000;

export async function steadyCommand(args: string[]): Promise<number> {
  const values = parsed(args, {
    ...COMMON_OPTIONS,
    devices: { type: 'string', default: '1000' },
    buildings: { type: 'string' },
    name: { type: 'string', default: 'Steady' },
    interval: { type: 'string' },
    rate: { type: 'string' },
    duration: { type: 'string', default: '2m' },
    seed: { type: 'string', default: '1' },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.interval !== undefined && values.rate !== undefined) {
    throw new OperatorError('--interval and --rate say the same thing in two ways: give one of them');
  }
  const devices = count(values.devices, 'devices', MAXIMUM_DEVICES);
  const buildings =
    values.buildings === undefined ? buildingsFor(devices) : count(values.buildings, 'buildings', devices);
  const durationMs = duration(values.duration, 'duration');
  const seed = count(values.seed, 'seed');
  const plans = planSteady({ name: values.name, buildings, devices });
  const intervalMs =
    values.rate === undefined
      ? duration(values.interval ?? '60s', 'interval')
      : (readingsARound(plans) / positive(values.rate, 'rate')) * 1000;

  const session = await sessionOf(values);
  try {
    const began = Date.now();
    let provisioned = 0;
    let said = began;
    const fleet = await ensureFleet(session, plans, (more) => {
      provisioned += more;
      if (Date.now() - said < 2_000) return;
      said = Date.now();
      process.stdout.write(`provisioned ${provisioned} devices\n`);
    });
    process.stdout.write(
      `${devices} devices in ${buildings} buildings, ${provisioned} of them provisioned just now, in ` +
        `${((Date.now() - began) / 1000).toFixed(1)} s; each sends every ${(intervalMs / 1000).toFixed(1)} s\n`,
    );
    const source = createSteady({
      buildings: fleet,
      intervalMs,
      durationMs,
      seed,
    });
    return await runFromCommandLine([source], runOptionsOf(values, session));
  } finally {
    await session.close();
  }
}
