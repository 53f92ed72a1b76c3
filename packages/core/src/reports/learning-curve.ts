// The learning curve of a training run as an SVG chart.
import { counted } from "../text.js";
import { escapeMarkup } from "./markup.js";
import {
  colours,
  coordinate,
  figureSvg,
  figureWidth,
  groupThousands,
  linearScale,
  linePath,
  type Scale,
  titleHeight,
} from "./plot.js";

/** What a training run recorded. A loss or DSC that is not finite is left out of the chart. */
export interface LearningCurve {
  readonly title: string;
  /** A line below the chart: network, data, seed. */
  readonly note?: string | undefined;
  /** Loss of each training step, in the order of the steps. */
  readonly steps: readonly { readonly step: number; readonly loss: number }[];
  /** DSC on the validation scans, in the order of the steps. */
  readonly validation: readonly { readonly step: number; readonly dsc: number }[];
}

/** A stand-alone SVG with two panels over the same step axis: the loss (each step as a thin line, with a moving mean), and the validation DSC from 0 to 1. */
export function learningCurveSvg(curve: LearningCurve): string {
  const losses = curve.steps
    .filter(({ loss }) => Number.isFinite(loss))
    .map(({ step, loss }) => ({ step, value: loss }));
  const scores = curve.validation
    .filter(({ dsc }) => Number.isFinite(dsc))
    .map(({ step, dsc }) => ({ step, value: dsc }));
  const everyStep = [...losses, ...scores].map(({ step }) => step);
  const firstStep = everyStep.reduce((a, b) => Math.min(a, b), 0);
  // At least five, so that the ticks of a very short run are whole steps.
  const lastStep = everyStep.reduce((a, b) => Math.max(a, b), 5);
  const across = linearScale([firstStep, lastStep], [plotLeft, plotRight], { tickCount: 5, nice: false });
  const lossTop = titleHeight(curve.title) + 30;
  const scoreTop = lossTop + panelHeight + 48;
  const bottom = scoreTop + panelHeight;
  const windowLength = smoothingWindow(losses.length);
  const values = losses.map(({ value }) => value);
  const means = smoothed(values, windowLength);
  const smooth = losses.map(({ step }, index) => ({ step, value: means[index] }));
  const best = scores.length > 0 ? scores.reduce((a, b) => (b.value > a.value ? b : a)) : null;
  const body =
    lossPanel(lossTop, across, losses, smooth) +
    (windowLength > 1 ? legend(lossTop + headingOffset, windowLength) : "") +
    scorePanel(scoreTop, across, scores) +
    (best === null ? "" : bestText(scoreTop + headingOffset, best)) +
    stepAxis(bottom, across);
  return figureSvg(
    { title: curve.title, note: curve.note, description: describe(smooth, scores, best) },
    body,
    bottom + 48,
  );
}

/** Moving mean over `length` values (odd) around each value, over fewer near the ends. Centred, because a trailing mean would show every change late. */
export function smoothed(values: readonly number[], length: number): Float64Array {
  const sums = new Float64Array(values.length + 1);
  values.forEach((value, index) => {
    sums[index + 1] = sums[index] + value;
  });
  const reach = (length - 1) / 2;
  return Float64Array.from(values, (_, index) => {
    const from = Math.max(0, index - reach);
    const to = Math.min(values.length, index + reach + 1);
    return (sums[to] - sums[from]) / (to - from);
  });
}

interface Point {
  readonly step: number;
  readonly value: number;
}

const plotLeft = 58;
const plotRight = figureWidth - 28;
const panelHeight = 168;
const mostPoints = 600;
/** Offset from the top of a panel to the baseline of its heading. */
const headingOffset = -14;

function lossPanel(top: number, across: Scale, losses: readonly Point[], smooth: readonly Point[]): string {
  const low = losses.reduce((least, { value }) => Math.min(least, value), 0);
  const high = losses.reduce((most, { value }) => Math.max(most, value), 0);
  const up = linearScale([low, high > low ? high : low + 1], [top + panelHeight, top], {
    tickCount: 5,
    nice: true,
  });
  const place = ({ step, value }: Point) => [across.position(step), up.position(value)] as const;
  return (
    panel(top, across, up, "Training loss") +
    (losses.length === 0 ? emptyPanel(top, "no loss recorded") : "") +
    path(thinned(losses).map(place), colours.paleBlue, 1) +
    path(everyNth(smooth).map(place), colours.blue, 2)
  );
}

function scorePanel(top: number, across: Scale, scores: readonly Point[]): string {
  const up = linearScale([0, 1], [top + panelHeight, top], { tickCount: 5, nice: true });
  const places = scores.map(({ step, value }) => [across.position(step), up.position(value)] as const);
  // So many dots would hide the line.
  const dots = places.length > 60 ? [] : places.map(([x, y]) => dot(x, y));
  return (
    panel(top, across, up, "Validation DSC") +
    (scores.length === 0 ? emptyPanel(top, "no validation recorded") : "") +
    path(places, colours.vermilion, 2) +
    dots.join("")
  );
}

/** About a twentieth of the run, and odd so that it has a middle. */
function smoothingWindow(count: number): number {
  return 2 * Math.floor(count / 40) + 1;
}

/** The lowest and highest value of each interval of steps: as many points as the picture can show, without losing spikes. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= 2 * mostPoints) return points;
  const stretch = Math.ceil(points.length / mostPoints);
  const kept: Point[] = [];
  for (let start = 0; start < points.length; start += stretch) {
    const some = points.slice(start, start + stretch);
    const low = some.reduce((a, b) => (b.value < a.value ? b : a));
    const high = some.reduce((a, b) => (b.value > a.value ? b : a));
    kept.push(...(low.step <= high.step ? [low, high] : [high, low]));
  }
  return kept;
}

/** Every n-th point of a smooth line, as many as the picture can show, including the last. */
function everyNth(points: readonly Point[]): readonly Point[] {
  const stride = Math.max(1, Math.floor(points.length / mostPoints));
  return points.filter((_, index) => index % stride === 0 || index === points.length - 1);
}

function path(points: readonly (readonly [number, number])[], colour: string, width: number): string {
  if (points.length === 0) return "";
  return `<path d="${linePath(points)}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round" stroke-linecap="round"/>`;
}

function dot(x: number, y: number): string {
  return `<circle cx="${coordinate(x)}" cy="${coordinate(y)}" r="3" fill="${colours.vermilion}"/>`;
}

function panel(top: number, across: Scale, up: Scale, heading: string): string {
  const grid = up.ticks.map((tick) => {
    const y = coordinate(up.position(tick));
    return (
      `<line x1="${plotLeft}" x2="${plotRight}" y1="${y}" y2="${y}" stroke="${colours.grid}"/>` +
      `<text x="${plotLeft - 7}" y="${y}" dy="0.35em" text-anchor="end" font-size="12">${up.format(tick)}</text>`
    );
  });
  const marks = across.ticks.map((tick) => {
    const x = coordinate(across.position(tick));
    return `<line x1="${x}" x2="${x}" y1="${top + panelHeight}" y2="${top + panelHeight + 4}" stroke="${colours.quiet}"/>`;
  });
  return (
    grid.join("") +
    `<path d="M${plotLeft},${top}V${top + panelHeight}H${plotRight}" fill="none" stroke="${colours.quiet}"/>` +
    marks.join("") +
    `<text x="12" y="${top + headingOffset}" font-weight="600">${escapeMarkup(heading)}</text>`
  );
}

function emptyPanel(top: number, message: string): string {
  return `<text x="${(plotLeft + plotRight) / 2}" y="${top + panelHeight / 2}" text-anchor="middle" fill="${colours.quiet}">${escapeMarkup(message)}</text>`;
}

function legend(baseline: number, windowLength: number): string {
  const meanText = `mean of ${groupThousands(String(windowLength))} steps`;
  const meanX = plotRight - meanText.length * 6.6;
  const stepX = meanX - 112;
  const sample = (x: number, colour: string, width: number) =>
    `<line x1="${coordinate(x - 24)}" x2="${coordinate(x - 6)}" y1="${baseline - 4}" y2="${baseline - 4}" stroke="${colour}" stroke-width="${width}"/>`;
  return (
    `${sample(stepX, colours.paleBlue, 1.5)}<text x="${coordinate(stepX)}" y="${baseline}" font-size="12">each step</text>` +
    `${sample(meanX, colours.blue, 2.5)}<text x="${coordinate(meanX)}" y="${baseline}" font-size="12">${meanText}</text>`
  );
}

function bestText(baseline: number, best: Point): string {
  return `<text x="${plotRight}" y="${baseline}" text-anchor="end" font-size="12">best ${best.value.toFixed(3)} at step ${groupThousands(String(best.step))}</text>`;
}

function stepAxis(bottom: number, across: Scale): string {
  const labels = across.ticks.map(
    (tick) =>
      `<text x="${coordinate(across.position(tick))}" y="${bottom + 19}" text-anchor="middle" font-size="12">${across.format(tick)}</text>`,
  );
  return `${labels.join("")}<text x="${(plotLeft + plotRight) / 2}" y="${bottom + 38}" text-anchor="middle">Training step</text>`;
}

function describe(smooth: readonly Point[], scores: readonly Point[], best: Point | null): string {
  const first = smooth[0]?.value.toPrecision(3);
  const last = smooth.at(-1)?.value.toPrecision(3);
  const loss =
    smooth.length === 0
      ? "No training loss was recorded."
      : `Training loss over ${smooth.length} recorded steps: moving mean ${first} at first, ${last} at last.`;
  const score =
    best === null
      ? "No validation was recorded."
      : `Validation DSC at ${counted(scores.length, "point")}: best ${best.value.toFixed(3)} at step ${best.step}, last ${scores.at(-1)?.value.toFixed(3)}.`;
  return `${loss} ${score}`;
}
