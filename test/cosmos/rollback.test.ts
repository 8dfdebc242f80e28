import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDefinition } from '../../emulators/cosmos/container-definition';
import { openCatalog } from '../../emulators/cosmos/store/catalog';
import { createCommitGroup } from '../../emulators/cosmos/store/commit-group';
import { openDatabaseFile } from '../../emulators/cosmos/store/database-file';

describe('A group of writes that fails', () => {
  test('is rejected whole, leaves memory as the disk is, and the next group goes on from there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cosmos-rollback-'));
    const { db, log } = openDatabaseFile(folder);
    const catalog = openCatalog(db);
    const group = createCommitGroup({
      db,
      log,
      sync: true,
      beforeCommit: () => catalog.storePositions(),
      afterRollback: () => catalog.reload(),
      onFatal: (error) => {
        throw error;
      },
    });
    const definition = readDefinition({ id: 'c', partitionKey: { paths: ['/pk'] } });
    if ('problem' in definition) throw new Error(definition.problem);
    const container = await group.write(() =>
      catalog.createContainer(catalog.createDatabase('d', 1), definition, 1),
    );
    const advance = () => {
      container.lsn += 1;
      catalog.touched(container);
      return container.lsn;
    };
    expect(await group.write(advance)).toBe(1);
    const outcomes = await Promise.allSettled([
      group.write(advance),
      group.write(() => container.indexes.create(['x'], false, true)),
      group.write(() => {
        throw new Error('disk full');
      }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(catalog.database('d')!.containers.get('c')).toBe(container);
    expect([container.lsn, container.indexes.all()]).toEqual([1, []]);
    expect(await group.write(advance)).toBe(2);
    await group.stop();
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
