const TURN_MS = 20;

/**
 * Begins to count the time that this process had, in milliseconds; what is returned ends that and gives the count.
 *
 * Promises in seconds are judged by it, as everything they are kept by runs in the test's own process: a timer's turns are
 * counted, so that while a busy machine gives the process no processor no time passes, and what is late is late for a
 * reason of its own.
 */
export function startOwnTime(): () => number {
  let turns = 0;
  const timer = setInterval(() => turns++, TURN_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    return turns * TURN_MS;
  };
}
