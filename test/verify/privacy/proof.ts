import { setTimeout as delay } from 'node:timers/promises';
import { tenantScope } from '../../../src/auth/scope';
import { CHOOSABLE } from '../../../src/domain/presence';
import { eventually } from '../../support/eventually';
import { type Outcome } from '../verification';
import { type Caller, CALLERS, CONTROL, type Houses, buildHouses } from './house';
import { masked, type Question, questionsAbout } from './questions';
import { createRandom } from './random';
import { createRun, type Run } from './runs';
import { listen } from './subscriptions';

/** An answer may differ because a second or a minute began between the two: then it does not the next time. */
const TRIES = 3;
const WITHIN_MS = 60_000;
const INSTANT = /"windowEnd":"([^"]+)"/;

/**
 * Two platforms are alike to every id and are given the same readings, but for those that tell of presence: of these each
 * has its own, at its own times, or none. Whoever may not see them is asked for everything on both sides and must be told the
 * same, answers, errors, costs, exports and what subscriptions deliver, in the same order. The control may see them, and must be told
 * something else.
 */
export async function prove(options: {
  seed: number;
  /** Of each caller; the rest is left out, by the seed. */
  questions: number;
  rounds: number;
  /** Of the record, before anything is asked: 3 where left out. */
  minutes?: number;
  /** Left out: all. */
  callers?: readonly Caller[];
  progress(line: string): void;
}): Promise<Outcome> {
  const { seed, progress } = options;
  const random = createRandom(seed);
  const chosen = CHOOSABLE.filter((_, i) => ((seed >> i) & 1) === 1);
  const callers = options.callers ?? CALLERS;
  const houses = await buildHouses({ chosen });
  const counts = {
    callers: callers.length - 1,
    'readings in both runs': 0,
    'readings of presence in one run': 0,
    'readings of presence in the other': 0,
    'answers compared': 0,
    'answers that differ for the control': 0,
    'deliveries compared': 0,
    'deliveries to the control that differ': 0,
    'bytes of exports compared': 0,
  };
  const differences: string[] = [];
  try {
    const [one, other] = houses.worlds.map((world, i) =>
      createRun({ houses, world, own: createRandom(seed * 31 + i + 1) }),
    ) as [Run, Run];
    const runs = [one, other];
    /** The same for both, however much each takes of it at its own pace. */
    const feed = async (until: number, seconds: number): Promise<void> => {
      const shared = random.whole(2 ** 31);
      await Promise.all(runs.map((run) => run.feed(createRandom(shared), until, seconds)));
    };
    let second = Math.floor(Date.now() / 1_000) - 220;
    for (let minute = 0; minute < (options.minutes ?? 3); minute++) await feed((second += 60), 60);
    await Promise.all(runs.map((run) => run.record()));
    await settled(houses, second);
    progress(
      `seed ${seed}: both runs are fed, CO2 and light that tell of presence: ${chosen.join(', ') || 'none'}`,
    );

    const all = questionsAbout(houses);
    for (const caller of callers) {
      for (const question of some(all, options.questions, random)) {
        const difference = await differenceIn(houses, caller, question);
        counts['answers compared']++;
        if (difference === null) continue;
        if (caller === CONTROL) counts['answers that differ for the control']++;
        else differences.push(`seed ${seed}: ${caller} asks ${question.name} ${difference}`);
      }
    }
    progress(`seed ${seed}: ${counts['answers compared']} answers compared`);

    const exported = await Promise.all(houses.worlds.map((world) => exportOf(houses, world)));
    counts['bytes of exports compared'] = exported[0]!.length;
    if (exported[0] !== exported[1]) differences.push(`seed ${seed}: the export differs`);

    const listening = callers.map((caller) =>
      houses.worlds.map((world) => listen(houses, world, houses.people[caller])),
    );
    await eventually(
      () => {
        if (!listening.flat().every((each) => each.begun())) throw new Error('not all have begun');
      },
      { within: WITHIN_MS },
    );
    second = Math.max(second, Math.floor(Date.now() / 1_000) - 40);
    for (let round = 0; round < options.rounds; round++) {
      await feed((second += 3), 3);
      await settled(houses, second);
    }
    /** What both sides of a caller were told, as soon as it is the same, or at the end. */
    for (const [i, caller] of callers.entries()) {
      const [left, right] = listening[i]!;
      const told = (): [string, string] => [textOf(left!.told()), textOf(right!.told())];
      for (let tries = 0; tries < 20 && caller !== CONTROL && told()[0] !== told()[1]; tries++)
        await delay(250);
      const [a, b] = told();
      counts['deliveries compared'] += [...left!.told().values()].flat().length;
      if (a === b) continue;
      if (caller === CONTROL) counts['deliveries to the control that differ']++;
      else differences.push(`seed ${seed}: ${caller} is delivered ${excerpt(a, b)}`);
    }
    for (const each of listening.flat()) each.end();
    counts['readings in both runs'] = one.otherReadings;
    counts['readings of presence in one run'] = one.presenceReadings;
    counts['readings of presence in the other'] = other.presenceReadings;
    if (one.otherReadings !== other.otherReadings) differences.push(`seed ${seed}: the runs are not alike`);
    for (const what of [
      'answers that differ for the control',
      'deliveries to the control that differ',
    ] as const)
      if (counts[what] === 0)
        differences.push(`seed ${seed}: nothing differs for who may see it: ${what} is 0`);
    return { counts, differences };
  } finally {
    await houses.stop();
  }
}

/** One of each operation first, as far as they go, then of their many variations. */
function some(all: Question[], most: number, random: { whole(below: number): number }): Question[] {
  const first = new Map(all.map((each) => [each.name, each]));
  const chosen: Question[] = [];
  for (const from of [[...first.values()], all.filter((each) => first.get(each.name) !== each)])
    while (chosen.length < most && from.length > 0) chosen.push(...from.splice(random.whole(from.length), 1));
  return chosen;
}

async function differenceIn(
  { worlds, people }: Houses,
  caller: Caller,
  { document, variables }: Question,
): Promise<string | null> {
  let difference: string | null = null;
  for (let tries = 0; tries < TRIES; tries++) {
    const [one, other] = await Promise.all(
      worlds.map(async (world) => {
        const {
          status,
          headers: _headers,
          ...body
        } = await world.ask(people[caller], document, variables as never);
        return masked({ status, ...body });
      }),
    );
    if (one === other) return null;
    difference = `${JSON.stringify(variables)}: ${excerpt(one!, other!)}`;
    if (caller === CONTROL) break;
  }
  return difference;
}

/** Where two texts part. */
function excerpt(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const from = Math.max(0, at - 120);
  return `…${one.slice(from, at + 80)} | …${other.slice(from, at + 80)}`;
}

function textOf(told: Map<string, string[]>): string {
  return JSON.stringify([...told].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Until both replicas hold what was told last. */
async function settled({ worlds, people, buildingId }: Houses, second: number): Promise<void> {
  const wanted = new Date(second * 1_000).toISOString();
  for (const world of worlds) {
    await eventually(
      async () => {
        const { data } = await world.ask(
          people.VIEWER,
          'query ($id: ID!) { building(id: $id) { averages { quantity windowEnd } } }',
          { id: buildingId } as never,
        );
        const found = INSTANT.exec(JSON.stringify(data))?.[1];
        if (found !== wanted) throw new Error(`averages are of ${found}, not of ${wanted}`);
      },
      { within: WITHIN_MS },
    );
  }
}

async function exportOf(
  { tenantId, buildingId, analyst }: Houses,
  world: Houses['worlds'][number],
): Promise<string> {
  const { principal } = analyst.scope;
  const scope = tenantScope(principal, await world.registry.memberships(principal.id));
  const { readyExport, readyPart } = await world.exported({ ...analyst, scope }, tenantId, buildingId);
  const response = await fetch(`${world.url}/exports/${readyExport}/${readyPart}`, {
    headers: { authorization: `Bearer ${analyst.token}` },
  });
  return `${response.status} ${await response.text()}`;
}
