import { explain } from '../observability/logger';
import { OperatorError } from '../observability/operator-error';
import { type Command } from './atrium/command';
import { curate } from './atrium/curate';
import { eraseTenant } from './atrium/erase-tenant';
import { hiveScripts } from './atrium/hive-scripts';
import { jobs } from './atrium/jobs';
import { makeOperator } from './atrium/make-operator';
import { sagasResume } from './atrium/sagas-resume';

/** Every command there is; a new one is a file beside these and a line here. */
const COMMANDS: readonly Command[] = [curate, eraseTenant, hiveScripts, jobs, makeOperator, sagasResume];

/** The operator's command line: `npm run atrium -- COMMAND`. */
async function main(words: readonly string[]): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const command = COMMANDS.find(({ name }) => name.split(' ').every((word, i) => words[i] === word));
  if (!command) {
    const asked = words.length > 0 && words[0] !== '--help';
    if (asked) process.stderr.write(`There is no command '${words.join(' ')}'.\n`);
    say('Usage: npm run atrium -- COMMAND\n');
    const width = Math.max(...COMMANDS.map(({ name }) => name.length));
    for (const { name, summary } of COMMANDS) say(`  ${name.padEnd(width)}  ${summary}`);
    say(
      '\nCOMMAND --help tells more. It works on the platform of DATA_DIR, or on the account of COSMOS_ENDPOINT.',
    );
    return asked ? 1 : 0;
  }
  const rest = words.slice(command.name.split(' ').length);
  if (rest.includes('--help')) {
    say(`${command.name}: ${command.summary}`);
    for (const option of command.options ?? []) say(`  ${option}`);
    return 0;
  }
  await command.run(rest, say);
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const operator = error instanceof OperatorError;
    process.stderr.write(`atrium: ${operator ? error.message : `it failed: ${explain(error)}`}\n`);
    process.exit(1);
  },
);
