// The bubble chart: its logarithmic axis, its areas, and labels that do not touch.
import { describe, expect, it } from "vitest";
import { type Bubble, bubbleChartSvg } from "./bubble-chart.js";
import { expectWellFormed } from "./markup.test-helper.js";
import { logarithmicScale } from "./plot.js";

const evil = `</title><script>alert("1")</script> & 'case'\u0000`;

const bubble = (label: string, across: number, up: number, size: number): Bubble => ({
  ...{ label, across, up, size },
  isMain: label === "LNSNet",
  isOnFront: label === "LNSNet" || label === "b",
});

const chartOf = (bubbles: readonly Bubble[], title = "t") =>
  bubbleChartSvg({
    ...{ title, acrossLabel: "multiply-adds (G)", upLabel: "DSC", sizeLabel: "M parameters" },
    bubbles,
    note: "phantoms",
  });

/** Circles that are filled and have a rim, largest first, as [x, y, radius]. */
const circlesOf = (svg: string) =>
  [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)" fill="#\w+" fill-opacity/g)].map(
    (found) => found.slice(1).map(Number),
  );

describe("logarithmicScale", () => {
  it.each([
    [[3, 80] as const, [2, 5, 10, 20, 50, 100]],
    [[0.002, 500] as const, [0.001, 0.01, 0.1, 1, 10, 100, 1000]],
    [[7, 7] as const, [5, 10]],
    [[10, 10] as const, [10, 20]],
  ])("covers %j with the ticks %j", (domain, ticks) => {
    expect(logarithmicScale(domain, [0, 1]).ticks).toEqual(ticks);
  });

  it("puts equal factors at equal distances", () => {
    const { position, format } = logarithmicScale([1, 100], [0, 200]);
    expect([1, 10, 100].map(position)).toEqual([0, 100, 200]);
    expect([0.01, 2, 5000].map(format)).toEqual(["0.01", "2", "5,000"]);
  });
});

describe("bubbleChartSvg", () => {
  it.each([
    { name: "bubbles", bubbles: [bubble(evil, 1, 0.5, 2), bubble("b", 100, 0.7, 90)] },
    { name: "one", bubbles: [bubble("LNSNet", 1, 0.5, 2)] },
    { name: "none", bubbles: [] },
    {
      name: "what cannot be drawn",
      bubbles: [bubble("a", 0, 0.5, 1), bubble("b", 1, Number.NaN, 1), bubble("c", 1, 0.5, -1)],
    },
  ])("is well-formed, without NaN: $name", ({ bubbles }) => {
    const svg = chartOf(bubbles, evil);
    expectWellFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<script/);
  });

  it("draws areas in proportion, and the same cost at the same place", () => {
    const [large, small, other] = circlesOf(
      chartOf([bubble("a", 10, 0.5, 25), bubble("b", 10, 0.9, 100), bubble("LNSNet", 100, 0.9, 9)]),
    );
    expect(large[2] ** 2 / small[2] ** 2).toBeCloseTo(4, 2);
    expect(large[2] ** 2 / other[2] ** 2).toBeCloseTo(100 / 9, 1);
    expect(large[0]).toBe(small[0]);
    expect(large[1]).toBe(other[1]);
  });

  it("tells by a circle of a round size what areas mean, and in words what is drawn", () => {
    const svg = chartOf([bubble("LNSNet", 7.5, 0.6, 1.2), bubble("b", 80, 0.65, 92.8)]);
    expect(svg).toContain(">area: 50 M parameters<");
    expect(svg).toContain(
      "<desc>DSC against multiply-adds (G). LNSNet: up 0.6, across 7.5, size 1.2, on the line. b: up 0.65, across 80, size 92.8, on the line.</desc>",
    );
  });

  it("places the labels of fourteen networks so that none touches another or leaves the drawing", () => {
    const names = ["LNSNet", "3D Partial U-Net", "UNETR", "V-Net", "SegResNet", "nnU-Net", "nnU-Net ResEnc"];
    const more = [
      "3D UX-Net",
      "Swin UNETR",
      "3D U-Net",
      "U-Net, by slices",
      "BasicUNet",
      "UNet",
      "MedNeXt-S",
    ];
    // All in a crowd: within a factor of five in cost and 0.02 in DSC.
    const crowd = [...names, ...more].map((name, n) =>
      bubble(name, 10 * 5 ** (((n * 5) % 14) / 13), 0.7 + 0.02 * (((n * 3) % 14) / 13), 1 + ((n * 11) % 90)),
    );
    const svg = chartOf(crowd);
    const labels = [
      ...svg.matchAll(
        /<text x="([\d.]+)" y="([\d.]+)" text-anchor="middle" font-size="12"[^>]* stroke=[^>]*>([^<]+)</g,
      ),
    ].map(([, x, y, text]) => ({ x: Number(x), y: Number(y), half: 3.2 * text.length, text }));
    expect(labels.map(({ text }) => text).sort()).toEqual([...names, ...more].sort());
    for (const [n, a] of labels.entries()) {
      expect(a.x - a.half, a.text).toBeGreaterThan(60);
      expect(a.x + a.half, a.text).toBeLessThan(478);
      for (const b of labels.slice(n + 1))
        expect(
          Math.abs(a.x - b.x) >= a.half + b.half || Math.abs(a.y - b.y) >= 13,
          `${a.text} and ${b.text}`,
        ).toBe(true);
    }
  });
});
