declare const directory: unique symbol;

/**
 * The right to look a device up by its id, whoever owns it. Only the gateway's authentication (and claiming) may hold
 * one, because nobody is signed in yet when a device presents itself, and the replay of dead letters, which judges again
 * what a device has sent before. Lint refuses this import elsewhere.
 */
export interface DirectoryScope {
  readonly reason: 'device-authentication' | 'dead-letter-replay';
  readonly [directory]: true;
}

export function directoryScope(reason: DirectoryScope['reason']): DirectoryScope {
  return { reason } as DirectoryScope;
}
