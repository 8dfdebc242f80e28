/** The end of a turn, shared by all connections: thousands of PUBACKs become writable at once. */
export interface TurnEnd {
  /** Runs `work` after the present turn, once for each time it is asked. It must not throw. */
  then(work: () => void): void;
}

export function createTurnEnd(): TurnEnd {
  let waiting: (() => void)[] = [];
  const run = (): void => {
    const now = waiting;
    waiting = [];
    for (const work of now) work();
  };
  return {
    then(work) {
      if (waiting.length === 0) process.nextTick(run);
      waiting.push(work);
    },
  };
}

/** What one connection answers in one turn leaves in one write: one system call, and over TLS one record. */
export interface TurnWrites {
  add(bytes: Buffer): void;
  /** Bytes that wait for the end of the turn. */
  bytes(): number;
  /** Hands over what there is, now. */
  flush(): void;
}

export function createTurnWrites(turnEnd: TurnEnd, write: (bytes: Buffer) => void): TurnWrites {
  let first: Buffer | undefined;
  /** Nearly always there is only one. */
  let further: Buffer[] | undefined;
  let bytes = 0;

  const flush = (): void => {
    if (first === undefined) return;
    const all = further === undefined ? first : Buffer.concat([first, ...further]);
    first = further = undefined;
    bytes = 0;
    write(all);
  };

  return {
    add(answer) {
      bytes += answer.length;
      if (first !== undefined) return void (further ??= []).push(answer);
      first = answer;
      turnEnd.then(flush);
    },
    bytes: () => bytes,
    flush,
  };
}
