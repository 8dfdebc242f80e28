import { randomUUID } from 'node:crypto';
import { chunkOf, firstRowOf, rowsAChunk } from '../../domain/job';
import { type Cosmos } from '../cosmos';
import { type Keyring } from '../keyring';
import { type Page } from '../registry';
import { positionAfter, sortKeyAfter } from '../registry/position';
import { retrying } from '../store-error';
import { type JobDocument, jobKey, type JobRowsDocument, rowName, rowsId } from './documents';
import { type IndexedRow, type Jobs, type Revealed } from './jobs';

/** Chunks that one page looks into at most, where most of them hold nothing that is asked for. */
const CHUNKS_A_PAGE = 20;

export function createJobRows({
  cosmos,
  keyring,
  byId,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  byId: Jobs['byId'];
}): Pick<Jobs, 'rows' | 'reveal'> {
  /**
   * Takes the secrets of one chunk out of it, under its etag: of two readers that race, one has taken each and so shows
   * it. A secret is opened only by who has taken it.
   */
  async function take(job: JobDocument, chunk: number, indexes: readonly number[]): Promise<Revealed[]> {
    const reader = randomUUID();
    const texts = new Map<number, string>();
    return retrying(async () => {
      for (;;) {
        const document = await cosmos.read<JobRowsDocument>('directory', job.key, rowsId(chunk));
        if (!document) return indexes.map(() => ({ shown: false, alreadyShown: false }));
        const rows = [...document.rows];
        for (const index of indexes) {
          const row = rows[index - firstRowOf(job.kind, chunk)];
          if (!row?.secret?.sealed) continue;
          texts.set(index, keyring.open(rowName(job.jobId, index), row.secret.sealed).toString());
          rows[index - firstRowOf(job.kind, chunk)] = {
            ...row,
            secret: { what: row.secret.what, sealed: null, shownBy: reader },
          };
        }
        const changed = rows.some((row, i) => row !== document.rows[i]);
        const outcome = changed
          ? await cosmos.batch('directory', job.key, [
              { replace: { ...document, rows } as JobRowsDocument, etag: document._etag! },
            ])
          : { ok: true };
        // Changed by another reader meanwhile: look again at what is left.
        if (!outcome.ok) continue;
        return indexes.map((index): Revealed => {
          const secret = rows[index - firstRowOf(job.kind, chunk)]?.secret;
          if (!secret) return { shown: false, alreadyShown: false };
          return secret.shownBy === reader
            ? { shown: true, text: texts.get(index)! }
            : { shown: false, alreadyShown: true };
        });
      }
    });
  }

  return {
    async rows(scope, jobId, { first, after, failedOnly = false }) {
      const job = await byId(scope, jobId);
      if (!job) return { items: [], positions: [], next: null };
      const start = after === null ? 0 : Number(sortKeyAfter(after));
      const last = chunkOf(job.kind, job.done - 1);
      const chunks = (
        failedOnly ? job.failedChunks : Array.from({ length: last + 1 }, (_, chunk) => chunk)
      ).filter((chunk) => chunk >= chunkOf(job.kind, start));
      const enough = failedOnly ? CHUNKS_A_PAGE : Math.ceil(first / rowsAChunk(job.kind)) + 1;
      const asked = chunks.slice(0, enough);
      const documents = await cosmos.readMany<JobRowsDocument>(
        'directory',
        asked.map((chunk) => ({ partition: jobKey(jobId), id: rowsId(chunk) })),
      );
      const found: IndexedRow[] = documents.flatMap((document, i) =>
        (document?.rows ?? [])
          .map((row, j): IndexedRow => ({ ...row, index: firstRowOf(job.kind, asked[i]!) + j }))
          .filter(({ index, error }) => index >= start && (!failedOnly || error !== null)),
      );
      return page(
        found,
        first,
        asked.length < chunks.length ? firstRowOf(job.kind, chunks[asked.length]!) : null,
      );
    },

    async reveal(scope, jobId, indexes) {
      const job = await byId(scope, jobId);
      const answers: Revealed[] = indexes.map(() => ({ shown: false, alreadyShown: false }));
      // A secret is for who asked for it to be made, whatever others may see of the job.
      if (!job || job.principal.id !== scope.principal.id) return answers;
      const byChunk = new Map<number, number[]>();
      indexes.forEach((index, i) => {
        const chunk = chunkOf(job.kind, index);
        byChunk.set(chunk, [...(byChunk.get(chunk) ?? []), i]);
      });
      await Promise.all(
        [...byChunk].map(async ([chunk, positions]) => {
          const taken = await take(
            job,
            chunk,
            positions.map((i) => indexes[i]!),
          );
          positions.forEach((i, j) => (answers[i] = taken[j]!));
        }),
      );
      return answers;
    },
  };
}

/** @param more the first row that was not looked at, null where all were. */
function page(found: readonly IndexedRow[], first: number, more: number | null): Page<IndexedRow> {
  const items = found.slice(0, first);
  // A position is the index of the row that the following page begins with.
  const positions = items.map(({ index }) => positionAfter(String(index + 1)));
  if (found.length > first) return { items, positions, next: positions.at(-1)! };
  return { items, positions, next: more === null ? null : positionAfter(String(more)) };
}
