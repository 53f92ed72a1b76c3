// Bland–Altman plot of a predicted and a true measure, as an SVG chart.
import { type Agreement, blandAltman } from "../statistics/bland-altman.js";
import { scatterPlotSvg } from "./scatter-plot.js";
import { decimals } from "./table.js";

export interface BlandAltmanPlot {
  readonly title: string;
  /** For instance "volume" and "mL". */
  readonly measure: string;
  readonly unit: string;
  /** Two or more. */
  readonly pairs: readonly { readonly predicted: number; readonly truth: number }[];
  readonly note?: string | undefined;
}

/**
 * A stand-alone SVG: for each pair the difference, predicted − true, against the mean of the two, with the bias and the
 * limits of agreement as lines.
 *
 * @throws RangeError where there are fewer than two pairs
 */
export function blandAltmanSvg({ title, measure, unit, pairs, note }: BlandAltmanPlot): string {
  const agreement = blandAltman(
    pairs.map(({ predicted }) => predicted),
    pairs.map(({ truth }) => truth),
  );
  return scatterPlotSvg({
    title,
    acrossLabel: `mean of predicted and true ${measure} (${unit})`,
    upLabel: `predicted − true (${unit})`,
    groups: [
      {
        label: "pairs",
        points: pairs.map(({ predicted, truth }) => ({
          across: (predicted + truth) / 2,
          up: predicted - truth,
        })),
      },
    ],
    levels: levelsOf(agreement, unit),
    note,
  });
}

function levelsOf({ bias, limits }: Agreement, unit: string) {
  const shown = (value: number) => `${decimals(2)(value).replace("-", "−")} ${unit}`;
  return [
    { up: limits.high, label: `+1.96 SD ${shown(limits.high)}`, isMain: false },
    { up: bias, label: `bias ${shown(bias)}`, isMain: true },
    { up: limits.low, label: `−1.96 SD ${shown(limits.low)}`, isMain: false },
  ];
}
