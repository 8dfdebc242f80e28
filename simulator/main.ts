import { OperatorError } from '../src/observability/operator-error';
import { burstCommand } from './burst.command';
import { replayCommand } from './replay.command';
import { steadyCommand } from './steady.command';

/** `npm run simulate -- COMMAND`: devices as a load. They speak the public device protocol and the public API only. */
const commands: Record<string, { summary: string; run: (args: string[]) => Promise<number> }> = {
  replay: { summary: 'a recording of a real building, at any pace', run: replayCommand },
  steady: { summary: 'many devices that each send a reading an interval', run: steadyCommand },
  burst: { summary: 'as many readings as the platform takes, many a message', run: burstCommand },
};

const [name, ...args] = process.argv.slice(2);
const command = name === undefined ? undefined : commands[name];
if (command === undefined) {
  const asked = name === undefined || name === '--help' ? '' : `There is no command '${name}'.\n`;
  process.stdout.write(`${asked}Usage: npm run simulate -- COMMAND [options]\n\n`);
  for (const [each, { summary }] of Object.entries(commands)) {
    process.stdout.write(`  ${each.padEnd(10)}${summary}\n`);
  }
  process.stdout.write('\nCOMMAND --help lists the options of one.\n');
  process.exit(name === undefined || name === '--help' ? 0 : 1);
}
command.run(args).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const text = error instanceof OperatorError ? error.message : String((error as Error)?.stack ?? error);
    process.stderr.write(`simulate: ${text}\n`);
    process.exit(1);
  },
);
