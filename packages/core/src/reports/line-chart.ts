// Line chart of several curves as SVG: learning curves of folds, FROC.
import { type Domain, domainOf, drawAxes, legendLineHeight } from "./axes.js";
import { escapeMarkup } from "./markup.js";
import { colours, coordinate, figureSvg, linePath } from "./plot.js";
import type { Point } from "./scatter-plot.js";

export interface LineChart {
  readonly title: string;
  /** The measures and their units. */
  readonly acrossLabel: string;
  readonly upLabel: string;
  /** At most seven, distinguished by colour and dashes. Points are joined in their order; points that are not finite are left out. */
  readonly curves: readonly Curve[];
  /** Range that the vertical axis covers at least. */
  readonly upDomain?: Domain;
  readonly note?: string | undefined;
}

export interface Curve {
  readonly label: string;
  readonly points: readonly Point[];
  /** Whether to mark each point, if every point is a separate measurement. */
  readonly hasMarks?: boolean;
  /** A point to highlight, such as the threshold in use. */
  readonly emphasis?: Point | undefined;
}

/** A stand-alone SVG with a legend of two columns above the curves. */
export function lineChartSvg(chart: LineChart): string {
  const curves = chart.curves.map((curve) => ({
    ...curve,
    points: curve.points.filter(({ across, up }) => Number.isFinite(across) && Number.isFinite(up)),
  }));
  const points = curves.flatMap((curve) => curve.points);
  const axes = drawAxes({
    ...chart,
    acrossDomain: domainOf(
      points.map(({ across }) => across),
      [0],
    ),
    upDomain: domainOf(
      points.map(({ up }) => up),
      chart.upDomain,
    ),
    legendLines: Math.ceil(curves.length / legendColumns),
  });
  const drawn = curves.map(({ points, hasMarks, emphasis }, index) => {
    const place = ({ across, up }: Point) => [axes.across.position(across), axes.up.position(up)] as const;
    const { colour } = styleOf(index);
    const circle = (point: Point, radius: number) => {
      const [x, y] = place(point).map(coordinate);
      return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${colour}"/>`;
    };
    return (
      `<path d="${linePath(points.map(place))}" ${strokeOf(index)}/>` +
      (hasMarks || points.length === 1 ? points.map((point) => circle(point, 2.5)).join("") : "") +
      (emphasis === undefined ? "" : circle(emphasis, 5))
    );
  });
  const legend = curves.map(({ label }, index) => {
    const x = axes.left + (index % legendColumns) * ((axes.right - axes.left) / legendColumns);
    const y = axes.legendTop + legendLineHeight * Math.floor(index / legendColumns);
    return (
      `<path d="M${x},${y}L${x + 26},${y}" ${strokeOf(index)}/>` +
      `<text x="${x + 34}" y="${y + 4}" font-size="12">${escapeMarkup(label)}</text>`
    );
  });
  const described = curves.map(({ label, points }) => `${label}: ${courseText(points)}.`);
  return figureSvg(
    {
      title: chart.title,
      note: chart.note,
      description: [`${chart.upLabel} over ${chart.acrossLabel}.`, ...described].join(" "),
    },
    axes.markup + drawn.join("") + legend.join(""),
    axes.height,
  );
}

const legendColumns = 2;

/** Okabe and Ito (2008), darkened where white paper needs it, each with its own dashes for print in grey. */
const styles = [
  { colour: colours.blue, dashes: "" },
  { colour: colours.vermilion, dashes: "8 3" },
  { colour: "#007a5a", dashes: "2 3" },
  { colour: "#a8507f", dashes: "9 3 2 3" },
  { colour: "#8a6d00", dashes: "14 4" },
  { colour: colours.ink, dashes: "5 2 2 2 2 2" },
  { colour: "#2a8fc4", dashes: "1 2" },
] as const;

const styleOf = (index: number) => styles[index % styles.length];

function strokeOf(index: number): string {
  const { colour, dashes } = styleOf(index);
  return `fill="none" stroke="${colour}" stroke-width="2"${dashes === "" ? "" : ` stroke-dasharray="${dashes}"`}`;
}

function courseText(points: readonly Point[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return "no values";
  const short = (value: number) => Number(value.toPrecision(3));
  return `from ${short(first.up)} at ${short(first.across)} to ${short(last.up)} at ${short(last.across)}`;
}
