import { deviceModelNamed } from '../src/domain/device';
import { OperatorError } from '../src/observability/operator-error';
import { duration, positive } from './arguments';
import { COMMON_HELP, COMMON_OPTIONS, parsed, runOptionsOf, sessionOf } from './command';
import { ensureFleet } from './ensure-fleet';
import { columnMap, readRecording } from './recording';
import { createReplay, planOfRecording, REPLAY_MODEL } from './replay';
import { runFromCommandLine } from './run';

const USAGE = `Usage: npm run simulate -- replay --file FILE --building NAME [options]

Replays a recording of a real building, a row a message, through a room sensor in each of its rooms. The building, its
rooms and its devices are made where they are missing.

  --file FILE          CSV, possibly gzipped, with the columns room, timestamp (RFC 3339) and one a channel:
                       ${channelNames().join(', ')}
  --building NAME      the building to replay into
  --speed N            recorded seconds that pass in one (60)
  --duration DURATION  how long to replay (8m)
  --map COL=CHANNEL,.. what the file's columns stand for, where their names do not say (pir=motion)
  --original-time      keep the recorded instants: such readings reach the cold store only
${COMMON_HELP}`;

function channelNames(): string[] {
  return deviceModelNamed(REPLAY_MODEL)!.channels.map(({ name }) => name);
}

/** Time to get going between the last preparation and the first message. */
const LEAD_MS = 500;

export async function replayCommand(args: string[]): Promise<number> {
  const values = parsed(args, {
    ...COMMON_OPTIONS,
    file: { type: 'string' },
    building: { type: 'string' },
    speed: { type: 'string', default: '60' },
    duration: { type: 'string', default: '8m' },
    map: { type: 'string' },
    'original-time': { type: 'boolean', default: false },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.file === undefined) throw new OperatorError('--file FILE is missing: the recording to replay');
  if (values.building === undefined) {
    throw new OperatorError('--building NAME is missing: the building to replay into');
  }
  const speed = positive(values.speed, 'speed');
  const recording = await readRecording({
    file: values.file,
    map: columnMap(values.map),
    channels: channelNames(),
    span: duration(values.duration, 'duration') * speed,
  });
  const session = await sessionOf(values);
  try {
    const [building] = await ensureFleet(session, [planOfRecording(values.building, recording)]);
    process.stdout.write(
      `replaying ${recording.rows.length} rows of ${recording.rooms.length} rooms into ${values.building} ` +
        `(${building!.buildingId}) at ${speed} times their pace` +
        `${recording.malformed > 0 ? `; ${recording.malformed} rows without a room or an instant are left out` : ''}\n`,
    );
    const source = createReplay({
      recording,
      building: building!,
      start: Date.now() + LEAD_MS,
      speed,
      originalTime: values['original-time'],
    });
    return await runFromCommandLine([source], runOptionsOf(values, session));
  } finally {
    await session.close();
  }
}
