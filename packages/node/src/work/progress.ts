// One line that says how far work is, how fast it goes and how long it will take. On stderr, so that stdout stays clean.
import { safeText } from "@lnsnet/core";

/** The state of the work. */
export interface ProgressState {
  readonly done: number;
  readonly total: number;
  /** Per second; by default what was done since the first update by the time it took. */
  readonly rate?: number;
  /** Further figures, such as a loss. */
  readonly text?: string;
}

export interface Progress {
  update(state: ProgressState): void;
  /** Prints a line of its own without tearing the progress line. */
  note(text: string): void;
  /** Prints the last state, with the time it took, and ends the line. Further calls do nothing. */
  finish(): void;
}

/** Where a progress line goes; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * On a terminal one line, rewritten up to ten times a second; elsewhere a plain line at most every ten seconds.
 *
 * @param title what is done, such as "train"
 * @param unit one of what is counted, such as "step"
 */
export function createProgress(
  title: string,
  unit: string,
  stream: ProgressStream = process.stderr,
  nowSeconds: () => number = () => performance.now() / 1000,
): Progress {
  const terminal = stream.isTTY === true;
  const intervalSeconds = terminal ? 0.1 : 10;
  const startSeconds = nowSeconds();
  let first: { done: number; seconds: number } | null = null;
  let last: ProgressState | null = null;
  let shownSeconds = Number.NEGATIVE_INFINITY;
  let finished = false;

  const rateOf = (state: ProgressState): number | null => {
    if (state.rate !== undefined) return state.rate;
    const seconds = first === null ? 0 : nowSeconds() - first.seconds;
    return first === null || state.done <= first.done || seconds <= 0
      ? null
      : (state.done - first.done) / seconds;
  };
  const show = (state: ProgressState): void => {
    const rate = rateOf(state);
    const left = rate !== null && rate > 0 ? (state.total - state.done) / rate : null;
    const tail = left === null ? null : `${duration(left)} left`;
    const line = progressLine(title, unit, state, rate, tail, terminal);
    stream.write(terminal ? `\r\u001b[2K${cut(line, stream)}` : `${line}\n`);
    shownSeconds = nowSeconds();
  };
  return {
    update(state) {
      if (finished) return;
      first ??= { done: state.done, seconds: nowSeconds() };
      last = state;
      if (nowSeconds() - shownSeconds >= intervalSeconds) show(state);
    },
    note(note) {
      const text = safeText(note);
      stream.write(terminal ? `\r\u001b[2K${text}\n` : `${text}\n`);
      if (terminal && last !== null && !finished) show(last);
    },
    finish() {
      if (finished) return;
      finished = true;
      if (last === null) return;
      const line = progressLine(
        title,
        unit,
        last,
        rateOf(last),
        `took ${duration(nowSeconds() - startSeconds)}`,
        terminal,
      );
      stream.write(terminal ? `\r\u001b[2K${cut(line, stream)}\n` : `${line}\n`);
    },
  };
}

/** Seconds as `0:07`, `12:34` or `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function progressLine(
  title: string,
  unit: string,
  { done, total, text }: ProgressState,
  rate: number | null,
  tail: string | null,
  withBar: boolean,
): string {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const filled = Math.round(share * 20);
  const parts = [
    `${title} ${withBar ? `${"█".repeat(filled)}${"░".repeat(20 - filled)} ` : ""}${done}/${total}`,
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
