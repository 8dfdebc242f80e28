import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fieldGatewaySettings } from '../../src/config/environment';
import { parseConfiguration } from '../../src/field-gateway/configuration';

const root = join(__dirname, '..', '..');
const parse = (value: unknown) => parseConfiguration(JSON.stringify(value), 'f.json');

describe('the field gateway’s configuration', () => {
  test('is what the guide shows', () => {
    const guide = readFileSync(join(root, 'docs', 'guides', 'field-gateway.md'), 'utf8');
    const shown = /```json\n([^]*?)```/.exec(guide)![1]!;
    const { line, modbus, cloud } = parseConfiguration(shown, 'field-gateway.json');
    expect(cloud.protocol).toBe('https');
    expect(line?.units[0]?.model.channels.map((each) => each.name)).toContain('smoke');
    expect(modbus?.devices[0]?.everySeconds).toBe(60);
  });

  test('needs little, and has a default for the rest', () => {
    const unit = { address: 'A', deviceId: 'dev_a', model: 'smoke-detector' };
    expect(parse({ dataDir: 'd', line: { units: [unit] } })).toMatchObject({
      cloud: { protocol: 'https' },
      queue: { maximumMegabytes: 1_024 },
      line: { host: '127.0.0.1', port: 4020 },
    });
  });

  test('has all its mistakes named at once, each with its place', () => {
    const unit = { address: 'hall', deviceId: 'dev_a', model: 'toaster' };
    const device = { host: '10.0.0.5', deviceId: 'child', model: 'thermometer', every: 5 };
    const wrong = { line: { units: [unit] }, modbus: { devices: [device] }, colour: 'red' };
    const mistakes = [
      /dataDir/,
      /line\.units\.0\.address: one to eight capital/,
      /line\.units\.0\.model: there is no such device model/,
      /modbus\.devices\.0\.deviceId: a device id/,
      /modbus\.devices\.0\.model: the model has no Modbus registers/,
      /modbus\.devices\.0.*every/,
      /colour/,
    ];
    for (const mistake of mistakes) expect(() => parse(wrong)).toThrow(mistake);
  });

  test('names each unit and each child once', () => {
    const unit = { address: 'A', deviceId: 'dev_a', model: 'smoke-detector' };
    const device = { host: 'h', deviceId: 'dev_a', model: 'modbus-climate-transmitter' };
    const twice = { dataDir: 'd', line: { units: [unit, unit] }, modbus: { devices: [device] } };
    expect(() => parse(twice)).toThrow(/line\.units\.1\.address: A stands here twice/);
    expect(() => parse(twice)).toThrow(/modbus\.devices\.0\.deviceId: dev_a stands here twice/);
    expect(() => parse({ dataDir: 'd' })).toThrow(/it names no child/);
  });

  test('is named on the command line or by the environment', () => {
    expect(fieldGatewaySettings({ config: 'a' }, { FIELD_GATEWAY_CONFIG: 'b' }).FIELD_GATEWAY_CONFIG).toBe(
      'a',
    );
    expect(
      fieldGatewaySettings({ config: undefined }, { FIELD_GATEWAY_CONFIG: 'b' }).FIELD_GATEWAY_CONFIG,
    ).toBe('b');
    expect(() => fieldGatewaySettings({ config: undefined }, {})).toThrow(/--config on the command line/);
  });
});

describe('the field gateway’s command line', () => {
  const program = join(root, 'dist', 'src', 'main', 'field-gateway.js');
  const run = (...given: string[]) =>
    spawnSync(process.execPath, [program, ...given], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });

  test('helps', () => {
    const { status, stdout } = run('--help');
    expect(status).toBe(0);
    expect(stdout).toContain('--config FILE');
  });

  test('says in one sentence what is wrong, and never what stands in the connection string', () => {
    const folder = mkdtempSync(join(tmpdir(), 'atrium-field-'));
    try {
      expect(run('--colour').stderr).toMatch(/^field-gateway: .*--help says what is taken\n$/);
      expect(run('--config', join(folder, 'none')).stderr).toMatch(
        /^field-gateway: the configuration cannot be read \(ENOENT\)/,
      );
      const unit = { address: 'A', deviceId: 'dev_a', model: 'smoke-detector' };
      const file = join(folder, 'f.json');
      writeFileSync(join(folder, 'c'), 'HostName=x;SharedAccessKey=c2VjcmV0');
      writeFileSync(
        file,
        JSON.stringify({ dataDir: 'd', connectionStringFile: 'c', line: { units: [unit] } }),
      );
      const { status, stderr, stdout } = run('--config', file);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^field-gateway: the connection string is none: .*\n$/);
      expect(stderr + stdout).not.toContain('c2VjcmV0');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
