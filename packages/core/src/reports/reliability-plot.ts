// Reliability plot as SVG: the share of true cases against the mean probability, before and after calibration.
import type { Reliability } from "../statistics/calibration.js";
import { lineChartSvg } from "./line-chart.js";

export interface ReliabilityPlot {
  readonly title: string;
  /** What the cases are, in the plural, such as "nodes". */
  readonly cases: string;
  readonly before: Reliability;
  /** Null where no calibration could be judged. */
  readonly after: Reliability | null;
  readonly note?: string | undefined;
}

/** A stand-alone SVG: a mark for each bin that holds cases, and the diagonal on which a reliable probability lies. */
export function reliabilityPlotSvg({ title, cases, before, after, note }: ReliabilityPlot): string {
  return lineChartSvg({
    title,
    acrossLabel: "mean probability, or confidence",
    upLabel: `share of true ${cases}`,
    upDomain: [0, 1],
    curves: [
      curveOf("as predicted", before),
      ...(after === null ? [] : [curveOf("calibrated", after)]),
      {
        label: "reliable",
        points: [
          { across: 0, up: 0 },
          { across: 1, up: 1 },
        ],
      },
    ],
    note: [note, countsText(cases, before)].filter((text) => text !== undefined).join(" "),
  });
}

function curveOf(name: string, { bins, expectedCalibrationError }: Reliability) {
  return {
    label: `${name}, error ${expectedCalibrationError?.toFixed(3) ?? "–"}`,
    hasMarks: true,
    points: bins.flatMap(({ meanProbability, trueShare }) =>
      meanProbability === null || trueShare === null ? [] : [{ across: meanProbability, up: trueShare }],
    ),
  };
}

function countsText(cases: string, { bins }: Reliability): string {
  const filled = bins.filter(({ count }) => count > 0);
  const counts = filled.map(({ from, to, count }) => `${count} from ${from.toFixed(1)} to ${to.toFixed(1)}`);
  return `As predicted, ${cases} in each bin: ${counts.join(", ")}.`;
}
