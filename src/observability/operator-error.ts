/**
 * A fault that only the operator can mend: a port in use, a missing setting, a corrupt folder. Its message is one
 * sentence that says what is wrong and what to do; a process that meets one prints it and exits 1, without a stack.
 */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}

/** Turns the error of a `listen` call into the sentence an operator can act on. */
export function listenError(error: unknown, what: string, host: string, port: number): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    return new OperatorError(
      `${what} cannot listen on ${host}:${port}, the port is in use: stop the other program or choose another port`,
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new OperatorError(
      `${what} cannot listen on ${host}:${port} (${code}): choose another port or host`,
    );
  }
  return error instanceof Error ? error : new Error(String(error));
}
