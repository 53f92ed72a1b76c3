import { expect, test } from "vitest";
import type { Volume } from "../volume/volume.js";
import { measureNodes } from "./node-measurement.js";

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
