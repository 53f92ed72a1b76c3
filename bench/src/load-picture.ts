// Draws the load run: what each worker did when, what was killed, how many studies were done, and the memory.

/** A task at a worker, in seconds since the run began. */
export interface Stretch {
  readonly worker: number;
  readonly job: string;
  readonly from: number;
  readonly until: number;
  /** Else the worker was killed. */
  readonly isDone: boolean;
}

/** Bytes; null where the process was not there. */
export interface MemorySample {
  readonly at: number;
  readonly service: number | null;
  readonly redis: number | null;
}

export interface LoadRun {
  readonly workers: number;
  readonly studies: number;
  readonly seconds: number;
  readonly stretches: readonly Stretch[];
  readonly marks: readonly { readonly at: number; readonly what: string; readonly worker?: number }[];
  readonly done: readonly { readonly at: number; readonly count: number }[];
  readonly memory: readonly MemorySample[];
}

const width = 960;
const [left, right] = [96, width - 20];
const rowHeight = 26;
const panelHeight = 110;
const colours = {
  done: "#2f6f9f",
  cut: "#d9822b",
  mark: "#b03030",
  ink: "#222",
  grid: "#ddd",
  redis: "#7a5195",
};

/** A stand-alone SVG. */
export function timelineSvg(run: LoadRun): string {
  const across = (seconds: number) => left + (seconds / run.seconds) * (right - left);
  const rowsTop = 64;
  const rowsBottom = rowsTop + run.workers * rowHeight;
  const doneTop = rowsBottom + 44;
  const memoryTop = doneTop + panelHeight + 44;
  const height = memoryTop + panelHeight + 44;
  const bars = run.stretches.map(({ worker, from, until, isDone }) => {
    const [x, y] = [across(from), rowsTop + worker * rowHeight + 4];
    const size = `width="${fixed(Math.max(1, across(until) - x - 0.6))}" height="${rowHeight - 8}"`;
    return `<rect x="${fixed(x)}" y="${y}" ${size} fill="${isDone ? colours.done : colours.cut}"/>`;
  });
  const kills = run.marks.flatMap(({ at, worker }) =>
    worker === undefined ? [] : cross(across(at), rowsTop + (worker + 0.5) * rowHeight),
  );
  const events = run.marks
    .filter(({ worker }) => worker === undefined)
    .map(({ at, what }, n) => {
      const x = fixed(across(at));
      const line = `<line x1="${x}" x2="${x}" y1="50" y2="${memoryTop + panelHeight}" stroke="${colours.mark}" stroke-dasharray="4 3"/>`;
      return line + text(across(at) + 4, 48 - 13 * (n % 2), what, { fill: colours.mark });
    });
  const names = Array.from({ length: run.workers }, (_, n) =>
    text(left - 8, rowsTop + (n + 0.5) * rowHeight + 4, `worker ${n + 1}`, { anchor: "end" }),
  );
  const megabytes = (bytes: number | null) => (bytes === null ? null : bytes / 1e6);
  const highest = Math.max(...run.memory.flatMap(({ service, redis }) => [service ?? 0, redis ?? 0])) / 1e6;
  const done = panel(doneTop, run.studies, "studies done", across, run.seconds, [
    { colour: colours.done, points: run.done.map(({ at, count }) => [at, count] as const) },
  ]);
  const memory = panel(memoryTop, highest * 1.1, "memory, MB", across, run.seconds, [
    { colour: colours.done, points: run.memory.map(({ at, service }) => [at, megabytes(service)] as const) },
    { colour: colours.redis, points: run.memory.map(({ at, redis }) => [at, megabytes(redis)] as const) },
  ]);
  const legend = [
    { colour: colours.done, label: "a study, done" },
    { colour: colours.cut, label: "cut short by a kill" },
  ].map(({ colour, label }, n) => {
    const x = right - 250 + 120 * n;
    return `<rect x="${x}" y="8" width="12" height="12" fill="${colour}"/>${text(x + 17, 18, label)}`;
  });
  const memoryLegend =
    text(right, memoryTop - 8, "service", { fill: colours.done, anchor: "end" }) +
    text(right - 54, memoryTop - 8, "Redis", { fill: colours.redis, anchor: "end" });
  const title = `${run.studies} studies, ${run.workers} workers`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="${colours.ink}" role="img" aria-label="${title}">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="16" y="20" font-size="15" font-weight="bold">${title}</text>`,
    ...legend,
    done,
    memory,
    memoryLegend,
    ...names,
    ...bars,
    ...events,
    ...kills,
    "</svg>\n",
  ].join("\n");
}

interface Series {
  readonly colour: string;
  readonly points: readonly (readonly [at: number, value: number | null])[];
}

/** A panel with its own scale upwards, and seconds below it. */
function panel(
  top: number,
  highest: number,
  label: string,
  across: (seconds: number) => number,
  seconds: number,
  series: readonly Series[],
): string {
  const bottom = top + panelHeight;
  const up = (value: number) => bottom - (value / highest) * panelHeight;
  const steps = ticks(highest, 4).map(
    (value) =>
      `<line x1="${left}" x2="${right}" y1="${fixed(up(value))}" y2="${fixed(up(value))}" stroke="${colours.grid}"/>` +
      text(left - 8, up(value) + 4, String(value), { anchor: "end" }),
  );
  const times = ticks(seconds, 8).map((value) =>
    text(across(value), bottom + 16, `${value} s`, { anchor: "middle" }),
  );
  const lines = series.map(({ colour, points }) => {
    const path = points.flatMap(([at, value]) =>
      value === null ? [] : `${fixed(across(at))},${fixed(up(value))}`,
    );
    return `<polyline points="${path.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.6"/>`;
  });
  return [text(left, top - 8, label), ...steps, ...times, ...lines].join("\n");
}

/** Round values from 0 to the highest. */
function ticks(highest: number, count: number): number[] {
  const power = 10 ** Math.floor(Math.log10(highest / count));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => highest / one <= count) ?? highest;
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, n) => n * step);
}

function cross(x: number, y: number): string {
  const arm = 5;
  const [a, b] = [
    `M${fixed(x - arm)} ${fixed(y - arm)}L${fixed(x + arm)} ${fixed(y + arm)}`,
    `M${fixed(x - arm)} ${fixed(y + arm)}L${fixed(x + arm)} ${fixed(y - arm)}`,
  ];
  return `<path d="${a}${b}" stroke="${colours.mark}" stroke-width="2"/>`;
}

function text(
  x: number,
  y: number,
  content: string,
  { fill = colours.ink, anchor = "start" }: { readonly fill?: string; readonly anchor?: string } = {},
): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="${fill}" text-anchor="${anchor}">${content}</text>`;
}

const fixed = (value: number): string => String(Number(value.toFixed(2)));
