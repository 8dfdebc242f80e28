import { type Verification } from './verification';

/** Each stand-in that keeps data, and its proof; loaded only when it is run. */
const proofs: Record<string, () => Promise<Verification>> = {
  'event-hubs': async () => (await import('./crash-event-hubs.js')).crashEventHubs,
  cosmos: async () => (await import('./crash-cosmos.js')).crashCosmos,
};

/** `npm run verify -- crash event-hubs|cosmos`: kills and losses of power under load lose nothing acknowledged. */
export const verification: Verification = {
  name: 'crash',
  summary:
    'kills a stand-in under load and drops what it had not synced: nothing acknowledged is lost, nothing is invented',
  options: [
    'event-hubs | cosmos  which one',
    '--rounds N           how many kills (default 50)',
    '--from-round N       number of the first round, for the log of an interrupted run (default 1)',
    '--seed N             repeats the random choices of a run',
  ],
  async run({ args, progress }) {
    const [name, ...rest] = args;
    const load = name === undefined ? undefined : proofs[name];
    if (load === undefined) throw new Error(`name one of ${Object.keys(proofs).join(', ')}`);
    return (await load()).run({ args: rest, progress });
  },
};
