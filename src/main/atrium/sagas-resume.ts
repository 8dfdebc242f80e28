import { explain } from '../../observability/logger';
import { OperatorError } from '../../observability/operator-error';
import { createRegistry } from '../../store/registry';
import { type Command } from './command';
import { openStore } from './store';

const MOST = 1_000;

/** Brings to their end what claims, moves, replacements and transfers have left half done. */
export const sagasResume: Command = {
  name: 'sagas resume',
  summary: 'finishes claims, moves, replacements and transfers that were broken off, now rather than shortly',
  async run(_args, say) {
    const { cosmos, keyring } = openStore();
    try {
      const registry = createRegistry({ cosmos, keyring: keyring() });
      // Also those of a moment ago: whoever is at one finds its steps done.
      const { ended, failed } = await registry.resumeSagas({ olderThanMs: 0, limit: MOST });
      say(`${ended} finished`);
      for (const { id, error } of failed) say(`${id} could not be finished: ${explain(error)}`);
      if (failed.length > 0) {
        throw new OperatorError(`${failed.length} could not be finished: the jobs process tries them again`);
      }
    } finally {
      cosmos.stop();
    }
  },
};
