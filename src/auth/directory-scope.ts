declare const directory: unique symbol;

/**
 * The right to look a device up by its id, whoever owns it. Only the gateway's authentication (and claiming) may hold
 * one: nobody is signed in yet when a device presents itself. Lint refuses this import elsewhere.
 */
export interface DirectoryScope {
  readonly reason: 'device-authentication';
  readonly [directory]: true;
}

export function directoryScope(reason: DirectoryScope['reason']): DirectoryScope {
  return { reason } as DirectoryScope;
}
