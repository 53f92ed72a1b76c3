// Scatter plots, Bland–Altman plots and line charts: where their marks stand, and what they say to a screen reader.
import { describe, expect, it, test } from "vitest";
import { blandAltmanSvg } from "./bland-altman.js";
import { lineChartSvg } from "./line-chart.js";
import { expectWellFormed } from "./markup.test-helper.js";
import { scatterPlotSvg } from "./scatter-plot.js";

const evil = `</title><script>alert("1")</script> & 'case'\u0000`;
const labels = { title: evil, acrossLabel: evil, upLabel: evil, note: evil };
const points = [
  { across: 0, up: 0 },
  { across: 10, up: 1 },
  { across: Number.NaN, up: 3 },
];

test.each([
  { name: "scatter", svg: scatterPlotSvg({ ...labels, groups: [{ label: evil, points }] }) },
  { name: "empty scatter", svg: scatterPlotSvg({ ...labels, groups: [] }) },
  { name: "one point", svg: scatterPlotSvg({ ...labels, groups: [{ label: "a", points: [points[1]] }] }) },
  { name: "lines", svg: lineChartSvg({ ...labels, curves: [{ label: evil, points, hasMarks: true }] }) },
  { name: "no line", svg: lineChartSvg({ ...labels, curves: [{ label: "a", points: [] }] }) },
])("$name is well-formed, without NaN", ({ svg }) => {
  expectWellFormed(svg);
  expect(svg).not.toMatch(/NaN|Infinity|undefined|<script/);
});

describe("scatterPlotSvg", () => {
  it("puts a dot at its place between the ends of the axes", () => {
    const svg = scatterPlotSvg({
      ...labels,
      groups: [{ label: "nodes", points: [...points, { across: 5, up: 0.25 }] }],
    });
    const dots = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [+x, +y]);
    const [[left, low], [right, high], [x, y]] = dots;
    expect(dots).toHaveLength(3);
    expect(x).toBeCloseTo((left + right) / 2, 2);
    expect(y).toBeCloseTo(low + (high - low) / 4, 2);
    expect(svg).toContain("nodes: 3 points, across 0 to 10, up 0 to 1.");
  });
});

describe("blandAltmanSvg", () => {
  it("draws predicted − true over their mean, with bias and limits", () => {
    // Differences 1, 2, 3: bias 2, sample SD 1.
    const pairs = [
      { predicted: 2, truth: 1 },
      { predicted: 7, truth: 5 },
      { predicted: 11, truth: 8 },
    ];
    const svg = blandAltmanSvg({ title: "Volume", measure: "volume", unit: "mL", pairs });
    expect(svg).toContain(">bias 2.00 mL<");
    expect(svg).toContain(">+1.96 SD 3.96 mL<");
    expect(svg).toContain(">−1.96 SD 0.04 mL<");
    expect(svg).toContain("3 points, across 1.5 to 9.5, up 1 to 3.");
    expectWellFormed(svg);
  });
});

describe("lineChartSvg", () => {
  it("joins the points in their order and marks the one to stand out", () => {
    const svg = lineChartSvg({
      title: "FROC",
      acrossLabel: "false positives a scan",
      upLabel: "sensitivity",
      upDomain: [0, 1],
      curves: [{ label: "test", points: [points[1], points[0]], hasMarks: true, emphasis: points[1] }],
    });
    expect(svg).toContain("test: from 1 at 10 to 0 at 0.");
    expect(svg.match(/r="2.5"/g)).toHaveLength(2);
    const [, x, y] = /<circle cx="([\d.]+)" cy="([\d.]+)" r="5"/.exec(svg) ?? [];
    expect(svg).toContain(`<path d="M${x},${y}L66,`);
  });
});
