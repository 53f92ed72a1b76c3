// Box plot of the distributions of a measure, as an SVG chart.
import { quantileOfSorted } from "../statistics/summary.js";
import { escapeMarkup, wrapText } from "./markup.js";
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

/** The groups to compare. Values that are not finite are left out, and not counted in n. */
export interface BoxPlot {
  readonly title: string;
  /** The measure and its unit, for instance "HD95 (mm)". */
  readonly axisLabel: string;
  /** Range that the axis covers at least; by default that of the values. */
  readonly domain?: readonly [low: number, high: number] | undefined;
  readonly groups: readonly { readonly label: string; readonly values: readonly number[] }[];
  readonly note?: string | undefined;
}

/**
 * A stand-alone SVG: a horizontal box for each group (quartiles, median; whiskers to the furthest value within 1.5 interquartile ranges of
 * the box, Tukey 1977) and every value as a dot, because a box alone hides how few values there are.
 */
export function boxPlotSvg(plot: BoxPlot): string {
  const groups = plot.groups.map(({ label, values }) => ({
    label,
    values: values.filter(Number.isFinite).sort((a, b) => a - b),
  }));
  const everyValue = [...groups.flatMap(({ values }) => values), ...(plot.domain ?? [])];
  const domain: [number, number] =
    everyValue.length === 0
      ? [0, 1]
      : [everyValue.reduce((a, b) => Math.min(a, b)), everyValue.reduce((a, b) => Math.max(a, b))];
  const across = linearScale(domain, [plotLeft, plotRight], { tickCount: 5, nice: true });
  const top = titleHeight(plot.title) + 8;
  const bottom = top + rowHeight * Math.max(1, groups.length);
  const grid = across.ticks.map((tick) => {
    const x = coordinate(across.position(tick));
    return (
      `<line x1="${x}" x2="${x}" y1="${top}" y2="${bottom}" stroke="${colours.grid}"/>` +
      `<text x="${x}" y="${bottom + 19}" text-anchor="middle" font-size="12">${across.format(tick)}</text>`
    );
  });
  const rows = groups.map((group, index) => row(group, top + rowHeight * (index + 0.5), across));
  const body =
    grid.join("") +
    `<line x1="${plotLeft}" x2="${plotRight}" y1="${bottom}" y2="${bottom}" stroke="${colours.quiet}"/>` +
    rows.join("") +
    `<text x="${(plotLeft + plotRight) / 2}" y="${bottom + 38}" text-anchor="middle">${escapeMarkup(plot.axisLabel)}</text>`;
  const description = groups.map(({ label, values }) => `${label}: ${summaryText(values)}.`).join(" ");
  return figureSvg(
    { title: plot.title, note: plot.note, description: `${plot.axisLabel}. ${description}` },
    body,
    bottom + 48,
  );
}

interface Group {
  readonly label: string;
  /** Finite, ascending. */
  readonly values: readonly number[];
}

const plotLeft = 150;
const plotRight = figureWidth - 28;
const rowHeight = 58;
const boxHalf = 12;

function row({ label, values }: Group, middle: number, across: Scale): string {
  const lines = wrapText(label, 19).slice(0, 2);
  const captions = [
    ...lines.map((line) => ({ line, quiet: false })),
    {
      line:
        values.length === 0
          ? "no values"
          : `n ${values.length}, median ${short(quantileOfSorted(values, 0.5))}`,
      quiet: true,
    },
  ];
  const text = captions
    .map(
      ({ line, quiet }, index) =>
        `<text x="${plotLeft - 12}" y="${coordinate(middle + 15 * (index - (captions.length - 1) / 2) + 4)}" text-anchor="end" font-size="12"` +
        `${quiet ? ` fill="${colours.quiet}"` : ' font-weight="600"'}>${escapeMarkup(line)}</text>`,
    )
    .join("");
  return values.length === 0 ? text : text + box(values, middle, across) + dots(values, middle, across);
}

function box(values: readonly number[], middle: number, across: Scale): string {
  const quartiles = [0.25, 0.5, 0.75].map((share) => quantileOfSorted(values, share));
  const reach = 1.5 * (quartiles[2] - quartiles[0]);
  // A whisker never ends inside the box: with few values an interpolated quartile may lie beyond the last value in range.
  const low = Math.min(quartiles[0], values.find((value) => value >= quartiles[0] - reach) ?? quartiles[0]);
  const high = Math.max(
    quartiles[2],
    values.findLast((value) => value <= quartiles[2] + reach) ?? quartiles[2],
  );
  const [first, median, third] = quartiles.map(across.position);
  const whiskers = [
    [across.position(low), first],
    [third, across.position(high)],
  ] as const;
  const whiskerPath = linePath(
    whiskers.flatMap(([from, to]) => [[from, middle] as const, [to, middle] as const, null]),
  );
  return (
    `<path d="${whiskerPath}" stroke="${colours.ink}" fill="none"/>` +
    `<rect x="${coordinate(first)}" y="${middle - boxHalf}" width="${coordinate(third - first)}" height="${2 * boxHalf}" fill="#e8f2f9" stroke="${colours.ink}"/>` +
    `<line x1="${coordinate(median)}" x2="${coordinate(median)}" y1="${middle - boxHalf}" y2="${middle + boxHalf}" stroke="${colours.vermilion}" stroke-width="3"/>`
  );
}

/** Dots are spread vertically by the golden ratio, which separates neighbours without random numbers. */
function dots(values: readonly number[], middle: number, across: Scale): string {
  return values
    .map((value, index) => {
      const offset = (((index + 1) * 0.618034) % 1) - 0.5;
      return `<circle cx="${coordinate(across.position(value))}" cy="${coordinate(middle + 1.5 * boxHalf * offset)}" r="2.5" fill="${colours.blue}" fill-opacity="0.7"/>`;
    })
    .join("");
}

function summaryText(values: readonly number[]): string {
  if (values.length === 0) return "no values";
  const [first, median, third] = [0.25, 0.5, 0.75].map((share) => short(quantileOfSorted(values, share)));
  return `n ${values.length}, median ${median}, quartiles ${first} to ${third}, range ${short(values[0])} to ${short(values[values.length - 1])}`;
}

function short(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
