import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { unit } from "../volume/vector.js";
import { pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { ellipsoidMask, masks, rotation, turnedGrids } from "./mask.test-helper.js";
import { measureNodes, type NodeMeasurement } from "./node-measurement.js";

function maskOf(foreground: readonly (readonly [number, number, number])[]): Volume<Uint8Array> {
  const mask: Volume<Uint8Array> = {
    data: new Uint8Array(6 * 5 * 4),
    size: [6, 5, 4],
    spacingMm: [1, 2, 5],
    originMm: [100, -50, 7],
    // i runs along +y, j along −x, k along +z.
    direction: [0, -1, 0, 1, 0, 0, 0, 0, 1],
  };
  for (const [i, j, k] of foreground) mask.data[i + 6 * (j + 5 * k)] = 1;
  return mask;
}

test("volume, centroid in the patient and box of each node, the largest first", () => {
  const small = [[0, 0, 0]] as const;
  const large = [
    [3, 3, 1],
    [4, 3, 1],
    [5, 4, 2],
  ] as const;
  const [first, second, ...rest] = measureNodes(maskOf([...small, ...large]));
  expect(rest).toEqual([]);
  expect(first).toMatchObject({
    id: 1,
    voxels: 3,
    boundingBoxIndex: { start: [3, 3, 1], size: [3, 2, 2] },
  });
  expect(first.volumeMl).toBeCloseTo(0.03, 12);
  // Mean index (4, 10/3, 4/3), so (4, 20/3, 20/3) mm along the axes.
  const expected = [100 - 20 / 3, -50 + 4, 7 + 20 / 3];
  first.centroidLpsMm.forEach((value, axis) => {
    expect(value).toBeCloseTo(expected[axis], 10);
  });
  expect(second).toMatchObject({
    id: 2,
    voxels: 1,
    volumeMl: 0.01,
    centroidLpsMm: [100, -50, 7],
    boundingBoxIndex: { start: [0, 0, 0], size: [1, 1, 1] },
  });
});

test("nodes of one volume keep the order of memory", () => {
  const nodes = measureNodes(
    maskOf([
      [5, 4, 3],
      [0, 0, 0],
      [3, 0, 0],
    ]),
  );
  expect(nodes.map((node) => node.boundingBoxIndex.start)).toEqual([
    [0, 0, 0],
    [3, 0, 0],
    [5, 4, 3],
  ]);
  expect(nodes.map((node) => node.id)).toEqual([1, 2, 3]);
});

test("an empty mask has no node, and one that does not fill its grid is refused", () => {
  const empty = maskOf([]);
  expect(measureNodes(empty)).toEqual([]);
  expect(() => measureNodes({ ...empty, size: [6, 5, 5] })).toThrow(RangeError);
});

test("a node of two voxels, by hand", () => {
  // i runs along +y: the node is 2 voxels of 1 mm along y, 2 mm wide along x.
  const scan: Volume<Int16Array> = { ...maskOf([]), data: new Int16Array(6 * 5 * 4).fill(40) };
  scan.data[2 + 6 * 3] = 46;
  const [node] = measureNodes(
    maskOf([
      [2, 3, 0],
      [3, 3, 0],
    ]),
    scan,
  );
  expect(node).toMatchObject({
    voxels: 2,
    volumeMl: 0.02,
    huMean: 43,
    huSd: 3,
    boneOrAirShare: 0,
    centroidLpsMm: [94, -47.5, 7],
  });
  // Along y its outline has corners at ±1 mm; along x at ±1 mm over both centres, at y = ±0.5 mm. The longest diameter
  // joins two of those across the node.
  expect(node.longAxisMm).toBeCloseTo(Math.hypot(1, 2), 9);
  // In space the corners over and under the centres lie 5 mm apart, one at each centre.
  expect(node.feretMaxMm).toBeCloseTo(Math.hypot(1, 5), 9);
});

test("without a scan there is no density", () => {
  expect(measureNodes(maskOf([[0, 0, 0]]))[0]).toMatchObject({
    huMean: null,
    huSd: null,
    boneOrAirShare: null,
  });
});

test("by labels: ids are the labels in order, pieces of one label are one node, touching labels stay two", () => {
  const labels = maskOf([]);
  labels.data.set([7, 7, 3, 3, 0, 7]);
  const nodes = measureNodes(labels, null, "labels");
  expect(nodes.map(({ id, voxels }) => [id, voxels])).toEqual([
    [3, 2],
    [7, 3],
  ]);
  expect(nodes[1].boundingBoxIndex).toEqual({ start: [0, 0, 0], size: [6, 1, 1] });
  expect(measureNodes(labels).map(({ voxels }) => voxels)).toEqual([2, 2, 1]);
});

test("labels at the end of one row and the start of the next are two stretches", () => {
  const labels = maskOf([
    [5, 0, 0],
    [0, 1, 0],
  ]);
  expect(measureNodes(labels, null, "labels")[0].boundingBoxIndex.size).toEqual([6, 2, 1]);
});

test("a node at the border of the grid is as large as in its middle", () => {
  const box = (start: Vector3): readonly [number, number, number][] =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [start[0] + (n & 1), start[1] + ((n >> 1) & 1), start[2] + (n >> 2)]);
  const sizes = ({ volumeMl, longAxisMm, shortAxisMm, feretMaxMm, feretMinMm }: NodeMeasurement) => [
    volumeMl,
    longAxisMm,
    shortAxisMm,
    feretMaxMm,
    feretMinMm,
  ];
  const [middle] = measureNodes(maskOf(box([2, 2, 1])));
  for (const corner of [box([0, 0, 0]), box([4, 3, 2])])
    expect(sizes(measureNodes(maskOf(corner))[0])).toEqual(sizes(middle));
});

test("a scan on another grid is refused", () => {
  const mask = maskOf([[0, 0, 0]]);
  expect(() => measureNodes(mask, { ...mask, originMm: [101, -50, 7] })).toThrow(InputError);
});

test("each node is measured in the patient, however the grid is stored", () => {
  fc.assert(
    fc.property(masks([5, 4, 4]), turnedGrids, (mask, turn) => {
      const comparable = (nodes: NodeMeasurement[]) =>
        nodes
          .map(({ voxels, centroidLpsMm, longAxisMm, feretMinMm, side }) =>
            [voxels, ...centroidLpsMm, longAxisMm, feretMinMm]
              .map((n) => n.toFixed(6))
              .concat(side)
              .join(" "),
          )
          .sort();
      expect(comparable(measureNodes(turn(mask)))).toEqual(comparable(measureNodes(mask)));
    }),
    { numRuns: 60 },
  );
});

test("the volume of an ellipsoid whose half axes are at least five voxels is within 2 % of the truth", () => {
  const voxels = fc.double({ min: 5, max: 6, noNaN: true });
  const spacing = fc.double({ min: 0.5, max: 3, noNaN: true });
  const inputs = fc.record({
    halfAxesVoxels: fc.tuple(voxels, voxels, voxels),
    degrees: fc.integer({ min: 0, max: 180 }),
    spacingMm: fc.tuple(spacing, spacing, spacing),
  });
  fc.assert(
    fc.property(inputs, ({ halfAxesVoxels: [a, b, c], degrees, spacingMm }) => {
      const voxelMm = Math.max(...spacingMm);
      const halfAxesMm: Vector3 = [a * voxelMm, b * voxelMm, c * voxelMm];
      const truthMl = ((4 / 3) * Math.PI * a * b * c * voxelMm ** 3) / 1000;
      const turn = rotation(unit([1, 2, 3]), degrees);
      const mask = ellipsoidMask(
        { halfAxesMm, turn },
        spacingMm,
        [1, 0, 0, 0, 1, 0, 0, 0, 1],
        [0.2, -0.4, 0.1],
      );
      const voxelMl = (spacingMm[0] * spacingMm[1] * spacingMm[2]) / 1000;
      const volumeMl = voxelMl * mask.data.reduce((sum, value) => sum + value, 0);
      expect(Math.abs(volumeMl / truthMl - 1)).toBeLessThan(0.02);
      expect(measureNodes(mask)[0].volumeMl).toBeCloseTo(volumeMl, 9);
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

describe("side of the neck", () => {
  // A neck of 60 mm radius whose middle lies 24 mm to the patient's left of the grid's middle.
  const grid = { size: [80, 60, 6], spacingMm: [3, 3, 4], originMm: [-120, -90, 0] } as const;
  const scan: Volume<Int16Array> = {
    ...grid,
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data: new Int16Array(80 * 60 * 6).fill(-1000),
  };
  const nodeAt = (x: number): Volume<Uint8Array> => {
    const mask = { ...scan, data: new Uint8Array(scan.data.length) };
    mask.data[Math.round((x + 120) / 3) + 80 * (30 + 60 * 3)] = 1;
    return mask;
  };
  scan.data.forEach((_, at) => {
    const [x, y] = pointOfIndex(scan, [at % 80, Math.floor(at / 80) % 60, 0]);
    if (Math.hypot(x - 24, y) < 60) scan.data[at] = 30;
  });

  test.each([
    [24, "midline", "left"],
    [27, "midline", "left"],
    [33, "left", "left"],
    [15, "right", "left"],
    [0, "right", "midline"],
    [-9, "right", "right"],
  ])("x = %i mm: %s of the body, %s of the grid", (x, ofBody, ofGrid) => {
    expect(measureNodes(nodeAt(x), scan)[0].side).toBe(ofBody);
    expect(measureNodes(nodeAt(x))[0].side).toBe(ofGrid);
  });

  test("left and right are the patient's on a mirrored grid too", () => {
    const mirrored = <T extends Int16Array | Uint8Array>(volume: Volume<T>): Volume<T> => ({
      ...volume,
      direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1],
      originMm: [117, 87, 0],
      data: reversedSlices(volume.data),
    });
    expect(measureNodes(mirrored(nodeAt(33)), mirrored(scan))[0].side).toBe("left");
    expect(measureNodes(mirrored(nodeAt(15)), mirrored(scan))[0].side).toBe("right");
  });

  test("a scan of air falls back to the grid", () => {
    const air = { ...scan, data: new Int16Array(scan.data.length).fill(-1000) };
    expect(measureNodes(nodeAt(33), air)[0].side).toBe("left");
  });
});

/** Each slice of 80 × 60 voxels turned by 180°. */
function reversedSlices<T extends Int16Array | Uint8Array>(data: T): T {
  const turned = data.slice() as T;
  for (let start = 0; start < turned.length; start += 80 * 60)
    turned.subarray(start, start + 80 * 60).reverse();
  return turned;
}
