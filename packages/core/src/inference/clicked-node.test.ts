// A clicked node: the right one, whole, in its place, wherever in it the click was; and a clear answer where there is none.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reorientToLps } from "../volume/orientation.js";
import { type Geometry, pointOfIndex, type Vector3, type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { type ClickedNode, segmentClickedNode } from "./clicked-node.js";
import { densityPredictor } from "./density-predictor.test-helper.js";
import { type Ball, drawnScan, straightGrid } from "./drawn-scan.test-helper.js";

const grid = straightGrid([80, 80, 40], [1, 1, 2], [-40, -40, 100]);
const node: Ball = { centreMm: [5, -3, 140], radiusMm: 8, hu: 90 };
const neighbour: Ball = { centreMm: [5, 20, 140], radiusMm: 6, hu: 90 };
const bone: Ball = { centreMm: [-25, 0, 140], radiusMm: 6, hu: 900 };
const air: Ball = { centreMm: [-25, -25, 140], radiusMm: 6, hu: -1000 };
const scan = drawnScan(grid, [node, neighbour, bone, air]);

let predictor: Awaited<ReturnType<typeof densityPredictor>>;
beforeAll(async () => {
  predictor = await densityPredictor([24, 24, 24]);
});
afterAll(() => predictor.release());

async function clicked(volume: Volume, pointMm: Vector3): Promise<ClickedNode> {
  const found = await segmentClickedNode(volume, pointMm, predictor);
  if (found.found === "none") throw new Error(found.reason);
  return found;
}

const volumeMm3 = ({ mask }: ClickedNode) =>
  mask.data.reduce((sum, value) => sum + value, 0) * voxelVolumeMm3(mask);
const ballMm3 = ({ radiusMm }: Ball) => (4 / 3) * Math.PI * radiusMm ** 3;

function centroidMm({ mask }: ClickedNode): Vector3 {
  const sum = [0, 0, 0];
  let voxels = 0;
  const [nx, ny] = mask.size;
  mask.data.forEach((value, at) => {
    if (value === 0) return;
    voxels++;
    const point = pointOfIndex(mask, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]);
    point.forEach((coordinate, axis) => {
      sum[axis] += coordinate;
    });
  });
  return [sum[0] / voxels, sum[1] / voxels, sum[2] / voxels];
}

test.each<[string, Vector3]>([
  ["in its middle", node.centreMm],
  ["near its border", [5 + 6, -3, 140]],
  ["3 mm beside it", [5, -3 - 11, 140]],
])("clicked %s, a node is found whole and in its place, without its neighbour", async (_, point) => {
  const found = await clicked(scan, point);
  expect(volumeMm3(found) / ballMm3(node)).toBeCloseTo(1, 1);
  centroidMm(found).forEach((coordinate, axis) => {
    expect(Math.abs(coordinate - node.centreMm[axis])).toBeLessThan(0.5);
  });
  expect(found.isCut).toBe(false);
});

test("clicks anywhere in a node give one mask", async () => {
  const first = await clicked(scan, node.centreMm);
  for (const shift of [
    [3, 0, 0],
    [-2, 2, 1],
    [0, -1.5, -2],
  ]) {
    const [x, y, z] = node.centreMm;
    const other = await clicked(scan, [x + shift[0], y + shift[1], z + shift[2]]);
    expect(other.start).toEqual(first.start);
    expect(other.mask).toEqual(first.mask);
  }
});

test("a node at the scan's corner is found, padded with air", async () => {
  const corner: Ball = { centreMm: [-38, -38, 102], radiusMm: 7, hu: 90 };
  const found = await clicked(drawnScan(grid, [corner]), corner.centreMm);
  // Seven eighths of the ball at most lie outside.
  expect(volumeMm3(found)).toBeGreaterThan(ballMm3(corner) / 8);
  expect(volumeMm3(found)).toBeLessThan(ballMm3(corner) / 2);
});

test("a node larger than a patch is followed to its ends, at the cost of further patches", async () => {
  const large: Ball = { centreMm: [0, 0, 140], radiusMm: 18, hu: 90 };
  const before = predictor.runs();
  const found = await clicked(drawnScan(grid, [large]), [8, 0, 140]);
  expect(volumeMm3(found) / ballMm3(large)).toBeCloseTo(1, 1);
  expect(found.isCut).toBe(false);
  expect(predictor.runs() - before).toBeGreaterThan(2);
});

test("what is larger than three patches is cut, and said to be", async () => {
  const huge: Ball = { centreMm: [0, 0, 140], radiusMm: 39, hu: 90 };
  const whole = straightGrid([80, 80, 80], [1, 1, 1], [-40, -40, 100]);
  const found = await clicked(drawnScan(whole, [huge]), [0, 0, 140]);
  expect(found.isCut).toBe(true);
});

test("an ordinary node costs one patch where the click is in its middle, else two", async () => {
  const before = predictor.runs();
  await clicked(scan, [5.5, -2.5, 141]);
  expect(predictor.runs() - before).toBeLessThanOrEqual(2);
});

describe("orientation does not matter", () => {
  const turned: Geometry = {
    size: [40, 80, 80],
    spacingMm: [2, 1, 1],
    originMm: [39, -40, 178],
    // i runs down, j to the back, k to the right.
    direction: [0, 0, -1, 0, 1, 0, -1, 0, 0],
  };
  test("a scan stored along other axes gives the same voxels in space", async () => {
    const straight = await clicked(scan, node.centreMm);
    const other = await clicked(drawnScan(turned, [node, neighbour, bone, air]), node.centreMm);
    const upright = reorientToLps(other.mask);
    expect(upright.originMm).toEqual(straight.mask.originMm);
    expect(upright.data).toEqual(straight.mask.data);
  });
});

describe("a click without a node is answered in one sentence", () => {
  test.each<[string, Vector3, RegExp]>([
    ["outside the scan", [200, 0, 140], /\(200\.0, 0\.0, 140\.0\) mm lies outside the scan.*80×80×40/],
    ["not a number", [Number.NaN, 0, 140], /outside the scan/],
    ["in air", air.centreMm, /lies in air \(-1000 HU/],
    ["in bone", bone.centreMm, /bone or metal \(900 HU/],
    ["in fat", [25, -25, 140], /No node was found at \(25\.0, -25\.0, 140\.0\) mm.*0\.00.*0\.5 is needed/],
  ])("%s", async (_, point, sentence) => {
    const found = await segmentClickedNode(scan, point, predictor);
    expect(found).toMatchObject({ found: "none", reason: expect.stringMatching(sentence) });
  });
});
