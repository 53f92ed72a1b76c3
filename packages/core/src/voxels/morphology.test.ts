import fc from "fast-check";
import { expect, test } from "vitest";
import type { Vector3 } from "../volume/volume.js";
import {
  boundary,
  cropMask,
  dilate,
  erode,
  foregroundBox,
  type IndexBox,
  type StructuringElement,
} from "./morphology.js";

const cube: Vector3 = [5, 5, 5];
const sum = (mask: Uint8Array) => mask.reduce((total, value) => total + value, 0);

test("a voxel grows to itself and six faces, and shrinks to nothing", () => {
  const centre = new Uint8Array(125);
  centre[62] = 9;
  const grown = dilate(centre, cube);
  expect([...grown.keys()].filter((at) => grown[at] === 1)).toEqual([37, 57, 61, 62, 63, 67, 87]);
  expect(sum(erode(centre, cube))).toBe(0);
  expect(erode(grown, cube)).toEqual(centre.map((value) => (value === 9 ? 1 : 0)));
});

test("outside the volume is background", () => {
  const full = new Uint8Array(125).fill(1);
  expect(sum(erode(full, cube))).toBe(27);
  expect(sum(boundary(full, cube))).toBe(98);
  expect(sum(erode(full, cube, { radiusMm: 2, spacingMm: [1, 1, 1] }))).toBe(1);
});

test.each([
  { spacingMm: [1, 3, 3], kept: { start: [2, 0, 0], size: [1, 5, 5] } },
  { spacingMm: [3, 1, 3], kept: { start: [0, 2, 0], size: [5, 1, 5] } },
  { spacingMm: [3, 3, 1], kept: { start: [0, 0, 2], size: [5, 5, 1] } },
] satisfies { spacingMm: Vector3; kept: IndexBox }[])(
  "on spacing $spacingMm a ball of 2 mm takes two voxels off the fine axis alone",
  ({ spacingMm, kept }) => {
    const eroded = erode(new Uint8Array(125).fill(1), cube, { radiusMm: 2, spacingMm });
    expect(foregroundBox(eroded, cube)).toEqual(kept);
    expect(sum(eroded)).toBe(25);
  },
);

test.each([
  { radiusMm: 0, spacingMm: [1, 1, 1], voxels: 1 },
  { radiusMm: 1, spacingMm: [1, 1, 1], voxels: 7 },
  { radiusMm: 1.5, spacingMm: [1, 1, 1], voxels: 19 },
  { radiusMm: 1.8, spacingMm: [1, 1, 1], voxels: 27 },
  { radiusMm: 1, spacingMm: [1, 1, 3], voxels: 5 },
  { radiusMm: 0.5, spacingMm: [1, 1, 1], voxels: 1 },
  { radiusMm: 0.3, spacingMm: [0.1 + 0.2, 1, 1], voxels: 3 },
] satisfies { radiusMm: number; spacingMm: Vector3; voxels: number }[])(
  "a ball of $radiusMm mm on spacing $spacingMm has $voxels voxels",
  ({ voxels, ...ball }) => {
    const centre = new Uint8Array(125);
    centre[62] = 1;
    expect(sum(dilate(centre, cube, ball))).toBe(voxels);
  },
);

test("an empty mask stays empty and has no box", () => {
  const empty = new Uint8Array(125);
  for (const element of ["faces", { radiusMm: 2, spacingMm: [1, 1, 1] }] satisfies StructuringElement[]) {
    expect(sum(dilate(empty, cube, element))).toBe(0);
    expect(sum(erode(empty, cube, element))).toBe(0);
  }
  expect(foregroundBox(empty, cube)).toBeNull();
});

test("the foreground box is tight, and cropping to it keeps values", () => {
  const mask = new Uint8Array(4 * 3 * 2);
  mask[2 + 4 * (1 + 3 * 0)] = 5;
  mask[1 + 4 * (2 + 3 * 1)] = 6;
  const box = { start: [1, 1, 0], size: [2, 2, 2] } as const;
  expect(foregroundBox(mask, [4, 3, 2])).toEqual(box);
  expect([...cropMask(mask, [4, 3, 2], box)]).toEqual([0, 5, 0, 0, 0, 0, 6, 0]);
  expect(() => cropMask(mask, [4, 3, 2], { start: [3, 0, 0], size: [2, 1, 1] })).toThrow(RangeError);
});

test.each([-1, Number.NaN])("a radius of %d mm is refused", (radiusMm) => {
  const ball: StructuringElement = { radiusMm, spacingMm: [1, 1, 1] };
  expect(() => erode(new Uint8Array(125), cube, ball)).toThrow(RangeError);
  expect(() => dilate(new Uint8Array(125), cube, ball)).toThrow(RangeError);
});

test("a ball of one spacing is the six faces, and eroding is dilating the background", () => {
  const masks = fc.uint8Array({ min: 0, max: 1, minLength: 125, maxLength: 125 });
  fc.assert(
    fc.property(masks, (mask) => {
      const ball: StructuringElement = { radiusMm: 1, spacingMm: [1, 1, 1] };
      expect(dilate(mask, cube, ball)).toEqual(dilate(mask, cube));
      expect(erode(mask, cube, ball)).toEqual(erode(mask, cube));
      const inner = { start: [1, 1, 1], size: [3, 3, 3] } as const;
      const background = mask.map((value) => 1 - value);
      expect(cropMask(erode(mask, cube), cube, inner)).toEqual(
        cropMask(dilate(background, cube), cube, inner).map((value) => 1 - value),
      );
    }),
  );
});
