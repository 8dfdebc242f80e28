const ALL_BUT_THE_DATE = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

/** Stops the date of the test's process, here where it is or at the instant given, until `jest.useRealTimers`. */
export function freezeDate(at = Date.now()): void {
  jest.useFakeTimers({ now: at, doNotFake: [...ALL_BUT_THE_DATE] });
}
