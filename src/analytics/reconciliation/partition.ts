import { partitionKey } from '../../domain/curated';
import { HOUR_MS, hourOfInstant, type Unexplained, UNEXPLAINED_STAGES } from '../../domain/ingestion';
import { type Logger } from '../../observability/logger';
import { type LedgerDocument, type OpenHour, type PageDocument } from '../../store/ingestion/documents';
import { type IngestionLedger } from '../../store/ingestion/ledger';
import { type LandingFiles } from '../../store/landing-files';
import { countLanding, NOTHING_COUNTED } from './landing-count';
import {
  addFile,
  addTallies,
  type CountedFile,
  hoursOf,
  settledAt,
  type Standing,
  takeRuns,
  unexplainedIn,
} from './page';
import { type CuratedStandings } from './tallies';

/** Where a partition's stream ends, asked before its landing was listed. */
export interface PartitionEnd {
  incarnation: string;
  partition: number;
  lastSequence: number;
}

/** Of hours that were not looked at, so many are gone through at most. */
const LOOK_BACK_HOURS = 48;
/** The same before there is a ledger: nobody has told anything long before anybody looked. */
const FIRST_LOOK_HOURS = 6;
/** What gateways tell late is still taken in. */
const OPEN_MS = 3 * HOUR_MS;
const TOUCHED_OPEN_MS = HOUR_MS;
/** An hour that is not explained is looked at for so long. */
export const LOOKED_AT_DAYS = 31;
const RACES = 10;

/**
 * Reconciles one partition of the stream: counts what has landed, adds up what was told, and judges the hours.
 *
 * In whatever order it is broken off, the next run ends with the same counts: a page names the files and versions that it
 * holds; tenants' documents are written before the page that they follow from, and so again where the page was not; and
 * the ledger, which says where to go on, comes last.
 */
export async function reconcilePartition(options: {
  logger: Logger;
  store: IngestionLedger;
  landing: LandingFiles;
  partition: number;
  /** Lives of the stream in which it has files. */
  lives: readonly string[];
  end: PartitionEnd | undefined;
  standings: CuratedStandings;
  now: number;
  signal: AbortSignal;
  onFiles: (files: number) => void;
}): Promise<{ unexplained: Unexplained; tenants: Set<string> }> {
  const { logger, store, landing, partition, lives, end, standings, now, signal } = options;
  const current = hourOfInstant(now);
  const tenants = new Set<string>();

  /** Brings one page up to date, and what tenants read of it. */
  const bring = async (
    ledger: LedgerDocument,
    hour: number,
    files: readonly CountedFile[],
  ): Promise<PageDocument> => {
    const attempted = new Set<string>();
    for (let race = 0; race < RACES; race++) {
      signal.throwIfAborted();
      const { page, runs } = await store.page(partition, hour);
      const before = JSON.stringify(page);
      const told = hoursOf(page, partition, hour);
      takeRuns(page, runs);
      for (const file of files) addFile(page, file);
      for (const tenantId of standings.touched.get(`${partition}/${hour}`) ?? []) {
        addTallies(page, { partition, hour }, tenantId, standings.tallies(tenantId));
      }
      page.settled = settledAt(page, hour, runs, standing(ledger));
      await excuse(page);
      const nothing = page._etag === undefined && Object.keys(page.files).length === 0;
      if (JSON.stringify(page) === before || (nothing && Object.keys(page.tenants).length === 0)) return page;
      const changed = [...hoursOf(page, partition, hour)].filter(
        ([tenantId, each]) =>
          attempted.has(tenantId) || JSON.stringify(told.get(tenantId)) !== JSON.stringify(each),
      );
      for (const [tenantId] of changed) attempted.add(tenantId);
      await store.putHours(changed.map(([, each]) => each));
      if (await store.putPage(page)) return page;
    }
    throw new Error(`the page of partition ${partition}, hour ${hour} was changed by others ${RACES} times`);
  };

  /** Looks at whoever seems to miss something: a tenant that was erased misses nothing. */
  const excuse = async (page: PageDocument): Promise<void> => {
    for (const [tenantId, tenant] of Object.entries(page.tenants)) {
      delete tenant.unjudged;
      const alone = unexplainedIn({ ...page, tenants: { [tenantId]: tenant } });
      if (UNEXPLAINED_STAGES.every((stage) => alone[stage] === 0)) continue;
      const why = await standings.unjudged(tenantId, partition, page);
      if (why !== undefined) tenant.unjudged = why;
    }
  };

  const standing = (ledger: LedgerDocument): Standing => {
    const life = end && ledger.lives[end.incarnation];
    // Nothing was ever sent, or all of it is counted.
    const all = end !== undefined && (life?.sequence ?? -1) >= end.lastSequence;
    return {
      now,
      countedThrough: all ? Infinity : (life?.enqueuedThrough ?? 0),
      curatedThrough: new Map(
        Object.keys(ledger.lives).map((incarnation) => [
          incarnation,
          standings.through.get(partitionKey({ incarnation, partition })) ?? -1,
        ]),
      ),
    };
  };

  let ledger = await store.ledger(partition);
  const touched = new Set<number>();
  for (const incarnation of lives) {
    for (let more = true; more;) {
      const counted = await countLanding({
        landing,
        place: { incarnation, partition },
        before: ledger.lives[incarnation] ?? NOTHING_COUNTED,
        hour: current,
        signal,
      });
      more = counted.more;
      ledger = { ...ledger, lives: { ...ledger.lives, [incarnation]: counted.life } };
      for (const [hour, files] of counted.hours) {
        await bring(ledger, hour, files);
        touched.add(hour);
      }
      options.onFiles(counted.files);
    }
  }
  for (const key of standings.touched.keys()) {
    const [of, hour] = key.split('/').map(Number) as [number, number];
    if (of === partition) touched.add(hour);
  }

  const open = new Map(ledger.open.map((each) => [each.hour, each]));
  const back = ledger.lookedAt === 0 ? FIRST_LOOK_HOURS : LOOK_BACK_HOURS;
  const from = Math.max(hourOfInstant(ledger.lookedAt), current - back);
  const hours = new Set([...open.keys(), ...touched]);
  for (let hour = from - 1; hour <= current; hour++) hours.add(hour);
  const next: OpenHour[] = [];
  const sum: Unexplained = { landing: 0, dead_letters: 0, curation: 0 };
  for (const hour of [...hours].sort((a, b) => a - b)) {
    const page = await bring(ledger, hour, []);
    for (const tenantId of Object.keys(page.tenants)) tenants.add(tenantId);
    const unexplained = unexplainedIn(page);
    const before = open.get(hour);
    const until = Math.max(
      before?.until ?? (hour + 1) * HOUR_MS + OPEN_MS,
      touched.has(hour) ? now + TOUCHED_OPEN_MS : 0,
    );
    const any = UNEXPLAINED_STAGES.some((stage) => unexplained[stage] > 0);
    if (JSON.stringify(unexplained) !== JSON.stringify(before?.unexplained ?? noUnexplained())) {
      tell(logger, page, partition, hour, unexplained);
    }
    const looked = hour > current - LOOKED_AT_DAYS * 24;
    if (!looked || (now >= until && page.settled.landed && page.settled.curated && !any)) continue;
    next.push({ hour, until, unexplained });
    for (const stage of UNEXPLAINED_STAGES) sum[stage] += unexplained[stage];
  }
  // Behind the pages: whoever goes on from it finds them written.
  if (!(await store.putLedger({ ...ledger, open: next, lookedAt: now }))) {
    logger.info({ partition }, 'another replica has reconciled this partition meanwhile');
  }
  return { unexplained: sum, tenants };
}

export function noUnexplained(): Unexplained {
  return { landing: 0, dead_letters: 0, curation: 0 };
}

const NAMED = 20;

function tell(
  logger: Logger,
  page: PageDocument,
  partition: number,
  hour: number,
  unexplained: Unexplained,
): void {
  const at = new Date(hour * HOUR_MS).toISOString();
  if (UNEXPLAINED_STAGES.every((stage) => unexplained[stage] === 0)) {
    return logger.info({ partition, hour: at }, 'what was unexplained is explained');
  }
  const tenants = Object.entries(page.tenants).flatMap(([tenantId, tenant]) => {
    const own = unexplainedIn({ ...page, tenants: { [tenantId]: tenant } });
    return UNEXPLAINED_STAGES.some((stage) => own[stage] > 0) ? [{ tenantId, ...own }] : [];
  });
  logger.error(
    { partition, hour: at, ...unexplained, unreadable: page.unreadable, tenants: tenants.slice(0, NAMED) },
    'readings are missing and nothing explains it',
  );
}
