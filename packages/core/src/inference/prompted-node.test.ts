// One node by several clicks: refined by more of them, never at the cost of another node, in a patch or two.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import type { Vector3 } from "../volume/volume.js";
import { densityPredictor } from "./density-predictor.test-helper.js";
import { type Ball, drawnScan, straightGrid } from "./drawn-scan.test-helper.js";
import { meantNode, placePromptedNode } from "./prompted-node.js";
import { promptedPredictor } from "./prompted-predictor.test-helper.js";
import { type Segmentation, segment } from "./segment.js";
import { row, textOf } from "./voxel-row.test-helper.js";

describe("where the answer to clicks comes to lie", () => {
  test.each<[string, string, string, number | null, number[], number, string, string]>([
    ["a new node", "11......", "...###..", null, [1], 9, "added", "11.999.."],
    [
      "a new node beside a clicked one, which keeps its voxels",
      "1111....",
      ".#####..",
      null,
      [1],
      9,
      "added",
      "111199..",
    ],
    [
      "a new node on one that was not clicked, which it refines",
      ".111....",
      ".#####..",
      null,
      [2],
      1,
      "refined",
      ".11111..",
    ],
    [
      "the node that is meant, smaller than before",
      "22221111",
      "....##..",
      1,
      [1, 2],
      1,
      "refined",
      "222211..",
    ],
    [
      "the node that is meant, larger, but not into others",
      "2.11..33",
      "########",
      1,
      [1],
      1,
      "refined",
      "21111133",
    ],
    ["nowhere else than in others", "22..11..", "##......", 1, [1, 2], 1, "covered", "22..11.."],
    ["a new node within a clicked one", ".1111...", "..##....", null, [1], 1, "covered", ".1111..."],
  ])("%s", (_, standing, drawn, number, clicked, expectedNumber, as, expected) => {
    const instances = row(standing);
    const mask = row(drawn.replaceAll("#", "1"));
    const placed = placePromptedNode(instances, { mask, start: [0, 0, 0] }, number, new Set(clicked), 9);
    expect(placed).toEqual({ number: expectedNumber, as });
    expect(textOf(instances)).toBe(expected);
  });
});

test("clicks mean the clicked node in which one of them lies, with its earlier clicks, and else a new one", () => {
  const instances = row("11.22.33");
  const earlier = [
    { pointMm: [0, 0, 0], isPositive: true, node: 1 },
    { pointMm: [2, 0, 0], isPositive: false, node: 1 },
    { pointMm: [3, 0, 0], isPositive: true, node: 2 },
    { pointMm: [5, 0, 0], isPositive: true, node: null },
  ] as const;
  const mean = (at: Vector3[], not: Vector3[] = []) => meantNode(instances, { at, not }, earlier);
  expect(mean([[1, 0, 0]])).toEqual({
    number: 1,
    at: [
      [0, 0, 0],
      [1, 0, 0],
    ],
    not: [[2, 0, 0]],
  });
  expect(mean([], [[4, 0, 0]])).toEqual({ number: 2, at: [[3, 0, 0]], not: [[4, 0, 0]] });
  // The same click again is one click; a point beside the node belongs to it where another lies in it.
  expect(
    mean([
      [0, 0, 0],
      [9, 0, 0],
    ]),
  ).toEqual({
    number: 1,
    at: [
      [0, 0, 0],
      [9, 0, 0],
    ],
    not: [[2, 0, 0]],
  });
  // Node 3 was found, and not clicked.
  expect(mean([[6, 0, 0]])).toEqual({ number: null, at: [[6, 0, 0]], not: [] });
  expect(mean([[2, 0, 0]])).toEqual({ number: null, at: [[2, 0, 0]], not: [] });
});

const grid = straightGrid([80, 60, 30], [1, 1, 1], [-40, -30, 0]);
const node: Ball = { centreMm: [-15, 0, 15], radiusMm: 7, hu: 90 };
const joined: Ball = { centreMm: [-4, 0, 15], radiusMm: 5, hu: 90 };
const other: Ball = { centreMm: [22, 0, 15], radiusMm: 6, hu: 90 };
const bone: Ball = { centreMm: [0, -22, 15], radiusMm: 5, hu: 900 };
const air: Ball = { centreMm: [-20, -22, 15], radiusMm: 5, hu: -1000 };
const scan = drawnScan(grid, [node, joined, other, bone, air]);

let predictor: Awaited<ReturnType<typeof promptedPredictor>>;
beforeAll(async () => {
  predictor = await promptedPredictor([24, 32, 32]);
});
afterAll(() => predictor.release());

const voxelsOf = ({ instances }: Segmentation, number: number) =>
  [...instances.data].filter((value) => value === number).length;

describe("segment with a promptable model", () => {
  test("a single click near a node's border gives what one in its middle does", async () => {
    const [x, y, z] = other.centreMm;
    const middle = await segment(scan, predictor, { at: [other.centreMm] });
    for (const shift of [
      [0, 5, 0],
      [-3, -3, 2],
      [2, 0, -4],
    ]) {
      const beside: Vector3 = [x + shift[0], y + shift[1], z + shift[2]];
      const found = await segment(scan, predictor, { at: [beside] });
      expect(found.instances.data).toEqual(middle.instances.data);
    }
  });

  test("negative clicks take away, positive ones add; the node keeps its number, and others their voxels", async () => {
    const first = await segment(scan, predictor, { at: [node.centreMm] });
    const second = await segment(scan, predictor, { at: [other.centreMm], standing: first });
    expect(second.nodes.map(({ id }) => id)).toEqual([1, 2]);
    const refined = await segment(scan, predictor, { not: [joined.centreMm], standing: second });
    expect(refined.nodes.map(({ id }) => id)).toEqual([1, 2]);
    expect(voxelsOf(refined, 1)).toBeLessThan(voxelsOf(first, 1) - 200);
    expect(voxelsOf(refined, 2)).toBe(voxelsOf(second, 2));
    // Into fat beside the node, together with a point in it.
    const wider = await segment(scan, predictor, {
      at: [node.centreMm, [-15, 11, 15]],
      standing: refined,
    });
    expect(voxelsOf(wider, 1)).toBeGreaterThan(voxelsOf(refined, 1) + 30);
    expect(wider.clicks.filter((click) => click.node === 1).map(({ isPositive }) => isPositive)).toEqual([
      false,
      true,
      true,
    ]);
    expect(voxelsOf(wider, 2)).toBe(voxelsOf(second, 2));
  });

  test("all clicks of a call are one node, whatever their order, and cost two patches at most", async () => {
    const before = predictor.runs();
    const together = await segment(scan, predictor, { at: [node.centreMm], not: [joined.centreMm] });
    expect(predictor.runs() - before).toBeLessThanOrEqual(2);
    expect(together.nodes).toHaveLength(1);
    const inTurn = await segment(scan, predictor, {
      not: [joined.centreMm],
      standing: await segment(scan, predictor, { at: [node.centreMm] }),
    });
    expect(inTurn.instances.data).toEqual(together.instances.data);
    const two = await segment(scan, predictor, {
      at: [
        [-18, 0, 15],
        [-12, 0, 15],
      ],
      not: [joined.centreMm],
    });
    const turned = await segment(scan, predictor, {
      at: [
        [-12, 0, 15],
        [-18, 0, 15],
      ],
      not: [joined.centreMm],
    });
    expect(turned.instances.data).toEqual(two.instances.data);
  });

  test("what cannot be answered is said, and what stands stays", async () => {
    const standing = await segment(scan, predictor, { at: [node.centreMm] });
    for (const [point, sentence] of [
      [bone.centreMm, /lies in bone/],
      [air.centreMm, /lies in air/],
      [[500, 0, 0], /outside the scan/],
    ] as const) {
      const { clicks, instances } = await segment(scan, predictor, { at: [point], standing });
      expect(clicks.at(-1)).toMatchObject({ node: null, remark: expect.stringMatching(sentence) });
      expect(instances.data).toEqual(standing.instances.data);
    }
    // A negative click may lie there.
    expect(
      (await segment(scan, predictor, { at: [node.centreMm], not: [bone.centreMm] })).nodes,
    ).toHaveLength(1);
    const lost = await segment(scan, predictor, { not: [other.centreMm], standing });
    expect(lost.clicks.at(-1)?.remark).toMatch(/none says where the node is/);
  });

  test("whole scans are refused, and negative clicks by other models", async () => {
    await expect(segment(scan, predictor)).rejects.toThrow(/outlines only what is clicked/);
    const finder = await densityPredictor([24, 24, 24]);
    await expect(segment(scan, finder, { proposer: predictor })).rejects.toThrow(
      /outlines only what is clicked/,
    );
    const asked = segment(scan, finder, { at: [node.centreMm], not: [joined.centreMm] });
    await expect(asked).rejects.toThrow(InputError);
    await expect(asked).rejects.toThrow(/not trained to be told/);
    await finder.release();
  });
});
