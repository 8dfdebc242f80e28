import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { count } from '../../simulator/arguments';
import { createRandom } from '../../simulator/random';
import { type Reading } from '../../src/domain/reading';
import { createManifests } from '../../src/store/manifests';
import { createFrameBuilder } from '../../src/stream/frame';
import { type ColdHouse, PARTITIONS, startColdHouse } from './cold-house';
import { createLandingCollector, type LandingCollector } from './landing-collector';
import { compareCurated } from './oracle/curated.oracle';
import { type Outcome, type Verification, type VerificationContext } from './verification';

const TENANTS = 3;
const BUILDINGS = 6;
const POINTS = 8;
const SLOTS = ['0', '1'];
/** Moments, so that what takes days elsewhere happens in every round. */
const KEEP_LANDING_MS = 3_000;
const GRACE_MS = 4_000;
const LANDED_WITHIN_MS = 120_000;
const FAULTS = 3;
/** Something dies once something has landed since the last death, or after so long. */
const DIES_WITHIN_MS = 10_000;

export const verification: Verification = {
  name: 'cold-crash',
  summary:
    'kills two competing ingest workers and two curators, rolls checkpoints back, makes the hub anew, and compares what was sent, landed and curated by SQL',
  options: [
    '--rounds N          how often something dies (40)',
    '--seed N            of the random stream and of who dies when (1)',
    '--recreate-every N  rounds between two lives of the hub (8)',
  ],
  run,
};

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '40' },
      seed: { type: 'string', default: '1' },
      'recreate-every': { type: 'string', default: '8' },
    },
  });
  const rounds = count(values.rounds, 'rounds', 10_000);
  const recreateEvery = count(values['recreate-every'], 'recreate-every', 10_000);
  const house = await startColdHouse({ keepLandingMs: KEEP_LANDING_MS, graceMs: GRACE_MS });
  const collector = createLandingCollector(house.blobs, join(house.folder, 'collected'));
  try {
    return await prove({ house, collector, rounds, recreateEvery, seed: Number(values.seed), progress });
  } finally {
    await collector.stop().catch(() => undefined);
    await house.stop();
  }
}

interface Sent {
  /** By serial number, which is the reading's value. */
  acknowledged: Set<number>;
  readings: number;
}

async function prove(options: {
  house: ColdHouse;
  collector: LandingCollector;
  rounds: number;
  recreateEvery: number;
  seed: number;
  progress: (line: string) => void;
}): Promise<Outcome> {
  const { house, collector, rounds, progress } = options;
  const { next: random } = createRandom(options.seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const sent: Sent = { acknowledged: new Set(), readings: 0 };
  const ends: { incarnation: string; partition: number; last: number }[] = [];
  const done = { kills: 0, rolled: 0, lives: 1 };

  const startAll = (): void => {
    for (const slot of SLOTS) {
      house.startIngest(slot, { rows: 1 + Math.floor(random() ** 3 * 800), seconds: 0.1 + random() * 2 });
      house.startCurator(slot);
    }
  };
  const noteEnd = async (): Promise<void> => {
    const { incarnation, partitions } = await house.end();
    partitions.forEach(({ last }, partition) => ends.push({ incarnation, partition, last }));
  };
  const waitForLanding = async (): Promise<void> => {
    const { incarnation, partitions } = await house.end();
    const deadline = Date.now() + LANDED_WITHIN_MS;
    for (;;) {
      startAll();
      await collector.collect();
      const behind = partitions.flatMap(({ last }, partition) =>
        collector.landedTo(incarnation, partition) < last
          ? [`partition ${partition} up to ${collector.landedTo(incarnation, partition)} of ${last}`]
          : [],
      );
      if (behind.length === 0) return;
      if (Date.now() > deadline) throw new Error(`not landed: ${behind.join(', ')}`);
      await delay(100);
    }
  };

  for (let round = 1; round <= rounds; round++) {
    startAll();
    const what: string[] = [];
    let over = false;
    const sending = sendUntil({ house, random, sent, over: () => over });
    const faults = (async () => {
      for (let fault = 0; fault < FAULTS; fault++) {
        const before = collector.files();
        const deadline = Date.now() + DIES_WITHIN_MS;
        while (collector.files() === before && Date.now() < deadline) await delay(50);
        await delay(random() * 1_000);
        if (random() < 0.3) {
          done.rolled += await house.rollCheckpointsBack(random);
          what.push('checkpoints rolled back');
        }
        const victim = pick(house.running());
        if (victim !== undefined && (await house.kill(victim))) {
          done.kills++;
          what.push(`${victim} killed`);
        }
        if (random() < 0.7) startAll();
        await house.rememberCheckpoints();
      }
    })().finally(() => (over = true));
    await Promise.all([sending, faults]);
    if (round % options.recreateEvery === 0 && round < rounds) {
      await waitForLanding();
      await noteEnd();
      await house.recreateHub();
      done.lives++;
      what.push('hub made anew');
    }
    progress(`round ${round} of ${rounds}: ${what.join(', ')}; ${sent.readings} readings sent`);
  }

  await waitForLanding();
  await noteEnd();
  for (const slot of SLOTS) await house.drain(`ingest-${slot}`);
  await waitForCuration(house, ends);
  for (const slot of SLOTS) await house.kill(`curator-${slot}`);
  await collector.collect();
  await collector.stop();

  const landed = join(house.folder, 'chains');
  const chains = await collector.chains(landed, ends);
  const differences = [...chains.differences];
  const byLog = await compareWithSent(landed, sent);
  differences.push(...byLog.differences);
  const curated = await compareCurated({
    container: house.blobs.getContainerClient('telemetry'),
    landed,
    folder: join(house.folder, 'curated'),
  });
  differences.push(...curated.differences);
  differences.push(...house.complaints().filter((line) => line.includes('DISAGREEMENT')));
  const left = await landingLeft(house);
  await rm(landed, { recursive: true, force: true });
  return {
    counts: {
      'rounds done': rounds,
      'processes killed': done.kills,
      'checkpoints rolled back': done.rolled,
      'lives of the hub': done.lives,
      'readings sent': sent.readings,
      'readings acknowledged': sent.acknowledged.size,
      'events landed': chains.events,
      'rows landed': chains.rows,
      'landing files of the chains': chains.files,
      'landing files beside the chains': chains.beside,
      'landing files not removed yet': left,
      'rows curated': curated.curated,
      'rows that repeated an identity': curated.landed - curated.curated,
      generations: curated.generations,
      'failures that curators met and went on from': house
        .complaints()
        .filter((line) => line.includes('FAILED')).length,
    },
    differences,
  };
}

/** Random readings: repeated instants with other values, late ones of days before, messages without a time. */
async function sendUntil(options: {
  house: ColdHouse;
  random: () => number;
  sent: Sent;
  over: () => boolean;
}): Promise<void> {
  const { house, random, sent } = options;
  while (!options.over()) {
    const building = Math.floor(random() * BUILDINGS);
    const builder = createFrameBuilder();
    const serials: number[] = [];
    for (let i = Math.floor(random() * 12); i >= 0; i--) {
      const serial = sent.readings++;
      serials.push(serial);
      builder.add(randomReading(building, serial, random));
    }
    await house.send(building % PARTITIONS, builder.take());
    for (const serial of serials) sent.acknowledged.add(serial);
    await delay(random() * 40);
  }
}

function randomReading(building: number, serial: number, random: () => number): Reading {
  const ordinal = Math.floor(random() * POINTS);
  const receivedAt = Date.now();
  const late = random() < 0.1 ? Math.floor(random() * 3) * 86_400_000 : 0;
  // Coarse, so that identities repeat.
  const observedAt = Math.floor((receivedAt - late) / 250) * 250;
  const undated = random() < 0.05;
  const tenant = building % TENANTS;
  return {
    tenantId: `ten_${tenant}`,
    buildingId: `bld_${building}`,
    spaceId: `spc_${building}`,
    pointId: `pnt_${building}_${ordinal}`,
    pointOrdinal: ordinal,
    deviceId: `dev_${building}_${ordinal >> 1}`,
    deviceOrdinal: ordinal >> 1,
    quantity: 1 + (ordinal % 4),
    observedAt,
    receivedAt,
    value: serial,
    ...(undated && {
      undated: {
        messageId: random() < 0.8 ? `m${Math.floor(random() * 30)}` : null,
        messageIndex: Math.floor(random() * 2),
      },
    }),
    ...(random() < 0.05 && { original: { value: serial + 0.5, unit: '[degF]' } }),
  };
}

/** Acknowledged is a subset of landed, landed of sent. */
async function compareWithSent(landed: string, sent: Sent): Promise<{ differences: string[] }> {
  const log = join(landed, 'acknowledged.csv');
  await writeFile(log, `serial\n${[...sent.acknowledged].join('\n')}\n`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const rows = async (sql: string): Promise<number[]> =>
      (await connection.runAndReadAll(sql)).getRowObjectsJS().map(({ serial }) => Number(serial));
    await connection.run(
      `CREATE TABLE landed AS SELECT value AS serial FROM read_parquet('${landed}/**/*.parquet', hive_partitioning = false)`,
    );
    const lost = await rows(`SELECT serial FROM read_csv('${log}') ANTI JOIN landed USING (serial)`);
    const invented = await rows(
      `SELECT serial FROM landed WHERE serial <> floor(serial) OR serial < 0 OR serial >= ${sent.readings}`,
    );
    const twice = await rows('SELECT serial FROM landed GROUP BY serial HAVING count(*) > 1');
    return {
      differences: [
        ...lost.map((serial) => `reading ${serial} is acknowledged and not stored`),
        ...invented.map((serial) => `reading ${serial} is stored and was never sent`),
        ...twice.map((serial) => `reading ${serial} is stored more than once`),
      ],
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(log, { force: true });
  }
}

async function waitForCuration(
  house: ColdHouse,
  ends: readonly { incarnation: string; partition: number; last: number }[],
): Promise<void> {
  const manifests = createManifests(house.blobs.getContainerClient('telemetry'));
  const deadline = Date.now() + LANDED_WITHIN_MS;
  for (;;) {
    for (const slot of SLOTS) house.startCurator(slot);
    const positions = (await manifests.root())?.value.positions ?? [];
    const behind = ends.filter(
      (end) =>
        end.last >= 0 &&
        !positions.some(
          (each) =>
            each.incarnation === end.incarnation &&
            each.partition === end.partition &&
            each.sequence >= end.last,
        ),
    );
    if (behind.length === 0) return;
    if (Date.now() > deadline) throw new Error(`not curated: ${JSON.stringify(behind)}`);
    await delay(200);
  }
}

async function landingLeft(house: ColdHouse): Promise<number> {
  let left = 0;
  const files = house.blobs.getContainerClient('telemetry').listBlobsFlat({ prefix: 'landing/' });
  for await (const file of files) if (file.name) left++;
  return left;
}
