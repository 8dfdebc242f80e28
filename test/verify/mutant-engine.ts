import { createRequire } from 'node:module';
import { resolve, sep } from 'node:path';
import { type CreateEngine, type WindowMutant } from '../aggregate/window-mutants';

const load = createRequire(__filename);
const SOURCES = resolve(__dirname, '../../src') + sep;

/**
 * The engine with one module changed, loaded afresh beside the one that stands. Of compiled files only, in a process that
 * does nothing else.
 */
export function loadMutant({ module, change, wrap }: WindowMutant): CreateEngine {
  const loadEngine = (): CreateEngine =>
    (load('../../src/aggregate/engine') as { createEngine: CreateEngine }).createEngine;
  if (wrap !== undefined) return wrap(loadEngine());
  const path = load.resolve(`../../src/${module}`);
  forgetSources();
  const actual = load(path) as object;
  const entry = load.cache[path]!;
  // Others that were loaded with it know it as it was.
  forgetSources();
  entry.exports = change!(actual);
  load.cache[path] = entry;
  return loadEngine();
}

function forgetSources(): void {
  for (const path of Object.keys(load.cache)) {
    if (path.startsWith(SOURCES)) delete load.cache[path];
  }
}
