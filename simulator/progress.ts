import { type SingleBar as Bar } from 'cli-progress';
import { sumOf, type Totals } from './totals';

/** Shows how a run goes: a bar on a terminal, otherwise one plain line every few seconds. */
export interface Progress {
  start(): void;
  stop(): void;
}

const BAR_MS = 200;
const LINE_MS = 5_000;

export function createProgress(options: {
  totals: Totals;
  /** Messages in all; null for a run without an end. */
  total: number | null;
  output: NodeJS.WriteStream;
  /** Where plain lines go. */
  say: (line: string) => void;
}): Progress {
  const { totals, total, output } = options;
  let timer: NodeJS.Timeout | undefined;
  let bar: Bar | undefined;

  const payload = (): Record<string, string | number> => ({
    acknowledged: totals.acknowledged,
    refused: sumOf(totals.refused),
    retried: totals.retried,
    p99: Math.round(totals.latency.percentile(0.99) ?? 0),
  });

  return {
    start() {
      if (output.isTTY && total !== null) {
        void import('cli-progress').then(({ SingleBar, Presets }) => {
          if (timer === undefined) return;
          bar = new SingleBar(
            {
              stream: output,
              format:
                '{bar} {value}/{total} messages, {acknowledged} readings acknowledged, {refused} refused, {retried} retried, p99 {p99} ms, {eta_formatted} left',
              hideCursor: true,
            },
            Presets.shades_classic,
          );
          bar.start(total, totals.sent, payload());
        });
        timer = setInterval(() => bar?.update(totals.sent, payload()), BAR_MS);
        return;
      }
      let last = totals.acknowledged;
      timer = setInterval(() => {
        const rate = Math.round(((totals.acknowledged - last) / LINE_MS) * 1000);
        last = totals.acknowledged;
        const { refused, retried, p99 } = payload();
        options.say(
          `${totals.sent}${total === null ? '' : ` of ${total}`} messages sent, ${totals.acknowledged} readings acknowledged ` +
            `(${rate}/s), ${refused} refused, ${retried} retried, p99 ${p99} ms`,
        );
      }, LINE_MS);
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
      bar?.update(totals.sent, payload());
      bar?.stop();
    },
  };
}
