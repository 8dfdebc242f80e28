import { parseArgs } from 'node:util';
import { OperatorError } from '../../observability/operator-error';
import { createPeople } from '../../store/people/people';
import { type Command } from './command';
import { openStore } from './store';

/** Lets somebody run the platform: create tenants. It shows them nothing of any. */
export const makeOperator: Command = {
  name: 'make-operator',
  summary: 'lets a person create tenants, or no longer; shows them nothing of any',
  options: [
    '--issuer URL    who signs their tokens in (iss)',
    '--subject ID    who they are there (sub), never an email address',
    '--end           they are an operator no longer, within two seconds',
  ],
  async run(args, say) {
    const { issuer, subject, end } = optionsOf(args);
    const { cosmos } = openStore();
    try {
      await cosmos.ensureContainers();
      const outcome = await createPeople({ cosmos }).setOperator({ issuer, subject }, !end);
      if (!outcome.ok) throw new OperatorError(outcome.refusal.message);
      say(`${outcome.value.personId} ${end ? 'is an operator no longer' : 'is an operator of the platform'}`);
    } finally {
      cosmos.stop();
    }
  },
};

function optionsOf(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        issuer: { type: 'string' },
        subject: { type: 'string' },
        end: { type: 'boolean', default: false },
      },
    });
    const { issuer, subject, end } = values;
    if (!issuer || !subject) throw new Error('say by --issuer and --subject who it is');
    return { issuer, subject, end };
  } catch (error) {
    throw new OperatorError((error as Error).message);
  }
}
