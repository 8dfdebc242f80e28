import { type Catalog, type Container } from './store/catalog';
import { type CommitGroup } from './store/commit-group';
import { indexPath } from './store/indexes';

const DOCUMENTS_A_STEP = 500;

/**
 * Builds a path's index when a query first wants it, in steps between the other writes. Documents that change
 * meanwhile keep the new index right themselves, so a step only adds what lacks an entry.
 */
export function createIndexBuilder(options: { group: CommitGroup; catalog: Catalog }): {
  /** Resolves when the index is there and complete; `undefined` when it is so now. */
  ensure: (container: Container, names: readonly string[]) => Promise<void> | undefined;
} {
  const { group, catalog } = options;
  const building = new Map<string, Promise<void>>();

  async function build(container: Container, names: readonly string[]): Promise<void> {
    const { explicit } = container.coverage(names);
    const path = indexPath(names);
    await group.write(() => {
      if (!container.indexes.get(path)) {
        container.indexes.create(names, explicit, container.documents.count() === 0);
      }
    });
    let after = 0;
    for (let more = true; more;) {
      more = await group.write(() => {
        const index = container.indexes.get(path);
        // The container may have gone, or its policy changed, between two steps.
        if (!index || index.built || !catalog.containers().includes(container)) return false;
        const rows = container.documents.numbered(after, DOCUMENTS_A_STEP);
        for (const row of rows) {
          container.indexes.fill(index, row, JSON.parse(row.body));
          after = row.n;
        }
        if (rows.length < DOCUMENTS_A_STEP) container.indexes.markBuilt(index);
        return rows.length === DOCUMENTS_A_STEP;
      });
    }
  }

  return {
    ensure(container, names) {
      const path = indexPath(names);
      if (container.indexes.get(path)?.built) return undefined;
      if (!container.coverage(names).indexed) return undefined;
      const id = `${container.number} ${path}`;
      let promise = building.get(id);
      if (!promise) {
        promise = build(container, names).finally(() => building.delete(id));
        building.set(id, promise);
      }
      return promise;
    },
  };
}
