import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeCertificates } from '../../bench/fleet-platform';
import { type Platform, startPlatform } from '../support/platform';
import { verification as aggregateCrash } from './aggregate-crash.verify';
import { verification as cold } from './cold.verify';
import { verification as storm } from './storm.verify';

describe('the whole platform, while its processes die', () => {
  let folder: string;
  let platform: Platform;
  let caFile: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'atrium-short-'));
    const tls = writeCertificates(folder);
    caFile = tls.caFile;
    platform = await startPlatform({ env: { INGEST_FLUSH_SECONDS: '3', ...tls.env } });
  });
  afterAll(async () => {
    await platform?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('tells what SQL finds of a random stream, again soon after its worker died or its snapshots were damaged', async () => {
    const { counts, differences } = await aggregateCrash.run({
      args: ['--attach', platform.endpointsFile, '--rounds', '2', '--seed', '1', '--steady', '2s', '--short'],
      progress: () => undefined,
    });
    expect(differences).toEqual([]);
    expect(counts['rounds done']).toBe(2);
    expect(counts['live values compared']).toBeGreaterThan(10);
    expect(counts['alerts compared']).toBeGreaterThan(0);
  }, 400_000);

  it('stores what it acknowledged, once, while processes are killed -9', async () => {
    const { counts, differences } = await cold.run({
      args: [
        ...['--attach', platform.endpointsFile, '--devices', '100', '--rate', '50'],
        ...['--duration', '20s', '--kills', '4'],
      ],
      progress: () => undefined,
    });
    expect(differences).toEqual([]);
    expect(counts['kills done']).toBe(4);
    expect(counts['distinct readings stored']).toBeGreaterThan(900);
  }, 400_000);

  it('lets devices in that all come back at once, loses nothing, and leaves the others their time', async () => {
    const { counts, differences } = await storm.run({
      args: [
        ...['--attach', platform.endpointsFile, '--ca', caFile],
        ...['--devices', '240', '--connected', '60', '--interval', '2000', '--rounds', '1', '--short'],
      ],
      progress: () => undefined,
    });
    expect(differences).toEqual([]);
    expect(counts['readings acknowledged']).toBeGreaterThan(500);
  });
});
