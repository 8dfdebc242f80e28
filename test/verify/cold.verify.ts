import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { count, duration, positive } from '../../simulator/arguments';
import { ensureFleet } from '../../simulator/ensure-fleet';
import { runLoad } from '../../simulator/load';
import { createSendLog } from '../../simulator/send-log';
import { createSender } from '../../simulator/sender';
import { openSession } from '../../simulator/session';
import { buildingsFor, createSteady, planSteady, readingsARound } from '../../simulator/steady';
import { createTotals, linesOfTotals, unacknowledged } from '../../simulator/totals';
import { attachPlatform, type Platform, startPlatform } from '../support/platform';
import { collectLanding } from './collected-landing';
import { createFlow } from './flow';
import { killTimes, runKills } from './kills';
import { compareWithLog, compareWithStream } from './oracle/cold.oracle';
import { type Outcome, type Verification, type VerificationContext } from './verification';

/** Sent beyond the rate that is to be acknowledged, so that the rate holds also while an outage is made up for. */
const HEADROOM = 1.1;
/** A shorter run ends before an outage can be made up for; the rate at each kill is judged in any case. */
const LONG_ENOUGH_MS = 60_000;
const LEAD_MS = 1_000;
const GRACE_MS = 120_000;
const FLOWS_WITHIN_MS = 60_000;
const LANDED_WITHIN_MS = 180_000;
const USER = 'owner@north.example';

export const verification: Verification = {
  name: 'cold',
  summary:
    'kills processes under a steady load and compares the send log, the stream and the stored rows by SQL',
  options: [
    '--devices N          how many devices send (5000)',
    '--rate R             readings a second that are acknowledged while processes are killed (500)',
    '--duration DURATION  how long to send (5m)',
    '--kills N            how many processes are killed -9 (10)',
    '--attach FILE        endpoints.json of a running platform instead of one of its own',
  ],
  run,
};

async function run({ args, progress }: VerificationContext): Promise<Outcome> {
  const { values } = parseArgs({
    args,
    options: {
      devices: { type: 'string', default: '5000' },
      rate: { type: 'string', default: '500' },
      duration: { type: 'string', default: '5m' },
      kills: { type: 'string', default: '10' },
      attach: { type: 'string' },
    },
  });
  const load = {
    devices: count(values.devices, 'devices', 1_000_000),
    rate: positive(values.rate, 'rate'),
    durationMs: duration(values.duration, 'duration'),
    kills: values.kills === '0' ? 0 : count(values.kills, 'kills', 1000),
  };
  const platform =
    values.attach === undefined
      ? await startPlatform({ env: { INGEST_FLUSH_SECONDS: '10' } })
      : attachPlatform(values.attach);
  try {
    return await prove(platform, load, progress);
  } finally {
    await platform.stop();
  }
}

async function prove(
  platform: Platform,
  load: { devices: number; rate: number; durationMs: number; kills: number },
  progress: (line: string) => void,
): Promise<Outcome> {
  const differences: string[] = [];
  const endpoints = platform.endpoints();
  const plans = planSteady({ name: 'Cold', buildings: buildingsFor(load.devices), devices: load.devices });
  const session = await openSession({ endpointsFile: platform.endpointsFile, user: USER });
  const began = Date.now();
  const fleet = await ensureFleet(session, plans).finally(() => session.close());
  progress(`${load.devices} devices stand ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);

  const logFile = join(platform.dataDir, 'send.log');
  const log = createSendLog(logFile);
  const totals = createTotals();
  const flow = createFlow(totals);
  const sender = createSender({ origin: endpoints.gateway, totals, connections: 256, log });
  const start = Date.now() + LEAD_MS;
  const ticker = setInterval(() => {
    progress(
      `${Math.round((Date.now() - start) / 1000)} s: ${totals.acknowledged} readings acknowledged (${Math.round(flow.rate())}/s)`,
    );
  }, 15_000);
  try {
    const source = createSteady({
      buildings: fleet,
      start,
      durationMs: load.durationMs,
      intervalMs: (readingsARound(plans) / (load.rate * HEADROOM)) * 1000,
    });
    let slowKills = 0;
    const [answered, killed] = await Promise.all([
      runLoad({ sources: [source], sender, graceMs: GRACE_MS }),
      runKills({
        platform,
        start,
        times: killTimes(load.kills, load.durationMs),
        async whileFlowing() {
          const rate = await flow.atLeast(load.rate, FLOWS_WITHIN_MS);
          if (rate < load.rate) slowKills++;
          return `${Math.round(rate)} readings/s being acknowledged`;
        },
        progress,
      }),
    ]);
    const seconds = (Date.now() - start) / 1000;
    for (const line of linesOfTotals(totals)) progress(line);
    if (!answered || unacknowledged(totals) > 0) {
      differences.push(`${unacknowledged(totals)} readings were never acknowledged`);
    }
    if (slowKills > 0)
      differences.push(`${slowKills} kills came while fewer than ${load.rate} readings/s were acknowledged`);
    const rate = totals.acknowledged / seconds;
    if (load.durationMs >= LONG_ENOUGH_MS && rate < load.rate) {
      differences.push(
        `only ${rate.toFixed(0)} readings/s were acknowledged over the whole run, not ${load.rate}`,
      );
    }
    log.close();

    const landing = await collectLanding(endpoints, { withinMs: LANDED_WITHIN_MS });
    try {
      const compared = Date.now();
      const byLog = await compareWithLog(landing.connection, logFile);
      const byStream = await compareWithStream(landing.connection, landing.files, landing.end);
      differences.push(...byLog.differences, ...byStream.differences);
      progress(`compared by SQL in ${((Date.now() - compared) / 1000).toFixed(1)} s`);
      return {
        counts: {
          'kills done': killed.length,
          'readings acknowledged a second': Math.round(rate),
          'messages retried': totals.retried,
          'distinct readings sent': byLog.sent,
          'distinct readings acknowledged': byLog.acknowledged,
          'distinct readings stored': byLog.stored,
          'stream events landed': byStream.events,
          'landing files': landing.files.length,
        },
        differences,
      };
    } finally {
      landing.close();
    }
  } finally {
    clearInterval(ticker);
    flow.stop();
    await sender.stop();
    rmSync(logFile, { force: true });
  }
}
