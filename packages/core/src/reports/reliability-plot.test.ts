// The reliability plot marks each filled bin, and says how many cases it rests on.
import { expect, test } from "vitest";
import { reliabilityOf } from "../statistics/calibration.js";
import { reliabilityPlotSvg } from "./reliability-plot.js";

const cases = [
  { probability: 0.55, isTrue: false },
  { probability: 0.92, isTrue: true },
  { probability: 0.98, isTrue: false },
];

test("bins that hold cases are marked, with their counts and the error in words", () => {
  const before = reliabilityOf(cases);
  const svg = reliabilityPlotSvg({ title: "Reliability", cases: "nodes", before, after: null });
  expect(svg.match(/<circle/g)).toHaveLength(2);
  // (0.55 + |1.90 − 1|) / 3
  expect(svg).toContain("as predicted, error 0.483");
  expect(svg).toContain("1 from 0.5 to 0.6");
  expect(svg).toContain("2 from 0.9 to");
  const both = reliabilityPlotSvg({ title: "Reliability", cases: "nodes", before, after: before });
  expect(both.match(/<circle/g)).toHaveLength(4);
});
