import { randomBytes } from 'node:crypto';
import { type Principal } from '../../auth/principal';
import { allows } from '../../auth/scope';
import { derivedId } from '../../domain/id';
import { type JobKind, MAXIMUM_CHUNKS, MAXIMUM_JOB_ROWS, rowsAChunk } from '../../domain/job';
import { type Cosmos } from '../cosmos';
import { type Keyring } from '../keyring';
import { type Outcome } from '../registry';
import { notFound, refused } from '../registry/access';
import { attemptOf, claim } from '../registry/idempotency';
import { keyProblem } from '../registry/validation';
import { retrying } from '../store-error';
import {
  inputId,
  type JobDocument,
  type JobEntryDocument,
  type JobInputDocument,
  jobKey,
  jobsOfKey,
  jobSortKey,
  PLACES_A_KIND,
  PLACES_A_TENANT,
  UNFINISHED_JOB_SECONDS,
} from './documents';
import { type Jobs } from './jobs';
import { maySee } from './listing';
import { createdJob, type JobQueue } from './queue';

const SEED_BYTES = 32;
/** Of a row as JSON: a chunk then stays far below the 2 MB that a document may have. */
const MAXIMUM_ROW_CHARACTERS = 4_000;
/** As JSON: they stand in the queue, which is read each second. */
const MAXIMUM_PARAMETERS_CHARACTERS = 4_000;

/**
 * Makes jobs. Input and listing entry come first and the place in the queue last: with it the job exists, whole, and
 * where it is broken off before, nothing was promised and what was written expires. A try that is repeated with the same
 * idempotency key derives the same id and finds each step done.
 */
export function createJobCreation({
  cosmos,
  keyring,
  queue,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  queue: JobQueue;
}): Pick<Jobs, 'create'> {
  return {
    async create(scope, newJob, idempotencyKey) {
      const { kind, tenantId, buildingId, parameters, rows: asked, rowsPath = 'rows' } = newJob;
      // A building may be shared with somebody who has nothing else of its tenant.
      const sees =
        allows(scope, 'tenant.read', { tenantId }) ||
        (buildingId !== null && allows(scope, 'building.read', { tenantId, buildingId }));
      if (!sees) return notFound('tenant', tenantId, 'tenantId');
      if (!maySee(scope, newJob)) {
        return refused(
          'FORBIDDEN',
          `your role may not do this here: ${kind.toLowerCase().replace('_', ' ')}`,
        );
      }
      const problem = keyProblem(idempotencyKey);
      if (problem) return { ok: false, refusal: problem };
      if (JSON.stringify(parameters).length > MAXIMUM_PARAMETERS_CHARACTERS) {
        return refused('INVALID_INPUT', 'an id or a text of the input is too long');
      }
      const given = typeof asked === 'function' ? undefined : asked;
      const wrong = given && rowsProblem(kind, given, rowsPath);
      if (wrong) return wrong;

      const variables = { buildingId, parameters, rows: given };
      const attempt = attemptOf(scope, tenantId, kind, idempotencyKey, variables);
      const claimed = await claim(cosmos, attempt);
      if (!claimed)
        return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');
      const createdAt = claimed.claimedAt;
      const jobId = derivedId('job', attempt.hash, String(createdAt));
      const key = jobKey(jobId);
      const existing = await cosmos.read<JobDocument>('directory', key, 'job');
      if (existing) return { ok: true, value: existing };

      const places = await queue.placesOf(tenantId);
      const mine = places.find((each) => each.job.jobId === jobId);
      if (mine) return { ok: true, value: await createdJob(cosmos, mine.job) };
      // Asked before the input is written, too, so that who is refused again and again writes nothing.
      if (places.length >= PLACES_A_TENANT) return noPlace();
      // Beside the tenant's places, which are what holds where many ask at once.
      const most = PLACES_A_KIND[kind];
      if (most !== undefined && places.filter(({ job }) => job.kind === kind).length >= most) {
        return refused(
          'LIMIT_EXCEEDED',
          `the tenant has ${most} jobs of this kind that are not finished: wait until one is, or cancel one`,
        );
      }
      const rows = typeof asked === 'function' ? await asked() : asked;
      const wrongFound = given ? undefined : rowsProblem(kind, rows, rowsPath);
      if (wrongFound) return wrongFound;

      const job: JobDocument = {
        id: 'job',
        key,
        jobId,
        kind,
        tenantId,
        buildingId,
        principal: whose(scope.principal),
        ...(scope.from && { origin: scope.from }),
        state: 'QUEUED',
        total: rows.length,
        done: 0,
        failed: 0,
        failedChunks: [],
        createdAt,
        startedAt: null,
        finishedAt: null,
        parameters,
        seed: keyring.seal(jobId, randomBytes(SEED_BYTES)),
        lease: null,
        attempts: 0,
        notBefore: null,
        waitingSince: createdAt,
        cancelRequested: null,
        error: null,
        ttl: -1,
      };
      await cosmos.bulkUpsert('directory', [
        ...inputsOf(kind, key, rows),
        entryOf(job, UNFINISHED_JOB_SECONDS),
      ]);
      if (!(await retrying(() => queue.enter(job)))) return noPlace();
      // Another try of the same key may have entered with a seed of its own: what stands in the queue counts.
      const entered = (await queue.placesOf(tenantId)).find((each) => each.job.jobId === jobId);
      return { ok: true, value: await createdJob(cosmos, entered?.job ?? job) };
    },
  };
}

/** How a tenant's listing names the job. */
export function entryOf({ jobId, tenantId, createdAt }: JobDocument, ttl: number): JobEntryDocument {
  return { id: jobId, key: jobsOfKey(tenantId), sortKey: jobSortKey(createdAt, jobId), ttl };
}

function inputsOf(kind: JobKind, key: string, rows: readonly unknown[]): JobInputDocument[] {
  const inputs: JobInputDocument[] = [];
  const size = rowsAChunk(kind);
  for (let start = 0; start < rows.length; start += size) {
    const id = inputId(inputs.length);
    inputs.push({ id, key, rows: rows.slice(start, start + size), ttl: UNFINISHED_JOB_SECONDS });
  }
  return inputs;
}

function rowsProblem(kind: JobKind, rows: readonly unknown[], path: string): Outcome<never> | undefined {
  if (rows.length === 0) return refused('INVALID_INPUT', `${path} must not be empty`, path);
  const most = Math.min(MAXIMUM_JOB_ROWS, MAXIMUM_CHUNKS * rowsAChunk(kind));
  if (rows.length > most) {
    const message = `${path} has ${rows.length} entries and may have ${most}: split them over several jobs`;
    return refused('LIMIT_EXCEEDED', message, path);
  }
  const long = rows.findIndex((row) => JSON.stringify(row).length > MAXIMUM_ROW_CHARACTERS);
  if (long < 0) return undefined;
  const message = `${path}.${long} is longer than ${MAXIMUM_ROW_CHARACTERS} characters`;
  return refused('INVALID_INPUT', message, `${path}.${long}`);
}

function noPlace(): Outcome<never> {
  const message = `the tenant has ${PLACES_A_TENANT} jobs that are not finished: wait until one is, or cancel one`;
  return refused('LIMIT_EXCEEDED', message);
}

function whose(principal: Principal): JobDocument['principal'] {
  const { kind, id } = principal;
  return kind === 'key' ? { kind, id, createdBy: principal.createdBy } : { kind, id };
}
