import { type Series } from './places';
import { type SpaceTree } from './tree';

/** A quantity of a space that others lie in: what all of their leaves hold, and its own. */
export interface SpaceNode {
  readonly series: Series;
  readonly spaceId: string;
  /** Dense, from 0 on, and given again when it is free. */
  readonly number: number;
  readonly leaves: number[];
}

/** The levels and zones above leaves: which leaves count in which space. */
export interface SpaceNodes {
  /** By number; undefined where one is free. */
  readonly nodes: readonly (SpaceNode | undefined)[];
  /** Those that a leaf counts in. */
  of(leaf: number): readonly SpaceNode[];
  /** Whether a leaf stands for its space: where that lies is known, and nothing lies in it. */
  standsAlone(leaf: number): boolean;
  attach(series: Series, leaf: number, spaceId: string): void;
  /** @returns the nodes that are free now. */
  detach(leaf: number): SpaceNode[];
}

const NO_NODES: readonly SpaceNode[] = [];

export function createNodes(tree: SpaceTree): SpaceNodes {
  const nodes: (SpaceNode | undefined)[] = [];
  const free: number[] = [];
  /** By series and space. A building without levels has none. */
  const bySeries = new Map<Series, Map<string, SpaceNode>>();
  /** By leaf; undefined while it is not known where its space lies. */
  const ofLeaf: (readonly SpaceNode[] | undefined)[] = [];
  const spaceOf: string[] = [];

  const nodeOf = (series: Series, spaceId: string): SpaceNode => {
    let spaces = bySeries.get(series);
    if (spaces === undefined) bySeries.set(series, (spaces = new Map()));
    let node = spaces.get(spaceId);
    if (node === undefined) {
      const number = free.pop() ?? nodes.length;
      node = { series, spaceId, number, leaves: [] };
      nodes[number] = node;
      spaces.set(spaceId, node);
      // What was measured in the space itself counts in it too.
      for (const leaf of series.leaves) {
        if (spaceOf[leaf] === spaceId && ofLeaf[leaf] !== undefined) join(leaf, node);
      }
    }
    return node;
  };

  const join = (leaf: number, node: SpaceNode): void => {
    if (node.leaves.includes(leaf)) return;
    node.leaves.push(leaf);
    ofLeaf[leaf] = [...(ofLeaf[leaf] ?? NO_NODES), node];
  };

  return {
    nodes,
    of: (leaf) => ofLeaf[leaf] ?? NO_NODES,
    standsAlone: (leaf) =>
      ofLeaf[leaf] === NO_NODES || (ofLeaf[leaf]?.every(({ spaceId }) => spaceId !== spaceOf[leaf]) ?? false),
    attach(series, leaf, spaceId) {
      spaceOf[leaf] = spaceId;
      const ancestors = tree.ancestors(series.building.buildingId, spaceId);
      if (ancestors === undefined) {
        ofLeaf[leaf] = undefined;
        return;
      }
      ofLeaf[leaf] = NO_NODES;
      const own = bySeries.get(series)?.get(spaceId);
      if (own) join(leaf, own);
      for (const ancestor of ancestors) join(leaf, nodeOf(series, ancestor));
    },
    detach(leaf) {
      const freed: SpaceNode[] = [];
      for (const node of ofLeaf[leaf] ?? NO_NODES) {
        node.leaves.splice(node.leaves.indexOf(leaf), 1);
        if (node.leaves.length > 0) continue;
        const spaces = bySeries.get(node.series)!;
        spaces.delete(node.spaceId);
        if (spaces.size === 0) bySeries.delete(node.series);
        nodes[node.number] = undefined;
        free.push(node.number);
        freed.push(node);
      }
      ofLeaf[leaf] = undefined;
      return freed;
    },
  };
}
