import { pathNames } from './partition-key';

/** A container's indexing policy as far as it decides anything here; the whole is stored and answered as given. */
export interface IndexingPolicy {
  indexingMode: 'consistent' | 'none';
  automatic: boolean;
  includedPaths: { path: string }[];
  excludedPaths: { path: string }[];
}

export const DEFAULT_INDEXING_POLICY: IndexingPolicy = {
  indexingMode: 'consistent',
  automatic: true,
  includedPaths: [{ path: '/*' }],
  excludedPaths: [{ path: '/"_etag"/?' }],
};

/** Whether a path has an index, and whether the policy names the path itself. */
export interface Coverage {
  indexed: boolean;
  /** Named as `/path/?`: `ORDER BY` then also returns the documents that lack it, first. */
  explicit: boolean;
}

/**
 * A function that tells whether the policy covers a path of property names. Of the entries that match, the most
 * precise decides (https://learn.microsoft.com/azure/cosmos-db/index-policy#include-exclude-paths).
 */
export function coverageOf(policy: IndexingPolicy): (names: readonly string[]) => Coverage {
  const none: Coverage = { indexed: false, explicit: false };
  if (policy.indexingMode === 'none') return () => none;
  const rules = [
    ...policy.includedPaths.map(({ path }) => rule(path, true)),
    ...policy.excludedPaths.map(({ path }) => rule(path, false)),
  ];
  return (names) => {
    let best: Rule | undefined;
    for (const each of rules) {
      if (matches(each, names) && (best === undefined || each.precision > best.precision)) best = each;
    }
    return best?.included ? { indexed: true, explicit: best.exact } : none;
  };
}

/** What is wrong with a policy, or `undefined`. */
export function policyProblem(policy: IndexingPolicy): string | undefined {
  if (policy.indexingMode !== 'consistent' && policy.indexingMode !== 'none') {
    return `The indexing mode '${String(policy.indexingMode)}' is not supported: consistent and none are.`;
  }
  for (const list of [policy.includedPaths, policy.excludedPaths]) {
    if (!Array.isArray(list)) return 'The indexing policy is invalid: its paths are not an array.';
    for (const { path } of list) {
      if (typeof path !== 'string' || !/^\/.*[*?]$/.test(path)) {
        return `The indexing path '${String(path)}' is invalid: it starts with / and ends with /* or /?.`;
      }
    }
  }
  return undefined;
}

interface Rule {
  names: string[];
  exact: boolean;
  included: boolean;
  precision: number;
}

function rule(path: string, included: boolean): Rule {
  const names = pathNames(path);
  const exact = names.at(-1) === '?';
  names.pop();
  return { names, exact, included, precision: names.length * 2 + (exact ? 1 : 0) };
}

function matches({ names, exact }: Rule, path: readonly string[]): boolean {
  if (exact ? names.length !== path.length : names.length > path.length) return false;
  return names.every((name, i) => name === path[i]);
}
