import { type ContainerName } from '../containers';
import { type Change, type Cosmos, LARGEST_BATCH } from '../cosmos';
import { retrying } from '../store-error';

/** Removes documents of one partition; those that are gone already are no matter. @returns how many there were. */
export async function removeDocuments(
  cosmos: Pick<Cosmos, 'batch'>,
  container: ContainerName,
  partition: string,
  ids: readonly string[],
): Promise<number> {
  let removed = 0;
  for (let start = 0; start < ids.length; start += LARGEST_BATCH) {
    let changes: Change[] = ids.slice(start, start + LARGEST_BATCH).map((id) => ({ remove: id }));
    while (changes.length > 0) {
      const outcome = await retrying(() => cosmos.batch(container, partition, changes));
      if (outcome.ok) {
        removed += changes.length;
        break;
      }
      changes = changes.filter((_, index) => index !== outcome.index);
    }
  }
  return removed;
}

const PAGE = 1_000;

/** Removes a whole partition, page by page. */
export async function removePartition(
  cosmos: Pick<Cosmos, 'query' | 'batch'>,
  container: ContainerName,
  partition: string,
): Promise<number> {
  let removed = 0;
  for (;;) {
    const found = await cosmos.query<{ id: string }>(
      container,
      partition,
      'SELECT c.id FROM c',
      {},
      { limit: PAGE },
    );
    if (found.length === 0) return removed;
    removed += await removeDocuments(
      cosmos,
      container,
      partition,
      found.map(({ id }) => id),
    );
  }
}

/** Goes over every document of a container, as its change feed tells them: page by page, each at least once. */
export async function eachDocument(
  cosmos: Pick<Cosmos, 'changes'>,
  container: ContainerName,
  take: (documents: readonly Record<string, unknown>[]) => Promise<void> | void,
): Promise<void> {
  const feed = cosmos.changes(container, 'beginning');
  for (;;) {
    const page = await feed.next();
    if (page.documents.length > 0) await take(page.documents as Record<string, unknown>[]);
    if (page.caughtUp) return;
  }
}
