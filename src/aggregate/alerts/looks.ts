/** What the clock is to look at, by the second at which it does. */
export interface Looks {
  /** At the first second from an instant (ms) on that has not begun. */
  at(instant: number, look: () => void): void;
  /** Looks at what is due at a second that has begun. */
  begin(second: number): void;
  /** What was due before a second is due then. */
  skipTo(second: number): void;
}

export function createLooks(now: { readonly second: number }): Looks {
  const agenda = new Map<number, (() => void)[]>();
  return {
    at(instant, look) {
      const due = Math.max(now.second + 1, Math.ceil(instant / 1000));
      const list = agenda.get(due);
      if (list) list.push(look);
      else agenda.set(due, [look]);
    },
    begin(second) {
      const due = agenda.get(second);
      if (due === undefined) return;
      agenda.delete(second);
      for (const look of due) look();
    },
    skipTo(second) {
      const looks = [...agenda.entries()]
        .filter(([at]) => at < second)
        .flatMap(([at, list]) => (agenda.delete(at), list));
      if (looks.length > 0) agenda.set(second, [...looks, ...(agenda.get(second) ?? [])]);
    },
  };
}
