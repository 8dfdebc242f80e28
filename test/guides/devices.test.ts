import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildDevice, connectionStringOf } from '../gateway/devices.support';
import { startPlatform } from '../gateway/gateway.support';
import { createCertificates } from '../support/certificate';
import { eventually } from '../support/eventually';

describe('the guide to connecting a device', () => {
  const root = join(__dirname, '..', '..');
  const guide = readFileSync(join(root, 'docs', 'devices.md'), 'utf8');
  const programsIn = (language: string): string[] =>
    [...guide.matchAll(new RegExp('```' + language + '\\n([^]*?)```', 'g'))].map((match) => match[1]!);
  const programs = programsIn('js');
  const pythonPrograms = programsIn('python');
  const device = buildDevice();
  const certificates = createCertificates();
  const folder = mkdtempSync(join(tmpdir(), 'atrium-guide-'));
  let platform: Awaited<ReturnType<typeof startPlatform>>;

  beforeAll(async () => {
    writeFileSync(join(folder, 'ca.pem'), certificates.ca);
    platform = await startPlatform({ devices: [device], tls: certificates });
  });
  afterAll(async () => {
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a program of the guide, and resolves with what it printed. */
  const run = (command: string, args: string[]): Promise<string> =>
    new Promise((resolve) => {
      const child = spawn(command, args, {
        cwd: root,
        env: {
          PATH: process.env.PATH,
          CONNECTION_STRING: connectionStringOf(device, `127.0.0.1:${platform.port}`),
          MQTT_URL: `mqtt://127.0.0.1:${platform.mqttPort}`,
          MQTTS_PORT: String(platform.mqttsPort),
          AMQPS_PORT: String(platform.amqpsPort),
          CA_FILE: join(folder, 'ca.pem'),
          // Here the host is an address, which Node says is no name for TLS to ask for.
          NODE_NO_WARNINGS: '1',
        },
      });
      let text = '';
      child.stdout.on('data', (chunk) => (text += String(chunk)));
      child.stderr.on('data', (chunk) => (text += String(chunk)));
      child.on('close', () => resolve(text.trim()));
    });

  test('shows programs whose readings arrive', async () => {
    expect(programs).toHaveLength(4);
    expect(pythonPrograms).toHaveLength(1);
    const printed = await Promise.all([
      ...programs.map((program) => run(process.execPath, ['--input-type=commonjs', '-e', program])),
      ...pythonPrograms.map((program) => run('python3', ['-c', program])),
    ]);
    expect(printed).toEqual(['204', 'acknowledged', 'accepted', 'acknowledged', '204']);
    await eventually(() =>
      expect(platform.stream.readings.map((each) => each.value).sort()).toEqual([
        21.5, 22.5, 23.5, 24.5, 25.5,
      ]),
    );
  });
});
