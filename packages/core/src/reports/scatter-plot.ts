// Scatter plot of two measures, as an SVG chart.
import { type Domain, domainOf, drawAxes, legendLineHeight } from "./axes.js";
import { escapeMarkup } from "./markup.js";
import { colours, coordinate, figureSvg } from "./plot.js";

export interface ScatterPlot {
  readonly title: string;
  /** The measures and their units, for instance "short axis (mm)". */
  readonly acrossLabel: string;
  readonly upLabel: string;
  /** One or two groups; points with a value that is not finite are left out, and not counted. */
  readonly groups: readonly ScatterGroup[];
  /** Horizontal lines; dashed unless `isMain`. */
  readonly levels?: readonly Level[];
  /** Range that the vertical axis covers at least. */
  readonly upDomain?: Domain;
  readonly note?: string | undefined;
}

interface ScatterGroup {
  readonly label: string;
  readonly points: readonly Point[];
}

export interface Point {
  readonly across: number;
  readonly up: number;
}

interface Level {
  readonly up: number;
  readonly label: string;
  readonly isMain: boolean;
}

/** A stand-alone SVG: circles for the first group and squares for the second. */
export function scatterPlotSvg(plot: ScatterPlot): string {
  const groups = plot.groups.map(({ label, points }) => ({ label, points: points.filter(isFinitePoint) }));
  const points = groups.flatMap((group) => group.points);
  const levels = plot.levels ?? [];
  const upNeeded = [...(plot.upDomain ?? []), ...levels.map(({ up }) => up)];
  const hasLegend = groups.length > 1;
  const axes = drawAxes({
    ...plot,
    acrossDomain: domainOf(points.map(({ across }) => across)),
    upDomain: domainOf(
      points.map(({ up }) => up),
      upNeeded,
    ),
    legendLines: hasLegend ? groups.length : 0,
  });
  const dots = groups.map(({ points }, index) =>
    points.map(({ across, up }) => mark(index, axes.across.position(across), axes.up.position(up))).join(""),
  );
  const lines = levels.map(({ up, label, isMain }) => {
    const y = axes.up.position(up);
    return (
      `<line x1="${axes.left}" x2="${axes.right}" y1="${coordinate(y)}" y2="${coordinate(y)}" stroke="${colours.ink}"${isMain ? "" : ' stroke-dasharray="5 4"'}/>` +
      `<text x="${axes.right}" y="${coordinate(y - 5)}" text-anchor="end" font-size="12" stroke="#ffffff" stroke-width="3" paint-order="stroke">${escapeMarkup(label)}</text>`
    );
  });
  const legend = groups.map(({ label, points }, index) => {
    const y = axes.legendTop + legendLineHeight * index;
    return `${mark(index, axes.left + 6, y)}<text x="${axes.left + 20}" y="${y + 4}" font-size="12">${escapeMarkup(label)} (n ${points.length})</text>`;
  });
  const described = groups.map(({ label, points }) => `${label}: ${rangeText(points)}.`);
  const levelText = levels.map(({ label }) => `Line: ${label}.`);
  return figureSvg(
    {
      title: plot.title,
      note: plot.note,
      description: [`${plot.upLabel} against ${plot.acrossLabel}.`, ...described, ...levelText].join(" "),
    },
    axes.markup + dots.join("") + lines.join("") + (hasLegend ? legend.join("") : ""),
    axes.height,
  );
}

const isFinitePoint = ({ across, up }: Point): boolean => Number.isFinite(across) && Number.isFinite(up);

/** Groups differ by shape as well as by colour, for print in grey. */
function mark(group: number, x: number, y: number): string {
  return group === 0
    ? `<circle cx="${coordinate(x)}" cy="${coordinate(y)}" r="3" fill="${colours.blue}" fill-opacity="0.6"/>`
    : `<rect x="${coordinate(x - 3)}" y="${coordinate(y - 3)}" width="6" height="6" fill="none" stroke="${colours.vermilion}" stroke-width="1.5"/>`;
}

function rangeText(points: readonly Point[]): string {
  if (points.length === 0) return "no values";
  const range = (values: readonly number[]) =>
    domainOf(values)
      .map((value) => Number(value.toPrecision(3)))
      .join(" to ");
  return `${points.length} points, across ${range(points.map(({ across }) => across))}, up ${range(points.map(({ up }) => up))}`;
}
