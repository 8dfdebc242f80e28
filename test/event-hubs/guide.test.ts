import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Namespace, openNamespace } from './support/namespace';

describe('the guide', () => {
  let namespace: Namespace;
  // Beside the packages, so that the program finds the SDK as a reader's own would.
  const program = join(process.cwd(), 'node_modules', '.cache', `event-hubs-guide-${process.pid}.cjs`);
  beforeEach(async () => {
    namespace = await openNamespace({ hubs: { eh1: 4 } });
  });
  afterEach(async () => {
    await namespace.stop();
    rmSync(program, { force: true });
  });

  test('holds a program with the plain SDK that works as it stands', async () => {
    const page = readFileSync('docs/emulators/event-hubs.md', 'utf8');
    // A fresh clone has no such folder yet.
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, /```js\n([^]*?)```/.exec(page)![1]!);
    const printed = await new Promise<string>((resolve, reject) => {
      const env = {
        ...process.env,
        NODE_OPTIONS: '',
        EVENT_HUBS_CONNECTION_STRING: namespace.connectionString,
      };
      execFile(process.execPath, [program], { env }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      );
    });
    expect(printed).toBe('21.5 22\n');
  });
});
