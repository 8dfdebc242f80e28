/** How a container's documents are partitioned, as the container was created with it. */
export interface PartitionKeyDefinition {
  /** `/buildingId`; up to three for a hierarchical key. */
  paths: string[];
  kind: 'Hash' | 'MultiHash';
  version: 1 | 2;
}

/** One component of a partition key; `undefined` is a document that lacks the property. */
export type KeyComponent = string | number | boolean | null | undefined;

/**
 * A partition key as text: the form in which it is stored and compared, the same as the SDK's header. A missing
 * component is `{}`.
 */
export function keyText(components: readonly KeyComponent[]): string {
  let text = '[';
  for (let i = 0; i < components.length; i++) {
    const component = components[i];
    if (i > 0) text += ',';
    text += component === undefined ? '{}' : JSON.stringify(component);
  }
  return `${text}]`;
}

/** The key that the header `x-ms-documentdb-partitionkey` names, or what is wrong with it. */
export function parseKeyHeader(header: string): KeyComponent[] | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(header);
  } catch {
    return { problem: `Partition key ${header} is invalid: it is not a JSON array.` };
  }
  if (!Array.isArray(value))
    return { problem: `Partition key ${header} is invalid: it is not a JSON array.` };
  const components: KeyComponent[] = [];
  for (const each of value as unknown[]) {
    if (each === null || typeof each === 'string' || typeof each === 'number' || typeof each === 'boolean') {
      components.push(each);
    } else if (typeof each === 'object' && !Array.isArray(each) && Object.keys(each).length === 0) {
      components.push(undefined);
    } else {
      return { problem: `Partition key ${header} is invalid: a component is neither scalar nor {}.` };
    }
  }
  return components;
}

/** The names along a path such as `/address/zip` or `/"odd name"/x`. */
export function pathNames(path: string): string[] {
  const names: string[] = [];
  const pattern = /\/(?:"((?:[^"\\]|\\.)*)"|([^/]*))/gy;
  for (let match = pattern.exec(path); match; match = pattern.exec(path)) {
    names.push(match[1] ?? match[2] ?? '');
  }
  return names;
}

/** The value at a path of property names, `undefined` where a step is missing. Own properties only. */
export function valueAt(document: unknown, names: readonly string[]): unknown {
  let value = document;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** A function that reads a document's partition key; a component that is an array or an object makes it invalid. */
export function keyReader(
  definition: PartitionKeyDefinition,
): (document: unknown) => KeyComponent[] | { problem: string } {
  const paths = definition.paths.map(pathNames);
  return (document) => {
    const components: KeyComponent[] = [];
    for (let i = 0; i < paths.length; i++) {
      const value = valueAt(document, paths[i]!);
      if (typeof value === 'object' && value !== null) {
        return {
          problem: `Partition key at ${definition.paths[i]} is invalid: it is an array or an object.`,
        };
      }
      components.push(value as KeyComponent);
    }
    return components;
  };
}
