import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Platform, startPlatform } from '../support/platform';
import { ensureFleet } from '../../simulator/ensure-fleet';
import { openSession } from '../../simulator/session';
import { planSteady } from '../../simulator/steady';
import { verification as attribution } from './attribution.verify';
import { verification as averages } from './averages.verify';

/** Three rooms of a made-up building for half an hour, one of them with a broken thermometer. */
function recording(): string {
  const lines = ['room,timestamp,co2,humidity,light,pir,temperature'];
  for (let minute = 0; minute < 30; minute++) {
    for (const room of [1, 2, 3]) {
      const at = new Date(Date.UTC(2020, 0, 1, 8, minute)).toISOString();
      const temperature = room === 3 && minute % 2 === 0 ? 116.5 : 20 + room / 3 + minute / 7;
      lines.push(
        `${room},${at},${400 + minute * room},${40 + room},${100 + minute},${minute % 3},${temperature}`,
      );
    }
  }
  return lines.join('\n');
}

describe('the whole platform', () => {
  let folder: string;
  let platform: Platform;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'atrium-short-'));
    platform = await startPlatform({ env: { INGEST_FLUSH_SECONDS: '3' } });
  });
  afterAll(async () => {
    await platform?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives the simulator the same devices again, and others in place of those whose secrets were lost', async () => {
    const session = await openSession({ endpointsFile: platform.endpointsFile, user: 'owner@north.example' });
    try {
      const plans = planSteady({ name: 'Found again', buildings: 1, devices: 5 });
      const [first] = await ensureFleet(session, plans);
      expect((await ensureFleet(session, plans))[0]).toEqual(first);
      rmSync(join(platform.dataDir, 'simulator'), { recursive: true });
      const again = await openSession({ endpointsFile: platform.endpointsFile, user: 'owner@north.example' });
      const [second] = await ensureFleet(again, plans);
      await again.close();
      expect(second!.buildingId).toBe(first!.buildingId);
      const found = await session.api.buildingNamed(session.tenantId, plans[0]!.name);
      expect(found!.devices.map(({ id }) => id).sort()).toEqual(
        second!.devices.map(({ deviceId }) => deviceId).sort(),
      );
      expect(second!.devices.map(({ deviceId }) => deviceId)).not.toContain(first!.devices[0]!.deviceId);
    } finally {
      await session.close();
    }
  });

  it('shows the averages that SQL finds, of a recording sent late too, while a worker is killed -9, and no others', async () => {
    const file = join(folder, 'recording.csv');
    writeFileSync(file, recording());
    const { tables, counts, differences } = await averages.run({
      args: [
        ...['--attach', platform.endpointsFile, '--file', file, '--building', 'Three rooms', '--late', '10m'],
        ...['--random', '--seeds', '1', '--duration', '10s', '--run-on', '1s', '--kills', '1', '--short'],
      ],
      progress: () => undefined,
    });
    expect(differences).toEqual([]);
    expect(counts['kills done']).toBe(1);
    expect(counts['live values compared']).toBeGreaterThan(10);
    expect(counts['corrections compared']).toBeGreaterThan(0);
    expect(counts['readings refused and kept as dead letters']).toBe(10);
    expect(tables!.at(-1)!.rows.map(([name, , , , verdict]) => [name, verdict])).toEqual([
      ['the window as it is', 'equal'],
      ['counts what was sent twice twice', 'caught'],
      ['is off by one second', 'caught'],
      ['lets readings expire by their arrival', 'caught'],
    ]);
  }, 400_000);

  it('finds what devices observed before a move, a replacement or a transfer where they stood then', async () => {
    const { counts, differences } = await attribution.run({
      args: ['--attach', platform.endpointsFile, '--devices', '9', '--changes', '3'],
      progress: () => undefined,
    });
    expect(differences).toEqual([]);
    expect(counts['of them sent after a later change']).toBeGreaterThan(5);
  });
});
