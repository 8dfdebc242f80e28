import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataFolder } from '../../src/main/local/data-folder';
import { renderTable } from '../../src/main/local/live-table';
import { choosePorts } from '../../src/main/local/ports';
import { createSupervisor } from '../../src/main/local/supervisor';
import { OperatorError } from '../../src/observability/operator-error';
import { eventually } from '../support/eventually';

describe('the laptop’s data folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'atrium-local-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('draws its keys once, for its owner’s eyes only, and finds them again', () => {
    const first = openDataFolder(folder);
    first.release();
    const second = openDataFolder(folder);
    expect(second.secrets).toEqual(first.secrets);
    expect(Buffer.from(first.secrets.deviceKeyEncryptionKey, 'base64')).toHaveLength(32);
    expect(statSync(join(folder, 'secrets.json')).mode & 0o077).toBe(0);
    second.release();
  });

  it('refuses a second supervisor, and takes over from one that died', () => {
    writeFileSync(join(folder, 'supervisor.pid'), String(process.ppid));
    expect(() => openDataFolder(folder)).toThrow(/is in use by process/);
    writeFileSync(join(folder, 'supervisor.pid'), '2147483646');
    openDataFolder(folder).release();
  });

  it('says in one sentence that the keys are damaged, and does not draw new ones over them', () => {
    writeFileSync(join(folder, 'secrets.json'), '{"cursorKey":');
    expect(() => openDataFolder(folder)).toThrow(OperatorError);
    expect(readFileSync(join(folder, 'secrets.json'), 'utf8')).toBe('{"cursorKey":');
  });

  it('shows endpoints.json whole or not at all, and takes it away on release', () => {
    const opened = openDataFolder(folder);
    opened.writeEndpoints({ api: 'http://127.0.0.1:4000/graphql' });
    expect(JSON.parse(readFileSync(join(folder, 'endpoints.json'), 'utf8'))).toEqual({
      api: 'http://127.0.0.1:4000/graphql',
    });
    opened.release();
    expect(() => statSync(join(folder, 'endpoints.json'))).toThrow();
  });
});

describe('the choice of ports', () => {
  it('keeps those that were asked for and gives every 0 a free one of its own', async () => {
    const ports = await choosePorts('127.0.0.1', { api: 4000, blob: 0, cosmos: 0 });
    expect(ports.api).toBe(4000);
    expect(ports.blob).toBeGreaterThan(0);
    expect(ports.blob).not.toBe(ports.cosmos);
  });
});

describe('the supervisor', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'atrium-supervisor-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const scripted = (name: string, source: string): string => {
    const path = join(folder, `${name}.js`);
    writeFileSync(path, source);
    return path;
  };

  it('starts again what was killed, under another process id', async () => {
    const events: string[] = [];
    const supervisor = createSupervisor({
      logs: join(folder, 'logs'),
      onChange: ({ name, what }) => events.push(`${name} ${what}`),
    });
    const script = scripted(
      'worker',
      'setInterval(() => {}, 1000); process.on("disconnect", () => process.exit());',
    );
    await supervisor.start({ name: 'worker', script, env: {} });
    const first = supervisor.processes().worker!;
    process.kill(first, 'SIGKILL');
    await eventually(() => {
      expect(supervisor.processes().worker ?? first).not.toBe(first);
    });
    await supervisor.stop([['worker']]);
    expect(supervisor.processes()).toEqual({});
    expect(events).toEqual(['worker started', 'worker ended', 'worker started']);
  });

  it('repeats the one sentence of a process that cannot start', async () => {
    const supervisor = createSupervisor({ logs: join(folder, 'logs'), onChange: () => {} });
    const script = scripted(
      'broken',
      'process.stderr.write("broken: the port is in use\\n"); process.exit(1);',
    );
    await expect(
      supervisor.start({ name: 'broken', script, env: {}, readyUrl: 'http://127.0.0.1:9/readyz' }),
    ).rejects.toThrow('broken: the port is in use');
    await supervisor.stop([]);
  });
});

describe('the live table', () => {
  it('shows a mean with its unit, a dash for an empty window and how many devices report', () => {
    const average = {
      quantity: 'AIR_TEMPERATURE',
      unit: 'Cel',
      readings: 12,
      devicesReporting: 3,
      devicesExpected: 4,
    };
    const lines = renderTable(
      [
        {
          name: 'Quay 1',
          tenant: { name: 'North' },
          averages: [
            { ...average, mean: 21.456, windowEnd: '2026-01-01T00:00:00Z' },
            { ...average, quantity: 'CO2_LEVEL', mean: null, windowEnd: '2026-01-01T00:00:00Z' },
          ],
        },
      ],
      new Date(0),
    );
    expect(lines[2]).toMatch(/^North \/ Quay 1 +21\.46 Cel +- +24 +3 of 4$/);
  });
});
