// Lines that say how far work is, how fast it goes and how long it will take. On stderr, so that stdout stays clean.
import type { Progress } from "@lnsnet/core/job";
import { safeText } from "@lnsnet/core/text";
import { duration } from "@lnsnet/node/work";

/** The lines of one job: one for each stage, one after the other. */
export interface ProgressLines {
  /** Shows how far a stage is. Its line ends when all is done, or when the next stage begins. */
  show(progress: Progress): void;
  /** Prints a line of text; the progress line is shown again below it. */
  note(text: string): void;
  /** Ends the line of a stage that ended early. */
  finish(): void;
}

/** Where progress lines go; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** On a terminal a line is rewritten up to ten times a second; elsewhere a plain line comes at most every ten seconds. */
export function createProgressLines(
  stream: ProgressStream,
  nowSeconds: () => number = () => performance.now() / 1000,
): ProgressLines {
  let current: StageLine | null = null;
  const finish = () => {
    current?.finish();
    current = null;
  };
  return {
    finish,
    show(progress) {
      if (current !== null && !current.goesOnTo(progress)) finish();
      current ??= stageLine(stream, nowSeconds);
      current.update(progress);
      if (progress.done >= progress.total) finish();
    },
    note(text) {
      const line = `${safeText(text)}\n`;
      stream.write(stream.isTTY ? `\r\u001b[2K${line}` : line);
      current?.showAgain();
    },
  };
}

interface StageLine {
  update(progress: Progress): void;
  /** Whether it is the same stage, further on. */
  goesOnTo(progress: Progress): boolean;
  /** Shows the line again after other text was printed. */
  showAgain(): void;
  /** Prints the last state, with the time that it took, and ends the line. */
  finish(): void;
}

function stageLine(stream: ProgressStream, nowSeconds: () => number): StageLine {
  const terminal = stream.isTTY === true;
  const intervalSeconds = terminal ? 0.1 : 10;
  const startSeconds = nowSeconds();
  let first: { done: number; seconds: number } | null = null;
  let last: Progress | null = null;
  let shownSeconds = Number.NEGATIVE_INFINITY;

  const rateOf = (state: Progress): number | null => {
    if (state.rate !== undefined) return state.rate;
    const seconds = first === null ? 0 : nowSeconds() - first.seconds;
    return first === null || state.done <= first.done || seconds <= 0
      ? null
      : (state.done - first.done) / seconds;
  };
  const show = (state: Progress): void => {
    const rate = rateOf(state);
    const left = rate !== null && rate > 0 ? (state.total - state.done) / rate : null;
    const line = progressLine(state, rate, left === null ? null : `${duration(left)} left`, terminal);
    stream.write(terminal ? `\r\u001b[2K${cut(line, stream)}` : `${line}\n`);
  };
  return {
    update(state) {
      const isBeginning = first === null;
      first ??= { done: state.done, seconds: nowSeconds() };
      last = state;
      if (state.done >= state.total || nowSeconds() - shownSeconds < intervalSeconds) return;
      show(state);
      // The first state of a stage has no rate yet, so the next one is shown at once.
      if (!isBeginning) shownSeconds = nowSeconds();
    },
    goesOnTo: ({ stage, unit, done }) =>
      last === null || (last.stage === stage && last.unit === unit && last.done <= done),
    showAgain() {
      if (terminal && last !== null) show(last);
    },
    finish() {
      if (last === null) return;
      const took = `took ${duration(nowSeconds() - startSeconds)}`;
      const line = progressLine(last, rateOf(last), took, terminal);
      stream.write(terminal ? `\r\u001b[2K${cut(line, stream)}\n` : `${line}\n`);
    },
  };
}

function progressLine(
  { stage, unit, done, total, text }: Progress,
  rate: number | null,
  tail: string | null,
  withBar: boolean,
): string {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const filled = Math.round(share * 20);
  const parts = [
    `${stage} ${withBar ? `${"█".repeat(filled)}${"░".repeat(20 - filled)} ` : ""}${done}/${total}`,
    rate === null
      ? null
      : rate >= 1 || rate === 0
        ? `${rate.toFixed(1)} ${unit}${unit.endsWith("ch") ? "es" : "s"}/s`
        : `${(1 / rate).toFixed(1)} s a ${unit}`,
    text ?? null,
    tail,
  ];
  return safeText(parts.filter((part) => part !== null && part !== "").join(" · "));
}

/** A line as wide as the terminal would wrap, and could then not be rewritten. Some terminals state a width of 0. */
function cut(line: string, stream: ProgressStream): string {
  const room = (stream.columns || 100) - 1;
  const letters = [...line];
  return letters.length <= room ? line : `${letters.slice(0, Math.max(0, room - 1)).join("")}…`;
}
