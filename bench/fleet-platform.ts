import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureFleet } from '../simulator/ensure-fleet';
import { createSasToken } from '../simulator/sas-token';
import { openSession } from '../simulator/session';
import { planSteady } from '../simulator/steady';
import { createCertificates } from '../test/support/certificate';
import { type Platform, startPlatform } from '../test/support/platform';
import { type LoadDevice } from './gateway.load';

/** A platform of its own that speaks MQTTS, with thermometers that were provisioned through the public API. */
export interface FleetPlatform {
  platform: Platform;
  devices: LoadDevice[];
  mqttPort(): number;
  mqttsPort(): number;
  /** Who signed the gateway's certificate, PEM. */
  ca: string;
  stop(): Promise<void>;
}

const USER = 'owner@north.example';
const TOKEN_SECONDS = 12 * 3600;

export async function startFleetPlatform(options: {
  devices: number;
  buildings: number;
  progress: (line: string) => void;
  env?: Record<string, string>;
  /** Kept, so that a second run finds its devices there. Left out, a temporary one. */
  dataDir?: string;
}): Promise<FleetPlatform> {
  const { progress } = options;
  const folder = mkdtempSync(join(tmpdir(), 'atrium-fleet-'));
  const { ca, cert, key } = createCertificates();
  const TLS_CERT_FILE = join(folder, 'cert.pem');
  const TLS_KEY_FILE = join(folder, 'key.pem');
  writeFileSync(TLS_CERT_FILE, cert);
  writeFileSync(TLS_KEY_FILE, key, { mode: 0o600 });
  const platform = await startPlatform({
    env: { TLS_CERT_FILE, TLS_KEY_FILE, ...options.env },
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
  });
  const stop = async (): Promise<void> => {
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    progress(`platform ready after ${(platform.startMilliseconds / 1000).toFixed(1)} s`);
    const session = await openSession({ endpointsFile: platform.endpointsFile, user: USER });
    try {
      const began = Date.now();
      const { devices: wanted, buildings } = options;
      const plan = planSteady({ name: 'Fleet', buildings, devices: wanted, models: ['thermometer'] });
      const fleet = await ensureFleet(session, plan);
      progress(`${wanted} devices there after ${((Date.now() - began) / 1000).toFixed(1)} s`);
      const devices = fleet.flatMap((building) =>
        building.devices.map(({ deviceId, connectionString }) => ({
          deviceId,
          token: createSasToken(connectionString, TOKEN_SECONDS),
        })),
      );
      // Neighbours in the order of sending stand in different buildings, as they do in life.
      const shuffled = devices.map((_, i) => devices[(i * 7919) % devices.length]!);
      return {
        platform,
        devices: new Set(shuffled).size === devices.length ? shuffled : devices,
        mqttPort: () => Number(new URL(platform.endpoints().mqtt).port),
        mqttsPort: () => Number(new URL(platform.endpoints().mqtts!).port),
        ca,
        stop,
      };
    } finally {
      await session.close();
    }
  } catch (error) {
    await stop();
    throw error;
  }
}
