/**
 * What became of readings, counted by tenant, partition of the stream and hour of UTC in which the gateway received them.
 * Each stage is counted where it happens and by nobody else: accepted by the gateways, landed in the rows of the files
 * that stand, curated by the curator as it merges.
 */
export interface IngestionCounts {
  /** Readings that a gateway acknowledged, or a replay of dead letters sent. */
  accepted: number;
  /** Readings whose acknowledgement by the stream did not come in time: their senders were told to send again. */
  unanswered: number;
  /** Refused readings and messages that a gateway acknowledged: each is to be a dead letter. */
  refused: number;
  /** Rows in landing files. */
  landed: number;
  /** Of `landed`, those that came too late for the averages (`isTooLate`, 48 h by the hub's clock). */
  tooLate: number;
  /** Dead letters that landed, by code. */
  dead: Record<string, number>;
  /** Of `landed`, those that stand in curated files. */
  curated: number;
  /** Of `landed`, those whose identity was there already. */
  repeated: number;
  /** Of `landed`, those of a tenant that had been erased. */
  dropped: number;
}

/** How far an hour of a partition is known to be complete. */
export interface IngestionSettled {
  /** All that was accepted in the hour must be in the landing by now. */
  landed: boolean;
  /** All that landed must be curated by now. */
  curated: boolean;
}

/** What the counts of an hour amount to. */
export interface IngestionBalance {
  /** Accepted and not landed, which need not be wrong: they are in the stream. */
  inFlight: number;
  /** Landed and neither curated nor dropped, which need not be wrong: it is done once an hour. */
  notYetCurated: number;
  /**
   * Landed beyond what was accepted or unanswered: of a gateway that ended without telling. No loss. Known once the hour is
   * over, because a gateway tells some seconds late.
   */
  untold: number;
  /** What nothing explains. */
  lost: number;
  lettersLost: number;
  uncurated: number;
}

export const HOUR_MS = 3_600_000;

/** The hour of UTC that an instant falls in, counted from 1970. */
export function hourOfInstant(instant: number): number {
  return Math.floor(instant / HOUR_MS);
}

export function noCounts(): IngestionCounts {
  return {
    ...{ accepted: 0, unanswered: 0, refused: 0, landed: 0, tooLate: 0, dead: {} },
    ...{ curated: 0, repeated: 0, dropped: 0 },
  };
}

/**
 * Weighs the counts of one tenant, partition and hour.
 *
 * `landed >= accepted` where nothing is lost: an acknowledgement follows the stream's own. More may have landed, because
 * an answer that came too late is of readings that stand all the same, and because a gateway that is killed loses its
 * last seconds of counting. So a loss can hide behind `unanswered` and `untold`, which is why both are told.
 *
 * @param unjudged what is not to be held against anybody: the curated counts, or all of them.
 */
export function balanceOf(
  counts: IngestionCounts,
  settled: IngestionSettled,
  unjudged?: 'CURATION' | 'ALL',
): IngestionBalance {
  const { accepted, unanswered, refused, landed, curated, repeated, dropped } = counts;
  const missing = Math.max(0, accepted - landed);
  const missingLetters = Math.max(0, refused - deadLettersOf(counts));
  const uncurated = unjudged === undefined ? landed - curated - repeated - dropped : 0;
  if (unjudged === 'ALL') {
    return { inFlight: 0, notYetCurated: 0, untold: 0, lost: 0, lettersLost: 0, uncurated: 0 };
  }
  return {
    inFlight: settled.landed ? 0 : missing,
    notYetCurated: settled.curated ? 0 : Math.max(0, uncurated),
    untold: settled.landed ? Math.max(0, landed - accepted - unanswered) : 0,
    lost: settled.landed ? missing : 0,
    lettersLost: settled.landed ? missingLetters : 0,
    uncurated: settled.curated ? Math.abs(uncurated) : 0,
  };
}

export function deadLettersOf({ dead }: Pick<IngestionCounts, 'dead'>): number {
  return Object.values(dead).reduce((sum, each) => sum + each, 0);
}

/** The stages between which readings can be missing, as a metric's label names them. */
export const UNEXPLAINED_STAGES = ['landing', 'dead_letters', 'curation'] as const;
export type UnexplainedStage = (typeof UNEXPLAINED_STAGES)[number];
export type Unexplained = Record<UnexplainedStage, number>;

export function unexplainedOf({ lost, lettersLost, uncurated }: IngestionBalance): Unexplained {
  return { landing: lost, dead_letters: lettersLost, curation: uncurated };
}
