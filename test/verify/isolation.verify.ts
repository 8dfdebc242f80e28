import { parseArgs } from 'node:util';
import { schemaFields } from '../../src/api/rules';
import { createSchema } from '../../src/resolvers/schema';
import { freshKey } from '../api/api.support';
import { judgeCursors, PAGED } from '../isolation/cursors';
import { expected, type Judged, observe, observeDownload, transportsOf } from '../isolation/judging';
import { startWorld } from '../isolation/in-process';
import {
  type Disturbance,
  disturbed,
  isCaught,
  loaderMutants,
  ruleMutants,
  survivorsIn,
} from '../isolation/mutants';
import { buildPlaces, type Places } from '../isolation/places';
import { type Case, CASES, DOWNLOADS, ROLES, type Things, WITHOUT_TARGET } from '../isolation/rights';
import { openWorld, type RunningWorld } from '../isolation/running';
import { answerTo, maskedPlace, spaceVerdictOf, tellsOf } from '../isolation/space-judging';
import { BY_ID, FORMER, GUESTS, OF_BUILDING, RANKS } from '../isolation/space-rights';
import { buildTenants, type Tenants } from '../isolation/tenants';
import { attachPlatform, startPlatform } from '../support/platform';
import { type Outcome, type Table, type Verification, type VerificationContext } from './verification';

export const verification: Verification = {
  name: 'isolation',
  summary:
    'every operation and every path by id, node, cursor, download and subscription, for every role, over a running platform: foreign and unknown are answered alike, and what the tables of rights say is what is seen',
  options: [
    '--attach FILE   endpoints.json of a running platform instead of one of its own',
    '--mutants       shows first that the tables catch weakened rules and loaders, in an API of its own',
  ],
  run,
};

/** What was asked for by which path, and how it was answered: counted by both. */
interface Tally {
  add(path: string, verdict: string): void;
  /** Somebody is told what they must not be, or can tell apart what they must not. */
  leak(what: string, said: string): void;
  /** Anything else that is not as the tables say. */
  wrong(what: string, said: string): void;
  leaks(): number;
  differences: string[];
  table(): Table;
  answers(): number;
}

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: { attach: { type: 'string' }, mutants: { type: 'boolean', default: false } },
  });
  const caught = values.mutants ? await mutantsCaught(progress) : null;
  const platform =
    values.attach === undefined
      ? await startPlatform({ env: { INGEST_FLUSH_SECONDS: '3', PRIVACY_MINIMUM_SPACES: '1' } })
      : attachPlatform(values.attach);
  const tally = createTally();
  for (const name of caught?.missed ?? []) tally.wrong(name, 'a mutant that no case tells of');
  try {
    for (const [what, judge] of [
      ['tenants', judgeTenants],
      ['spaces', judgeSpaces],
    ] as const) {
      const world = await openWorld(platform);
      try {
        await judge(world, tally, progress);
        progress(`${what}: ${tally.answers()} answers so far, ${tally.differences.length} differences`);
      } finally {
        await world.stop();
      }
    }
  } finally {
    await platform.stop();
  }
  const operations = schemaFields(createSchema()).filter(({ name }) =>
    /^(Query|Mutation|Subscription)\./.test(name),
  );
  const covered = new Set([...CASES.flatMap(({ covers }) => covers), ...WITHOUT_TARGET]);
  for (const { name } of operations.filter((each) => !covered.has(each.name))) {
    tally.wrong(name, 'no case asks for it');
  }
  return {
    tables: [tally.table()],
    counts: {
      'answers judged': tally.answers(),
      'operations of the schema': operations.length,
      'of them asked for': operations.filter(({ name }) => covered.has(name)).length,
      'fields with a permission asked for': covered.size,
      'lists by cursor asked for': PAGED.length,
      ...(caught && {
        'mutants made': caught.made,
        'of them caught': caught.caught,
        'that let nothing more through': caught.harmless,
      }),
      leaks: tally.leaks(),
    },
    differences: tally.differences,
  };
}

/** Weakened rules, and loaders with another's scope: what the table of rights says of an API that has them. */
async function mutantsCaught(progress: (line: string) => void) {
  const disturbance: Disturbance = { method: null, scope: null };
  const world = await startWorld({ wrapRegistry: (registry) => disturbed(registry, disturbance) });
  try {
    const tenants = await buildTenants(world);
    const rules = ruleMutants(createSchema());
    const harmless = survivorsIn(rules);
    const mutants = [...rules, ...loaderMutants(disturbance, tenants)];
    const missed: string[] = [];
    let caught = 0;
    for (const mutant of mutants) {
      if (await isCaught(world, tenants, mutant)) caught++;
      else if (!harmless.includes(mutant.name)) missed.push(mutant.name);
    }
    progress(`${caught} of ${mutants.length} mutants caught, ${harmless.length} let nothing more through`);
    return { made: mutants.length, caught, harmless: harmless.length, missed };
  } finally {
    await world.stop();
  }
}

/** Roles in one tenant, asking for their own, for a tenant's of somebody else and for nothing. */
async function judgeTenants(
  world: RunningWorld,
  tally: Tally,
  progress: (line: string) => void,
): Promise<void> {
  const tenants = await buildTenants(world);
  progress('two tenants are there, with everything in them');
  for (const each of PAGED) {
    const { differences, answers } = await judgeCursors(world, tenants, each);
    for (let i = 0; i < answers; i++) tally.add('cursor', differences.length > 0 ? 'wrong' : 'as it must be');
    for (const difference of differences) tally.leak(each.list, difference);
  }
  for (const each of CASES) {
    for (const rank of ROLES) {
      for (const transport of transportsOf(each)) {
        const path = pathOf(each, transport);
        const verdicts = expected(each, rank);
        await judge(
          tally,
          { path, what: `${each.name} for ${rank} (${transport})`, ...verdicts },
          tenants,
          (things) => observe(world, tenants, each, rank, things, transport),
        );
      }
    }
  }
  for (const each of DOWNLOADS) {
    for (const rank of ROLES) {
      const own = each.seen.includes(rank) ? 'seen' : 'NOT_FOUND';
      const what = `${each.name} for ${rank}`;
      await judge(tally, { path: 'download', what, own, foreign: 'NOT_FOUND' }, tenants, (things) =>
        observeDownload(world, tenants, each, rank, things),
      );
    }
  }
}

async function judge(
  tally: Tally,
  { path, what, own, foreign }: { path: string; what: string; own: string; foreign: string },
  tenants: Tenants,
  of: (things: Things) => Promise<Judged>,
): Promise<void> {
  const [mine, theirs, nothing] = [
    await of(tenants.north),
    await of(tenants.south),
    await of(tenants.unknown),
  ];
  tally.add(`${path}, own`, mine.verdict);
  tally.add(`${path}, foreign`, theirs.verdict);
  tally.add(`${path}, unknown`, nothing.verdict);
  if (mine.verdict !== own) {
    const report = mine.verdict === 'seen' ? tally.leak : tally.wrong;
    report(what, `one's own is ${mine.verdict}, not ${own}`);
  }
  if (theirs.verdict !== foreign) tally.leak(what, `another's is ${theirs.verdict}, not ${foreign}`);
  const [a, b] = [theirs, nothing].map(({ observed }) => JSON.stringify(observed));
  if (a !== b) tally.leak(what, `another's and an unknown one are told apart: ${a} and ${b}`);
}

/** Rights to spaces, and what is shared: with a part of a building, with all of it, and with nobody any more. */
async function judgeSpaces(
  world: RunningWorld,
  tally: Tally,
  progress: (line: string) => void,
): Promise<void> {
  const places = await buildPlaces(world);
  const { own, neighbour, unknown } = places;
  progress('a building is there, with rights to its spaces');
  const answer = (rank: keyof Places['people'], each: { document: string }, variables: object) =>
    answerTo(world, places, rank, each.document, variables, transportsOf(each as Case)[0]!);

  for (const each of BY_ID) {
    for (const rank of RANKS) {
      const what = `${each.name} for a ${rank}`;
      const mine = await answer(rank, each, each.variables(own, freshKey()));
      const theirs = await answer(rank, each, each.variables(neighbour, freshKey()));
      const nowhere = await answer(rank, each, each.variables(unknown, freshKey()));
      const other = each.refused?.includes(rank) ? 'FORBIDDEN' : each.otherwise;
      const refused = each.refusedOwn?.includes(rank) ? 'FORBIDDEN' : other;
      expectVerdict(
        tally,
        'space by id, own',
        what,
        spaceVerdictOf(each.at, mine),
        each.seen.includes(rank) ? 'seen' : refused,
      );
      expectVerdict(tally, 'space by id, neighbour', what, spaceVerdictOf(each.at, theirs), other);
      expectVerdict(tally, 'space by id, unknown', what, spaceVerdictOf(each.at, nowhere), other);
      if (maskedPlace(theirs, neighbour) !== maskedPlace(nowhere, unknown)) {
        tally.leak(what, 'a neighbour’s and an unknown one are told apart');
      }
    }
  }
  for (const each of OF_BUILDING) {
    for (const rank of RANKS) {
      const what = `${each.name} for a ${rank}`;
      const { data, errors } = await answer(rank, each, each.variables(neighbour, freshKey()));
      const told = each.own.includes(rank) || (each.whole ?? []).includes(rank);
      const verdict = told ? 'seen' : each.refused.includes(rank) ? 'FORBIDDEN' : 'nothing';
      expectVerdict(tally, 'building by a space', what, spaceVerdictOf(each.at, { data, errors }), verdict);
      if (tellsOf(data, neighbour)) tally.leak(what, 'it tells of a neighbour’s space');
      if (tellsOf(data, own) && !each.own.includes(rank)) tally.leak(what, 'it tells of one’s own space');
    }
    for (const rank of GUESTS) {
      const answered = await answer(rank, each, each.variables(neighbour, freshKey()));
      const otherwise = each.shownNothing?.includes(rank) ? 'nothing' : 'FORBIDDEN';
      const verdict = each.guests.includes(rank) ? 'seen' : otherwise;
      expectVerdict(
        tally,
        'building, shared',
        `${each.name} for ${rank}`,
        spaceVerdictOf(each.at, answered),
        verdict,
      );
    }
  }
  for (const rank of FORMER) {
    for (const each of [...BY_ID, ...OF_BUILDING]) {
      const key = freshKey();
      const former = await answer(rank, each, each.variables(own, key));
      const stranger = await answer('STRANGER', each, each.variables(own, key));
      tally.add('shared no more', spaceVerdictOf(each.at, former));
      if (maskedPlace(former, own) !== maskedPlace(stranger, own)) {
        tally.leak(`${each.name} for ${rank}`, 'a former grantee and a stranger are told apart');
      }
    }
  }
}

function expectVerdict(tally: Tally, path: string, what: string, found: string, wanted: string): void {
  tally.add(path, found);
  const report = found === 'seen' ? tally.leak : tally.wrong;
  if (found !== wanted) report(what, `${path} is ${found}, not ${wanted}`);
}

function pathOf({ covers, document, throughOwnBuilding }: Case, transport: string): string {
  if (transport !== 'HTTP') return `subscription, ${transport}`;
  if (throughOwnBuilding) return 'by way of one’s own';
  if (covers.includes('Query.node')) return 'node';
  return document.startsWith('mutation') ? 'mutation' : 'query';
}

function createTally(): Tally {
  const counts = new Map<string, Map<string, number>>();
  const differences: string[] = [];
  let leaks = 0;
  return {
    differences,
    add(path, verdict) {
      const of = counts.get(path) ?? new Map<string, number>();
      counts.set(path, of.set(verdict, (of.get(verdict) ?? 0) + 1));
    },
    leak(what, said) {
      leaks++;
      differences.push(`${what}: ${said}`);
    },
    wrong: (what, said) => void differences.push(`${what}: ${said}`),
    leaks: () => leaks,
    answers: () =>
      [...counts.values()].flatMap((of) => [...of.values()]).reduce((sum, each) => sum + each, 0),
    table() {
      const verdicts = [...new Set([...counts.values()].flatMap((of) => [...of.keys()]))].sort();
      return {
        columns: ['path', ...verdicts],
        rows: [...counts].map(([path, of]) => [path, ...verdicts.map((each) => of.get(each) ?? 0)]),
      };
    },
  };
}
