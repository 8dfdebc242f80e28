import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureFleet } from '../simulator/ensure-fleet';
import { createSasToken } from '../simulator/sas-token';
import { openSession } from '../simulator/session';
import { planSteady } from '../simulator/steady';
import { createCertificates } from '../test/support/certificate';
import { attachPlatform, type Platform, startPlatform } from '../test/support/platform';
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

/** Writes a certificate of a moment into the folder. */
export function writeCertificates(folder: string): {
  ca: string;
  caFile: string;
  /** What a platform needs to speak TLS. */
  env: { TLS_CERT_FILE: string; TLS_KEY_FILE: string };
} {
  const { ca, cert, key } = createCertificates();
  const caFile = join(folder, 'ca.pem');
  const env = { TLS_CERT_FILE: join(folder, 'cert.pem'), TLS_KEY_FILE: join(folder, 'key.pem') };
  writeFileSync(caFile, ca);
  writeFileSync(env.TLS_CERT_FILE, cert);
  writeFileSync(env.TLS_KEY_FILE, key, { mode: 0o600 });
  return { ca, caFile, env };
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
  /** A platform that runs already with MQTTS, and stays: its endpoints.json, and the file of its authority. */
  attach?: { endpointsFile: string; caFile: string };
}): Promise<FleetPlatform> {
  const { progress } = options;
  const folder = mkdtempSync(join(tmpdir(), 'atrium-fleet-'));
  const tls = writeCertificates(folder);
  const { attach } = options;
  const ca = attach === undefined ? tls.ca : readFileSync(attach.caFile, 'utf8');
  const platform =
    attach === undefined
      ? await startPlatform({
          env: { ...tls.env, ...options.env },
          ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
        })
      : attachPlatform(attach.endpointsFile);
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
