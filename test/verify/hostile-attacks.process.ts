import { ATTACKS, type Seen, type Target } from './hostile-attacks';

/** To the process: which attack, upon what, for how long. It answers with what came back. */
export interface Order {
  attack: string;
  target: Target;
  milliseconds: number;
}

process.on('disconnect', () => process.exit());
process.on('message', ({ attack: name, target, milliseconds }: Order) => {
  const attack = ATTACKS.find((each) => each.name === name)!;
  const seen: Seen = {};
  const over = new AbortController();
  setTimeout(() => over.abort(), milliseconds);
  void attack.run(target, over.signal, seen).then(() => process.send!(seen));
});
