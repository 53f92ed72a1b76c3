// Histogram as an SVG chart; up to two series over the same axis, in different colours.
import { escapeMarkup } from "./markup.js";
import {
  colours,
  coordinate,
  figureSvg,
  figureWidth,
  linearScale,
  linePath,
  type Scale,
  titleHeight,
} from "./plot.js";

/** Counts in bins of equal width, from `lowest` on. */
export interface HistogramSeries {
  readonly label: string;
  readonly lowest: number;
  readonly binWidth: number;
  readonly counts: readonly number[];
}

export interface Histogram {
  readonly title: string;
  /** The measure's unit, for instance "mm". */
  readonly axisLabel: string;
  /** One or two series. Each is drawn as fractions of its own sum, so that a small series is visible beside a large one. */
  readonly series: readonly HistogramSeries[];
  readonly note?: string | undefined;
}

/** A stand-alone SVG: filled steps, the first series in blue and the second in vermilion, with the fraction of each bin on the vertical axis. */
export function histogramSvg({ title, axisLabel, series, note }: Histogram): string {
  const shares = series.map(sharesOf);
  const ends = series.map(({ lowest, binWidth, counts }) => lowest + binWidth * counts.length);
  const low = Math.min(...series.map(({ lowest }) => lowest));
  const across = linearScale([low, Math.max(...ends)], [plotLeft, plotRight], { tickCount: 6, nice: false });
  const top = titleHeight(title) + 8 + legendHeight * series.length;
  const bottom = top + plotHeight;
  const highest = Math.max(1e-9, ...shares.flat());
  const up = linearScale([0, 100 * highest], [bottom, top], { tickCount: 4, nice: true });

  const bars = series.map((histogram, index) =>
    barsOf(histogram, index, shares[index], { across, up, bottom }),
  );
  const legend = series.map((histogram, index) => legendEntry(histogram, index, titleHeight(title)));
  return figureSvg(
    {
      title,
      note,
      description: series.map((histogram, index) => describe(histogram, shares[index], axisLabel)).join(" "),
    },
    axesOf({ across, up, bottom }, axisLabel) + bars.join("") + legend.join(""),
    bottom + 48,
  );
}

const plotLeft = 62;
const plotRight = figureWidth - 28;
const plotHeight = 170;
const legendHeight = 20;
const seriesColours = [colours.blue, colours.vermilion] as const;

/** Where values stand: along the axis, by their share, and the base line. */
interface Places {
  readonly across: Scale;
  readonly up: Scale;
  readonly bottom: number;
}

function axesOf({ across, up, bottom }: Places, axisLabel: string): string {
  return (
    up.ticks
      .map((tick) => {
        const y = up.position(tick);
        return (
          `<line x1="${plotLeft}" x2="${plotRight}" y1="${coordinate(y)}" y2="${coordinate(y)}" stroke="${colours.grid}"/>` +
          `<text x="${plotLeft - 8}" y="${coordinate(y + 4)}" text-anchor="end" font-size="12">${up.format(tick)} %</text>`
        );
      })
      .join("") +
    across.ticks
      .map((tick) => {
        const x = coordinate(across.position(tick));
        return (
          `<line x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}" stroke="${colours.quiet}"/>` +
          `<text x="${x}" y="${bottom + 19}" text-anchor="middle" font-size="12">${across.format(tick)}</text>`
        );
      })
      .join("") +
    `<line x1="${plotLeft}" x2="${plotRight}" y1="${bottom}" y2="${bottom}" stroke="${colours.quiet}"/>` +
    `<text x="${(plotLeft + plotRight) / 2}" y="${bottom + 38}" text-anchor="middle">${escapeMarkup(axisLabel)}</text>`
  );
}

function barsOf(
  { lowest, binWidth }: HistogramSeries,
  index: number,
  shares: readonly number[],
  { across, up, bottom }: Places,
): string {
  const corners = shares.flatMap((share, bin) => {
    const y = up.position(100 * share);
    return [bin, bin + 1].map((edge) => [across.position(lowest + edge * binWidth), y] as const);
  });
  const base = (x: number) => [x, bottom] as const;
  const outline =
    corners.length === 0 ? [] : [base(corners[0][0]), ...corners, base(corners.at(-1)?.[0] ?? 0)];
  const colour = seriesColours[index % seriesColours.length];
  return `<path d="${linePath(outline)}" fill="${colour}" fill-opacity="0.25" stroke="${colour}" stroke-width="1.5"/>`;
}

function legendEntry({ label, counts }: HistogramSeries, index: number, top: number): string {
  const y = top + legendHeight * (index + 0.5);
  const colour = seriesColours[index % seriesColours.length];
  const total = counts.reduce((a, b) => a + b, 0).toLocaleString("en");
  return (
    `<rect x="${plotLeft}" y="${y - 5}" width="14" height="10" fill="${colour}" fill-opacity="0.25" stroke="${colour}"/>` +
    `<text x="${plotLeft + 22}" y="${y + 4}" font-size="12">${escapeMarkup(label)} (n ${total})</text>`
  );
}

function sharesOf({ counts }: HistogramSeries): number[] {
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.map((count) => (total === 0 ? 0 : count / total));
}

function describe(
  { label, lowest, binWidth }: HistogramSeries,
  shares: readonly number[],
  unit: string,
): string {
  const mode = shares.indexOf(Math.max(...shares));
  if (!(shares[mode] > 0)) return `${label}: no values.`;
  const from = lowest + mode * binWidth;
  return `${label}: most often ${from} to ${from + binWidth} ${unit}, ${(100 * shares[mode]).toFixed(0)} %.`;
}
