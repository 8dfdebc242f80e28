/** `npm run emulator -- NAME`: starts one local stand-in alone. Each file runs itself when loaded. */
const emulators: Record<string, { summary: string; load: () => Promise<unknown> }> = {
  'event-hubs': {
    summary: 'Azure Event Hubs over AMQP 1.0, with a durable log a partition',
    load: () => import('./event-hubs/main.js'),
  },
  cosmos: {
    summary: 'Azure Cosmos DB for NoSQL over HTTP, on SQLite',
    load: () => import('./cosmos/main.js'),
  },
  blob: { summary: 'Azure Blob Storage (Azurite)', load: () => import('./blob/main.js') },
  identity: {
    summary: 'an OpenID Connect provider with the demo people',
    load: () => import('./identity/main.js'),
  },
};

const name = process.argv[2];
const chosen = name === undefined ? undefined : emulators[name];
if (chosen === undefined) {
  const asked = name === undefined || name === '--help' ? '' : `There is no emulator '${name}'.\n`;
  process.stdout.write(`${asked}Usage: npm run emulator -- NAME [--help] [options]\n\n`);
  for (const [each, { summary }] of Object.entries(emulators)) {
    process.stdout.write(`  ${each.padEnd(12)}${summary}\n`);
  }
  process.exit(name === undefined || name === '--help' ? 0 : 1);
}
process.argv.splice(2, 1);
chosen.load().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
