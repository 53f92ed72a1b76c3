// Bubble chart as SVG: a measure against a cost on a logarithmic axis, and a third number as the area of a circle.
import { domainOf, drawAxes, legendLineHeight } from "./axes.js";
import { escapeMarkup } from "./markup.js";
import { colours, coordinate, figureSvg, figureWidth, linePath, titleHeight } from "./plot.js";

export interface BubbleChart {
  readonly title: string;
  /** The measures and their units. The horizontal axis is logarithmic, and says so. */
  readonly acrossLabel: string;
  readonly upLabel: string;
  /** What the area of a circle stands for, after a number: "M parameters". */
  readonly sizeLabel: string;
  /** Those with a value that is not finite, or with an `across` or a `size` that is not positive, are left out. */
  readonly bubbles: readonly Bubble[];
  readonly note?: string | undefined;
}

export interface Bubble {
  readonly label: string;
  readonly across: number;
  readonly up: number;
  readonly size: number;
  /** Drawn in another colour and with a bold label. */
  readonly isMain: boolean;
  /** The bubbles for which this holds are joined by a dashed line, from left to right. */
  readonly isOnFront: boolean;
}

/** A stand-alone SVG. Each bubble has its label beside it; labels do not overlap as long as there is room. */
export function bubbleChartSvg(chart: BubbleChart): string {
  const bubbles = chart.bubbles.filter(isDrawable);
  const largest = bubbles.reduce((most, { size }) => Math.max(most, size), 0);
  const radiusOf = (size: number): number => Math.max(2, largestRadius * Math.sqrt(size / largest));
  const key = largest > 0 ? roundBelow(largest) : null;
  const axes = drawAxes({
    ...chart,
    acrossLabel: `${chart.acrossLabel}, logarithmic`,
    acrossDomain: bubbles.length === 0 ? [1, 10] : domainOf(bubbles.map(({ across }) => across)),
    upDomain: domainOf(bubbles.map(({ up }) => up)),
    legendLines: key === null ? 0 : Math.ceil((2 * radiusOf(key) + 6) / legendLineHeight),
    isAcrossLogarithmic: true,
    plotHeight: 300,
    // No circle reaches beyond the drawing.
    inset: largestRadius + 2,
  });
  const discs = bubbles
    .map(
      (bubble): Disc => ({
        bubble,
        x: axes.across.position(bubble.across),
        y: axes.up.position(bubble.up),
        radius: radiusOf(bubble.size),
      }),
    )
    // Small circles lie on large ones.
    .sort((a, b) => b.radius - a.radius);
  const front = discs.filter(({ bubble }) => bubble.isOnFront).sort((a, b) => a.x - b.x);
  const area: Box = { left: axes.left + 2, right: figureWidth - 4, top: axes.top, bottom: axes.bottom - 2 };
  return figureSvg(
    {
      title: chart.title,
      note: chart.note,
      description: [`${chart.upLabel} against ${chart.acrossLabel}.`, ...bubbles.map(sentenceOf)].join(" "),
    },
    axes.markup +
      (key === null ? "" : keyMarkup(key, radiusOf(key), chart, axes.left)) +
      `<path d="${linePath(front.map(({ x, y }) => [x, y]))}" fill="none" stroke="${colours.quiet}" stroke-dasharray="4 4"/>` +
      discs.map(discMarkup).join("") +
      placeLabels(discs, area).map(labelMarkup).join(""),
    axes.height,
  );
}

/** A bubble in user units of the SVG. */
interface Disc {
  readonly bubble: Bubble;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

interface Point2 {
  readonly x: number;
  readonly y: number;
}

interface PlacedLabel {
  readonly disc: Disc;
  readonly box: Box;
  /** Points of the line from the circle to the label; none where the label is beside it. */
  readonly leader: readonly Point2[];
}

const largestRadius = 24;
/** A letter of 12 units is about so wide, a bold one a little wider. */
const letterWidth = 6.7;
const labelHeight = 14;

const isDrawable = ({ across, up, size }: Bubble): boolean =>
  Number.isFinite(across) && Number.isFinite(up) && Number.isFinite(size) && across > 0 && size > 0;

/**
 * A place for each label, one after the other: the first around its circle, near before far, that touches neither a label
 * nor a circle and lies within the drawing; else the one that touches least.
 */
function placeLabels(discs: readonly Disc[], area: Box): PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  // The main one has the first choice, then small circles, whose labels cannot be far from them without doubt.
  const order = [...discs].sort(
    (a, b) => Number(b.bubble.isMain) - Number(a.bubble.isMain) || a.radius - b.radius,
  );
  for (const disc of order) {
    const penalty = ({ box, leader }: PlacedLabel): number =>
      1000 * outside(box, area) +
      100 * sumOf(placed, (other) => sharedArea(box, other.box)) +
      100 * sumOf(placed, (other) => sumOf(other.leader, (point) => Number(isWithin(point, box)))) +
      100 * sumOf(leader, (point) => sumOf(placed, (other) => Number(isWithin(point, other.box)))) +
      0.8 * sumOf(discs, (other) => sharedArea(box, boxOf(other))) +
      // Without a line, it would be read as the name of another circle that is as near.
      (leader.length > 0
        ? 0
        : 200 * sumOf(discs, (other) => Number(other !== disc && gapTo(other, box) <= gapTo(disc, box)))) +
      20 * sumOf(leader, (point) => sumOf(discs, (other) => Number(isCovered(point, other)))) +
      4 * leader.length;
    const [best] = candidates(disc)
      .map((box): PlacedLabel => ({ disc, box, leader: leaderOf(disc, box) }))
      .map((label) => ({ label, penalty: penalty(label) }))
      // A stable sort: of equals the nearer place stays first.
      .sort((a, b) => a.penalty - b.penalty);
    placed.push(best.label);
  }
  return placed;
}

/** Places of a label in sixteen directions around its circle, then the same farther away. */
function candidates({ bubble, x, y, radius }: Disc): Box[] {
  const width = letterWidth * [...bubble.label].length + (bubble.isMain ? 4 : 0);
  return [4, 12, 24, 38, 54, 72].flatMap((gap) => {
    const reach = radius + gap;
    // Right, left, above and below; then the corners; then between.
    const angles = [0, 8, 12, 4, 14, 2, 10, 6, 1, 3, 5, 7, 9, 11, 13, 15];
    return angles.map((sixteenth): Box => {
      const [c, s] = [Math.cos((sixteenth * Math.PI) / 8), Math.sin((sixteenth * Math.PI) / 8)];
      // The side of the label that faces the circle touches its surroundings.
      const left = x + reach * c - (width * (1 - signOf(c))) / 2;
      const top = y + reach * s - (labelHeight * (1 - signOf(s))) / 2;
      return { left, right: left + width, top, bottom: top + labelHeight };
    });
  });
}

/** −1, 0 or 1, by thirds: labels to the right begin there, those above and below are centred. */
const signOf = (share: number): number => (Math.abs(share) < 0.3 ? 0 : Math.sign(share));

const boxOf = ({ x, y, radius }: Disc): Box => ({
  left: x - radius,
  right: x + radius,
  top: y - radius,
  bottom: y + radius,
});

/** How far a label lies from the rim of a circle; 0 where it touches it. */
function gapTo({ x, y, radius }: Disc, box: Box): number {
  const end = nearestPoint({ x, y }, box);
  return Math.max(0, Math.hypot(end.x - x, end.y - y) - radius);
}

const nearestPoint = ({ x, y }: Point2, { left, right, top, bottom }: Box): Point2 => ({
  x: Math.min(Math.max(x, left), right),
  y: Math.min(Math.max(y, top), bottom),
});

/** From the rim of the circle to the nearest point of the label, a point every few units; none where they are close. */
function leaderOf({ x, y, radius }: Disc, box: Box): Point2[] {
  const end = nearestPoint({ x, y }, box);
  const distance = Math.hypot(end.x - x, end.y - y);
  if (distance - radius < 9) return [];
  const parts = Math.ceil((distance - radius) / 4);
  return Array.from({ length: parts + 1 }, (_, part) => {
    const share = (radius + (part / parts) * (distance - radius)) / distance;
    return { x: x + (end.x - x) * share, y: y + (end.y - y) * share };
  });
}

const isWithin = ({ x, y }: Point2, { left, right, top, bottom }: Box): boolean =>
  x > left && x < right && y > top && y < bottom;

/** Not by the circle that the line begins at. */
const isCovered = (point: Point2, { x, y, radius }: Disc): boolean =>
  Math.hypot(point.x - x, point.y - y) < radius - 0.5;

const sumOf = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);

function sharedArea(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.max(0, width) * Math.max(0, height);
}

/** How far a box reaches beyond another. */
const outside = (box: Box, area: Box): number =>
  Math.max(0, area.left - box.left) +
  Math.max(0, box.right - area.right) +
  Math.max(0, area.top - box.top) +
  Math.max(0, box.bottom - area.bottom);

function discMarkup({ bubble, x, y, radius }: Disc): string {
  const colour = bubble.isMain ? colours.vermilion : colours.blue;
  return (
    `<circle cx="${coordinate(x)}" cy="${coordinate(y)}" r="${coordinate(radius)}" fill="${colour}" fill-opacity="0.3" stroke="${colour}"/>` +
    `<circle cx="${coordinate(x)}" cy="${coordinate(y)}" r="1.5" fill="${colour}"/>`
  );
}

/** With a line to its circle where it is not beside it. */
function labelMarkup({ disc: { bubble }, box, leader }: PlacedLabel): string {
  const ends = leader.length === 0 ? [] : [leader[0], leader[leader.length - 1]];
  const path = linePath(ends.map(({ x, y }) => [x, y]));
  return (
    (path === "" ? "" : `<path d="${path}" stroke="${colours.quiet}"/>`) +
    `<text x="${coordinate((box.left + box.right) / 2)}" y="${coordinate(box.bottom - 3)}" text-anchor="middle" font-size="12"` +
    `${bubble.isMain ? ' font-weight="600"' : ""} stroke="#ffffff" stroke-width="3" paint-order="stroke">${escapeMarkup(bubble.label)}</text>`
  );
}

/** A circle of a round size, which tells what the areas stand for. */
function keyMarkup(size: number, radius: number, { sizeLabel, title }: BubbleChart, left: number): string {
  const y = titleHeight(title) + 6 + radius;
  return (
    `<circle cx="${coordinate(left + radius)}" cy="${coordinate(y)}" r="${coordinate(radius)}" fill="none" stroke="${colours.quiet}"/>` +
    `<text x="${coordinate(left + 2 * radius + 8)}" y="${coordinate(y + 4)}" font-size="12">area: ${escapeMarkup(`${size} ${sizeLabel}`)}</text>`
  );
}

/** The greatest of 1, 2 and 5 times a power of ten that is no greater. */
function roundBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const multiple = value / power;
  return Number(((multiple >= 5 ? 5 : multiple >= 2 ? 2 : 1) * power).toPrecision(1));
}

function sentenceOf({ label, across, up, size, isOnFront }: Bubble): string {
  const short = (value: number): number => Number(value.toPrecision(3));
  return `${label}: up ${short(up)}, across ${short(across)}, size ${short(size)}${isOnFront ? ", on the line" : ""}.`;
}
