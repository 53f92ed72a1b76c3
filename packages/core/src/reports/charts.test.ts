import { describe, expect, it } from "vitest";
import { boxPlotSvg } from "./box-plot.js";
import { learningCurveSvg, smoothed } from "./learning-curve.js";
import { expectWellFormed } from "./markup.test-helper.js";

const evil = `</title><script>alert("1")</script> & 'case'\u0000`;

describe("learningCurveSvg", () => {
  const steps = Array.from({ length: 5000 }, (_, index) => ({
    step: index + 1,
    loss: index === 2500 ? 7.9 : 1 + 1 / (index + 1),
  }));
  const validation = [
    { step: 1000, dsc: 0.5 },
    { step: 3000, dsc: 0.8125 },
    { step: 5000, dsc: 0.75 },
  ];

  it.each([
    { name: "a run", curve: { title: evil, note: evil, steps, validation } },
    { name: "nothing recorded", curve: { title: "", steps: [], validation: [] } },
    {
      name: "one step",
      curve: { title: "t", steps: [{ step: 1, loss: 0 }], validation: [{ step: 1, dsc: 0 }] },
    },
    {
      name: "no finite value",
      curve: {
        title: "t",
        steps: [{ step: 1, loss: Number.NaN }],
        validation: [{ step: 1, dsc: Number.NaN }],
      },
    },
  ])("is well-formed, without NaN: $name", ({ curve }) => {
    const svg = learningCurveSvg(curve);
    expectWellFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<script/);
  });

  it("says the best validation, for the eye and for a screen reader", () => {
    const svg = learningCurveSvg({ title: "t", steps, validation });
    expect(svg).toContain(">best 0.813 at step 3,000<");
    expect(svg).toContain("best 0.813 at step 3000, last 0.750.</desc>");
  });

  it("loses no spike when it thins the steps", () => {
    const svg = learningCurveSvg({ title: "t", steps, validation });
    // The loss axis ends at 8, so a spike of 7.9 stands 1/80 of the panel's 168 units below its top.
    const rawPath = /<path d="([^"]+)" fill="none" stroke="#9cc9e6"/.exec(svg)?.[1] ?? "";
    const heights = [...rawPath.matchAll(/,([\d.]+)/g)].map(([, y]) => Number(y));
    expect(heights.length).toBeLessThan(1300);
    expect(Math.max(...heights) - Math.min(...heights)).toBeCloseTo(((7.9 - 1.0002) / 8) * 168, 1);
  });
});

it("takes the mean of a window around each value, and of what there is at the ends", () => {
  expect([...smoothed([1, 2, 6, 0, 4], 3)]).toEqual([1.5, 3, 8 / 3, 10 / 3, 2]);
  expect([...smoothed([3, 5], 1)]).toEqual([3, 5]);
  expect([...smoothed([], 3)]).toEqual([]);
});

describe("boxPlotSvg", () => {
  it.each([
    {
      name: "groups",
      groups: [
        { label: evil, values: [1, 2, Number.NaN, 4] },
        { label: "b", values: [] },
        { label: "c", values: [3] },
      ],
    },
    { name: "no groups", groups: [] },
    { name: "no values", groups: [{ label: "a", values: [] }] },
  ])("is well-formed, without NaN: $name", ({ groups }) => {
    const svg = boxPlotSvg({ title: evil, axisLabel: evil, groups });
    expectWellFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<script/);
  });

  it("tells the quartiles of 1…5 and 20 as numpy does", () => {
    const svg = boxPlotSvg({
      title: "t",
      axisLabel: "HD95 (mm)",
      groups: [{ label: "net", values: [20, 3, 1, 2, 5, 4] }],
    });
    expect(svg).toContain(
      "<desc>HD95 (mm). net: n 6, median 3.5, quartiles 2.25 to 4.75, range 1 to 20.</desc>",
    );
  });

  it("shows the whole of a domain that is given, where values fill less of it", () => {
    const svg = boxPlotSvg({
      title: "t",
      axisLabel: "DSC",
      domain: [0, 1],
      groups: [{ label: "net", values: [0.4, 0.5] }],
    });
    const ticks = [...svg.matchAll(/font-size="12">([\d.−-]+)</g)].map(([, tick]) => tick);
    expect(ticks).toEqual(["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  });

  it("ends a whisker at the last value within 1.5 interquartile ranges", () => {
    const svg = boxPlotSvg({
      title: "t",
      axisLabel: "x",
      groups: [{ label: "net", values: [1, 2, 3, 4, 5, 20] }],
    });
    // The axis is 0…20 over 150…452, so 1, 2.25, 4.75 and 5 stand at:
    expect(svg).toMatch(/M165.1,[\d.]+L183.98,[\d.]+M221.73,[\d.]+L225.5,/);
  });
});
