import { expect, test } from "vitest";
import { measureNodes } from "../voxels/node-measurement.js";
import { nodeJson, nodesCsv, nodesHtml, nodesText } from "./node-table.js";

// Two voxels in a row along x at (0, 0, 5) and (2, 0, 5): 2 × 1 × 1 mm each, so the outline runs from −1 to 3 mm.
const [node] = measureNodes({
  data: Uint8Array.of(0, 1, 1, 0),
  size: [4, 1, 1],
  spacingMm: [2, 1, 1],
  originMm: [-2, 0, 5],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});
const sure = { id: 1, meanProbability: 0.875, ensembleDisagreement: null };

test("JSON says what is measured, and null for what is not known", () => {
  expect(nodeJson(node, sure, "left II")).toMatchObject({
    id: 1,
    name: "left II",
    voxels: 2,
    volume_ml: 0.004,
    long_axis_mm: 4,
    centroid_lps_mm: [1, 0, 5],
    hu_mean: null,
    mean_probability: 0.875,
    ensemble_disagreement: null,
  });
  expect(nodeJson(node)).toMatchObject({ name: null, mean_probability: null, ensemble_disagreement: null });
});

test("CSV has every number of the JSON, a column each", () => {
  const json = nodeJson(node, sure, "left, II");
  const [header, row] = nodesCsv([json]).trimEnd().split("\n");
  const cells = row.replace('"left, II"', "left II").split(",");
  const cell = (key: string) => cells[header.split(",").indexOf(key)];
  expect(cells).toHaveLength(header.split(",").length);
  expect(cell("volume_ml")).toBe("0.004");
  expect(cell("hu_mean")).toBe("");
  expect(cell("mean_probability")).toBe("0.875");
  expect([cell("centroid_x_lps_mm"), cell("centroid_y_lps_mm"), cell("centroid_z_lps_mm")]).toEqual([
    "1",
    "0",
    "5",
  ]);
  const ends = [Number(cell("long_axis_start_x_lps_mm")), Number(cell("long_axis_end_x_lps_mm"))];
  expect(ends.sort((a, b) => a - b)).toEqual([-1, 3]);
  // Each value of the JSON is one column, each point three.
  const plain = Object.values(json).filter((value) => !Array.isArray(value)).length;
  expect(cells).toHaveLength(plain + 5 * 3);
});

test.each([
  [true, "HU of no node"],
  [false, null],
])(
  "a node that a network found and whose implausible HU are %s has the remark %s",
  (isImplausible, remark) => {
    const found = { ...sure, isImplausible };
    expect(nodeJson(node, found).remark).toBe(remark);
    expect(nodesText([nodeJson(node, found)]).includes("HU of no node")).toBe(remark !== null);
  },
);

test("the CSV of no node has its header", () => {
  expect(nodesCsv([])).toMatch(/^id,name,volume_ml,[^\n]+\n$/);
});

test("text leaves out what no node has", () => {
  expect(nodesText([nodeJson(node)]).split("\n")[0]).not.toMatch(/name|HU|probability|disagreement/);
  expect(nodesText([nodeJson(node), nodeJson(node, sure)])).toMatch(/probability[\s\S]*–[\s\S]*0\.88/);
});

test("a web page's table has the columns of the text", () => {
  const titles = nodesHtml([nodeJson(node, sure)]).match(/(?<=<th[^>]*>)[^<]+/g);
  expect(titles).toContain("probability");
  expect(titles?.join(" ")).toBe(
    nodesText([nodeJson(node, sure)])
      .split("\n")[0]
      .trim()
      .replace(/ {2,}/g, " "),
  );
});
