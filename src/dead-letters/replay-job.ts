import { type AcceptedCounts } from '../gateway/accepted-counts';
import { type DecoderRegistry } from '../gateway/decoders';
import { NotAcceptedError, type Packer } from '../gateway/packer';
import { inParallel } from '../store/in-parallel';
import { type JobHandler, type RowResult } from '../store/jobs/handler';
import { type DeadLettersDocument, type LetterReplay, parseLetterId } from '../store/dead-letters/documents';
import { allowed } from '../store/dead-letters/reader';
import { type JudgedDevice, type ReplayStore } from '../store/dead-letters/replayed';
import { type DeadLettersMetrics } from './metrics';
import { judge, type Judged, send } from './replay';

const NOTES_AT_ONCE = 8;
/** Looked up at once for one letter of a field gateway that names children. */
const MAXIMUM_CHILDREN = 1_000;

/**
 * The job that judges dead letters again; its rows are their ids. The readings are sent first and noted on the letters
 * behind that: a worker that dies between the two leaves letters that are sent once more, which their identities make
 * harmless.
 */
export function createReplayHandler(options: {
  store: ReplayStore;
  decoders: DecoderRegistry;
  packer: Pick<Packer, 'submit'>;
  /** Told of what was sent. */
  counts?: AcceptedCounts;
  /** Whether Event Hubs answered last: the partitions of its hub are known then. */
  connected: () => boolean;
  metrics: DeadLettersMetrics;
  now?: () => number;
}): JobHandler {
  const { store, decoders, packer, connected, metrics, now = Date.now } = options;

  return async ({ job, rows, scope }) => {
    const scopeKey = job.buildingId ?? job.tenantId;
    const wanted = rows.map((row) => (typeof row === 'string' ? parseLetterId(row) : undefined));
    const ids = [...new Set(wanted.flatMap((each) => each?.documentId ?? []))];
    const documents = new Map<string, DeadLettersDocument>();
    for (const document of await store.documents(scopeKey, ids)) {
      if (document && allowed(scope, document, 'dead-letter.replay')) documents.set(document.id, document);
    }
    const devices = new Map<string, JudgedDevice | null>();
    const look = async (ids: readonly string[]): Promise<void> => {
      const unknown = [...new Set(ids)].filter((id) => !devices.has(id));
      const found = await store.devices(unknown);
      unknown.forEach((id, index) => devices.set(id, found[index] ?? null));
    };
    await look(
      wanted.flatMap((each) => documents.get(each?.documentId ?? '')?.letters[each!.row]?.deviceId ?? []),
    );
    const judgeKnown = async (document: DeadLettersDocument, row: number): Promise<Judged> => {
      for (;;) {
        const one = judge(document, row, devices, decoders, now());
        const missing = [...one.missing].slice(0, MAXIMUM_CHILDREN);
        if (missing.length === 0) return one;
        await look(missing);
      }
    };

    const judged: Judged[] = [];
    const notes = new Map<string, Map<number, LetterReplay>>();
    const resultFor = async (each: (typeof wanted)[number]): Promise<RowResult> => {
      const document = documents.get(each?.documentId ?? '');
      const letter = document?.letters[each!.row];
      if (letter === undefined) return resultOf(null, 'NOT_FOUND', 'the letter is not there any more');
      const { deviceId } = letter;
      // Done before: by this chunk's last try, or by another job.
      if (letter.replay?.outcome === 'ACCEPTED') return resultOf(deviceId);
      const one = await judgeKnown(document!, each!.row);
      judged.push(one);
      const noted = notes.get(document!.id) ?? new Map<number, LetterReplay>();
      notes.set(document!.id, noted.set(each!.row, one.replay));
      const { outcome, code, message } = one.replay;
      return outcome === 'ACCEPTED'
        ? resultOf(deviceId)
        : resultOf(deviceId, 'INVALID_INPUT', `${code}: ${message}`);
    };
    const results: RowResult[] = [];
    for (const each of wanted) results.push(await resultFor(each));

    if (!connected()) throw away('Event Hubs cannot be reached');
    try {
      await send(packer, judged, options.counts);
    } catch (error) {
      if (!(error instanceof NotAcceptedError)) throw error;
      throw away(error.message);
    }
    await inParallel([...notes], NOTES_AT_ONCE, ([id, replays]) => store.note(scopeKey, id, replays));
    for (const { replay } of judged) metrics.replayed.inc({ outcome: replay.outcome });
    return { ok: true, value: results };
  };
}

/** As a store that is away for a while: the job waits. */
function away(message: string): Error {
  return Object.assign(new Error(message), { code: 503 });
}

function resultOf(deviceId: string | null): RowResult;
function resultOf(deviceId: string | null, code: 'NOT_FOUND' | 'INVALID_INPUT', message: string): RowResult;
function resultOf(deviceId: string | null, code?: 'NOT_FOUND' | 'INVALID_INPUT', message = ''): RowResult {
  const error = code === undefined ? null : { code, message };
  return { serialNumber: null, deviceId, secret: null, error };
}
