import { expect, test } from "vitest";
import { histogramSvg } from "./histogram.js";

const series = { label: "nodes & more", lowest: 0, binWidth: 2, counts: [1, 3, 0, 4] };

test("draws each series as steps of its share, and says where most values lie", () => {
  const svg = histogramSvg({ title: "Short axis", axisLabel: "mm", series: [series] });
  expect(svg).toContain("nodes &amp; more (n 8)");
  expect(svg).toContain("most often 6 to 8 mm, 50 %");
  // Four bins: up from the base, two corners each, and down to it.
  const [, path] = /<path d="([^"]+)"/.exec(svg) ?? [];
  const corners = path
    .split(/[ML]/)
    .slice(1)
    .map((pair) => pair.split(",").map(Number));
  expect(corners.length).toBe(10);
  const base = corners[0][1];
  const heights = corners
    .slice(1, -1)
    .filter((_, n) => n % 2 === 0)
    .map(([, y]) => base - y);
  expect(heights[2]).toBe(0);
  expect(heights[1] / heights[0]).toBeCloseTo(3, 1);
  expect(heights[3] / heights[0]).toBeCloseTo(4, 1);
});

test("the share's labels stand at their lines, from 0 at the base up", () => {
  const svg = histogramSvg({ title: "Short axis", axisLabel: "mm", series: [series] });
  const labels = [...svg.matchAll(/y="([\d.]+)"[^>]*>(\d+) %</g)].map(([, y, share]) => [
    Number(share),
    Number(y),
  ]);
  expect(labels.map(([share]) => share)).toEqual([0, 20, 40, 60]);
  const lines = [...svg.matchAll(/y1="([\d.]+)" y2="\1" stroke="#e3e7eb"/g)].map(([, y]) => Number(y) + 4);
  expect(labels.map(([, y]) => y)).toEqual(lines);
});

test("two series are told apart; each is a share of its own", () => {
  const rare = { ...series, label: "rare", counts: [0, 0, 1, 0] };
  const svg = histogramSvg({ title: "Two", axisLabel: "HU", series: [series, rare] });
  expect(svg.match(/<path /g)?.length).toBe(2);
  expect(svg).toContain("rare: most often 4 to 6 HU, 100 %.");
});

test("nothing to count is drawn as nothing, without NaN", () => {
  const svg = histogramSvg({ title: "None", axisLabel: "mm", series: [{ ...series, counts: [0] }] });
  expect(svg).toContain("no values");
  expect(svg).not.toMatch(/NaN|Infinity/);
});
