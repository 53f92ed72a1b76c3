// Shared by all SVG charts: scales, ticks, colours, and the frame of a figure.
import { escapeMarkup, wrapText } from "./markup.js";

/** A map from data to user units of the SVG, with the round values to mark on its axis. */
export interface Scale {
  readonly position: (value: number) => number;
  readonly ticks: readonly number[];
  /** A tick value with as many decimals as the tick step needs. */
  readonly format: (tick: number) => string;
}

/**
 * A scale from [low, high] to [start, end]. With `nice`, the domain is widened to whole tick steps (1, 2 or 5 times a power of ten).
 * A domain of one value is widened around it.
 */
export function linearScale(
  domain: readonly [low: number, high: number],
  range: readonly [start: number, end: number],
  options: { readonly tickCount: number; readonly nice: boolean },
): Scale {
  let [low, high] = domain;
  if (high <= low) {
    const margin = Math.abs(low) * 0.1 || 1;
    low -= margin;
    high += margin;
  }
  const step = tickStep((high - low) / options.tickCount);
  // A rounding error of the division could miss a whole multiple.
  const slack = 1e-9;
  if (options.nice) {
    low = Math.floor(low / step + slack) * step;
    high = Math.ceil(high / step - slack) * step;
  }
  const first = Math.ceil(low / step - slack);
  const last = Math.floor(high / step + slack);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + slack));
  return {
    position: (value) => range[0] + ((value - low) / (high - low)) * (range[1] - range[0]),
    ticks: Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step),
    // With a true minus sign.
    format: (tick) =>
      groupThousands((Math.abs(tick) < step * slack ? 0 : tick).toFixed(decimals)).replace("-", "−"),
  };
}

/**
 * A logarithmic scale from [low, high], both positive, to [start, end]. The domain is widened to whole ticks: 1, 2 and 5
 * times powers of ten, or powers of ten alone where those are more than ten.
 */
export function logarithmicScale(
  [low, high]: readonly [low: number, high: number],
  [start, end]: readonly [start: number, end: number],
): Scale {
  const all = ticksAround(low, high, [1, 2, 5]);
  const ticks = all.length <= 10 ? all : ticksAround(low, high, [1]);
  const [first, last] = [Math.log10(ticks[0]), Math.log10(ticks[ticks.length - 1])];
  return {
    position: (value) => start + ((Math.log10(value) - first) / (last - first)) * (end - start),
    ticks,
    format: (tick) => groupThousands(String(tick)),
  };
}

/** The multiples of powers of ten from the last that is no greater than `low` to the first that is no less than `high`; two at least. */
function ticksAround(low: number, high: number, multiples: readonly number[]): number[] {
  const [least, most] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)) + 1];
  const ticks = Array.from({ length: most - least + 1 }, (_, n) => least + n).flatMap((power) =>
    multiples.map((multiple) => Number(`${multiple}e${power}`)),
  );
  const first = ticks.findLastIndex((tick) => tick <= low);
  const last = ticks.findIndex((tick) => tick >= high);
  return ticks.slice(first, Math.max(last, first + 1) + 1);
}

/** An SVG path through points; a point that is null breaks the line. Coordinates are rounded to 0.01 user units. */
export function linePath(points: readonly (readonly [number, number] | null)[]): string {
  const commands: string[] = [];
  let pen = "M";
  for (const point of points) {
    if (point === null) {
      pen = "M";
      continue;
    }
    commands.push(`${pen}${coordinate(point[0])},${coordinate(point[1])}`);
    pen = "L";
  }
  return commands.join("");
}

/** A number for an SVG attribute. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Integer digits in groups of three (12,500), the rest untouched. */
export function groupThousands(digits: string): string {
  return digits.replace(
    /^(-?)(\d{4,})/,
    (_, sign: string, integer: string) => sign + integer.replace(/\B(?=(\d{3})+$)/g, ","),
  );
}

/** The texts around the drawing of a chart. */
export interface Frame {
  readonly title: string;
  /** A description for readers who cannot see the chart; becomes `<desc>`. */
  readonly description: string;
  readonly note?: string | undefined;
}

/** Height of the title, for the caller to start its drawing below. */
export function titleHeight(title: string): number {
  return 12 + 19 * wrapText(title, titleColumns).length;
}

/**
 * A whole SVG element of {@link figureWidth} × (height + note) user units: title on top, the body's markup, the note below. Narrow, because a
 * chart drawn for a wide page cannot be read on a phone.
 */
export function figureSvg(frame: Frame, body: string, height: number): string {
  const noteLines = wrapText(frame.note ?? "", noteColumns);
  const total = height + (noteLines.length > 0 ? 8 + 16 * noteLines.length : 0);
  const title = wrapText(frame.title, titleColumns)
    .map(
      (line, index) =>
        `<text x="12" y="${22 + 19 * index}" font-size="15" font-weight="600">${escapeMarkup(line)}</text>`,
    )
    .join("");
  const note = noteLines
    .map(
      (line, index) =>
        `<text x="12" y="${height + 12 + 16 * index}" font-size="12" fill="${colours.quiet}">${escapeMarkup(line)}</text>`,
    )
    .join("");
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${figureWidth} ${total}" role="img" aria-label="${escapeMarkup(frame.title)}" ` +
    `font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif" font-size="13" fill="${colours.ink}">` +
    `<title>${escapeMarkup(frame.title)}</title><desc>${escapeMarkup(frame.description)}</desc>` +
    `<rect width="${figureWidth}" height="${total}" fill="#ffffff"/>${title}${body}${note}</svg>`
  );
}

/** Width of every chart in user units. */
export const figureWidth = 480;

/** Blue and vermilion of Okabe and Ito (2008): distinguishable with every common colour blindness, and in grey print by their darkness. */
export const colours = {
  ink: "#1d2329",
  quiet: "#57606a",
  grid: "#e3e7eb",
  blue: "#0072b2",
  paleBlue: "#9cc9e6",
  vermilion: "#c24e00",
} as const;

const titleColumns = 46;
const noteColumns = 66;

function tickStep(roughly: number): number {
  const power = 10 ** Math.floor(Math.log10(roughly));
  const multiple = roughly / power;
  return power * (multiple <= 1 ? 1 : multiple <= 2 ? 2 : multiple <= 5 ? 5 : 10);
}
