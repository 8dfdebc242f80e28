import { jobIdOfExport } from '../../domain/export';
import { type Cosmos } from '../../store/cosmos';
import { exportOf } from '../../store/exports/documents';
import { type PartFiles } from '../../store/exports/part-files';
import { type JobDocument, jobKey } from '../../store/jobs/documents';
import { isFinished } from '../../domain/job';

/**
 * Removes the files of exports that nobody can download any more: that expired, failed or were cancelled, and whose job is
 * gone. A job is there before its first file and names them all, so that what has none is nobody's.
 * @returns how many files were removed.
 */
export async function removeExpired({
  cosmos,
  parts,
  keepMs,
  now = Date.now,
}: {
  cosmos: Pick<Cosmos, 'read'>;
  parts: Pick<PartFiles, 'ensure' | 'places' | 'remove'>;
  keepMs: number;
  now?: () => number;
}): Promise<number> {
  let removed = 0;
  await parts.ensure();
  for await (const place of parts.places()) {
    const jobId = jobIdOfExport(place.exportId);
    // Not one of ours: left to whoever put it there.
    if (jobId === undefined) continue;
    const job = await cosmos.read<JobDocument>('directory', jobKey(jobId), 'job');
    const expiresAt = job && exportOf(job, keepMs)?.expiresAt;
    const kept = job !== null && (!isFinished(job.state) || (expiresAt ?? 0) > now());
    if (!kept) removed += await parts.remove(place);
  }
  return removed;
}
