// The tasks of a page's main thread, of a trace of Chromium.

/** An event of a trace; times in microseconds. */
export interface TraceEvent {
  readonly name: string;
  /** "X" for an event with a duration, "M" for a name of a thread. */
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** When it began. */
  readonly ts?: number;
  readonly dur?: number;
  /** Processor time. */
  readonly tdur?: number;
  readonly args?: {
    readonly name?: string;
    /** Of a message from another process. */
    readonly chrome_mojo_event_info?: { readonly mojo_interface_tag?: string };
  };
}

/** The longest task: by the clock, and how much of it was processor time. */
export interface LongestTask {
  readonly wallMs: number;
  readonly processorMs: number;
}

/**
 * The longest task of all main threads of pages in a trace. While a task runs, a page answers nothing. Tasks in which the
 * program that drives the browser asks the page something are left out, since a person's browser has none.
 *
 * @throws Error where the trace names no main thread, or holds no task of it
 */
export function longestTask(events: readonly TraceEvent[]): LongestTask {
  const mainThreads = new Set(
    events.filter(({ ph, args }) => ph === "M" && args?.name === "CrRendererMain").map(threadOf),
  );
  const questions = events.filter(
    ({ args }) => args?.chrome_mojo_event_info?.mojo_interface_tag === "blink.mojom.DevToolsSession",
  );
  const isOfDriver = (task: TraceEvent) =>
    questions.some((question) => threadOf(question) === threadOf(task) && isWithin(question, task));
  const tasks = events.filter(
    (event) =>
      event.ph === "X" &&
      event.name.endsWith("RunTask") &&
      mainThreads.has(threadOf(event)) &&
      !isOfDriver(event),
  );
  if (tasks.length === 0) throw new Error("the trace holds no task of a page's main thread");
  const longest = tasks.reduce((a, b) => ((b.dur ?? 0) > (a.dur ?? 0) ? b : a));
  return { wallMs: (longest.dur ?? 0) / 1000, processorMs: (longest.tdur ?? 0) / 1000 };
}

const isWithin = ({ ts = 0 }: TraceEvent, { ts: from = 0, dur = 0 }: TraceEvent): boolean =>
  ts >= from && ts <= from + dur;

const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
