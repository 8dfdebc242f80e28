import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type ContainerClient } from '@azure/storage-blob';
import { type ScriptOptions, type ScriptReport, tablesScript } from './scripts';

/** What makes the tables; the other scripts beside it ask of them. */
export const TABLES_SCRIPT = 'tables.hql';

/**
 * Writes `tables.hql` over what is published now, and the sample questions beside it.
 * @throws RangeError on a root that cannot stand in a script, and what Blob and the disk answer; then a script that was
 *   there before stays as it is.
 */
export async function writeHiveScripts(
  container: ContainerClient,
  { folder, ...options }: ScriptOptions & { folder: string },
): Promise<ScriptReport> {
  await mkdir(folder, { recursive: true });
  const partial = join(folder, `${TABLES_SCRIPT}.partial`);
  const file = await open(partial, 'w');
  let report: ScriptReport;
  try {
    const script = tablesScript(container, options);
    let step = await script.next();
    for (; !step.done; step = await script.next()) await file.write(step.value);
    report = step.value;
    await file.close();
    await rename(partial, join(folder, TABLES_SCRIPT));
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw error;
  }
  const shipped = questionsFolder();
  if (resolve(folder) !== shipped) {
    for (const question of await questionScripts()) {
      await copyFile(join(shipped, question), join(folder, question));
    }
  }
  return report;
}

/** The names of the sample questions of this installation. */
export async function questionScripts(): Promise<string[]> {
  const names = await readdir(questionsFolder());
  return names.filter((name) => name.endsWith('.hql') && name !== TABLES_SCRIPT).sort();
}

/** The folder `analytics/hive/` of this installation, found upward from this file, so that sources and builds share it. */
export function questionsFolder(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'analytics', 'hive');
    if (existsSync(join(path, 'templates'))) return path;
    if (dirname(folder) === folder)
      throw new Error('the folder analytics/hive/ is missing from this installation');
  }
}
