import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Geometry,
  type Matrix3,
  pointOfIndex,
  type Vector3,
  type Volume,
  voxelCount,
} from "../volume/volume.js";
import { normaliseHu } from "./intensity.js";
import { prepareImage, prepareLabel, restoreMask } from "./preprocess.js";

const window = { lowHu: -200, highHu: 300 };
const straight: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Rotation about z, then about x, then any axes flipped. */
function direction(
  aroundZ: number,
  aroundX: number,
  flips: readonly boolean[] = [false, false, false],
): Matrix3 {
  const [c, s, d, t] = [Math.cos(aroundZ), Math.sin(aroundZ), Math.cos(aroundX), Math.sin(aroundX)];
  const [x, y, z] = flips.map((flipped) => (flipped ? -1 : 1));
  return [c * x, -s * d * y, s * t * z, s * x, c * d * y, -c * t * z, 0, t * y, d * z];
}

/** A scan with its middle at `middleMm`. */
function geometryAround(middleMm: Vector3, size: Vector3, spacingMm: Vector3, axes: Matrix3): Geometry {
  const atZero = { size, spacingMm, direction: axes, originMm: [0, 0, 0] as const };
  const middle = pointOfIndex(atZero, [(size[0] - 1) / 2, (size[1] - 1) / 2, (size[2] - 1) / 2]);
  return { ...atZero, originMm: [middleMm[0] - middle[0], middleMm[1] - middle[1], middleMm[2] - middle[2]] };
}

/** 1 within a ball, 0 outside, with the border spread over 2 mm as partial volume does. */
function ballOn(geometry: Geometry, middleMm: Vector3, radiusMm: number): Volume<Float32Array> {
  const data = new Float32Array(voxelCount(geometry));
  const [nx, ny] = geometry.size;
  for (let n = 0; n < data.length; n++) {
    const p = pointOfIndex(geometry, [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))]);
    const distance = Math.hypot(p[0] - middleMm[0], p[1] - middleMm[1], p[2] - middleMm[2]);
    data[n] = Math.min(1, Math.max(0, 0.5 + (radiusMm - distance) / 2));
  }
  return { ...geometry, data };
}

function centroidMm(mask: Volume<Uint8Array>): Vector3 {
  const sum = [0, 0, 0];
  let voxels = 0;
  const [nx, ny] = mask.size;
  mask.data.forEach((value, n) => {
    if (value === 0) return;
    const p = pointOfIndex(mask, [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))]);
    voxels++;
    for (const axis of [0, 1, 2]) sum[axis] += p[axis];
  });
  return [sum[0] / voxels, sum[1] / voxels, sum[2] / voxels];
}

describe("prepareImage", () => {
  test("keeps voxels that are already on the working grid, clipped and rounded", () => {
    const geometry = {
      size: [2, 2, 1],
      spacingMm: [1, 1, 2],
      originMm: [5, 6, 7],
      direction: straight,
    } as const;
    const prepared = prepareImage(
      { ...geometry, data: Float32Array.of(-1000, 0.6, 40, 2000) },
      [1, 1, 2],
      window,
    );
    expect(prepared).toEqual({ ...geometry, hu: Int16Array.of(-200, 1, 40, 300) });
  });

  test("turns the axes along LPS and takes the spacing", () => {
    const geometry = {
      size: [4, 4, 3],
      spacingMm: [1, 1, 3],
      originMm: [3, 3, 0],
      direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1],
    } as const;
    const data = Int16Array.from({ length: 48 }, (_, n) => (n % 4 === 0 ? 100 : 0));
    const prepared = prepareImage({ ...geometry, data }, [1, 1, 3], window);
    expect(prepared.direction).toEqual(straight);
    expect(prepared.originMm).toEqual([0, 0, 0]);
    expect([...prepared.hu.slice(0, 4)]).toEqual([0, 0, 0, 100]);
    expect(prepareImage({ ...geometry, data }, [2, 2, 1.5], window).size).toEqual([2, 2, 6]);
  });

  test.each([
    { lowHu: 10, highHu: 10 },
    { lowHu: Number.NaN, highHu: 10 },
    { lowHu: -40000, highHu: 10 },
  ])("refuses the window %o", (wrong) => {
    const volume = {
      size: [1, 1, 1],
      spacingMm: [1, 1, 1],
      originMm: [0, 0, 0],
      direction: straight,
      data: new Int16Array(1),
    } as const;
    expect(() => prepareImage(volume, [1, 1, 1], wrong)).toThrow(RangeError);
  });
});

test("normaliseHu takes the window's ends to −1 and 1 and clips", () => {
  expect([...normaliseHu([-500, -200, 50, 300, 900], window)]).toEqual([-1, -1, 0, 1, 1]);
});

describe("restoreMask", () => {
  test("a mask of the scan's own grid, of the same geometry", () => {
    const geometry = {
      size: [3, 1, 1],
      spacingMm: [1, 1, 1],
      originMm: [0, 0, 0],
      direction: straight,
    } as const;
    const mask = restoreMask({ ...geometry, data: Float32Array.of(0.4, 0.5, 0.6) }, geometry, 0.5);
    expect(mask).toEqual({ ...geometry, data: Uint8Array.of(0, 1, 1) });
  });

  test("a body comes back at its place, whatever the scan's orientation", () => {
    const angle = fc.double({ min: -0.4, max: 0.4, noNaN: true });
    const flips = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
    const offset = fc.double({ min: -4, max: 4, noNaN: true });
    fc.assert(
      fc.property(
        angle,
        angle,
        flips,
        fc.tuple(offset, offset, offset),
        (aroundZ, aroundX, flipped, shift) => {
          const middle: Vector3 = [100, -50, 30];
          const scan = geometryAround(
            middle,
            [44, 40, 24],
            [0.9, 1.1, 2],
            direction(aroundZ, aroundX, flipped),
          );
          const body: Vector3 = [middle[0] + shift[0], middle[1] + shift[1], middle[2] + shift[2]];
          const image = ballOn(scan, body, 10);
          for (let n = 0; n < image.data.length; n++) image.data[n] = 500 * image.data[n] - 200;
          const prepared = prepareImage(image, [1.25, 1.25, 1.5], window);
          const probability = normaliseHu(prepared.hu, window).map((value) => (value + 1) / 2);
          const mask = restoreMask({ ...prepared, data: probability }, scan, 0.5);
          const found = centroidMm(mask);
          const distance = Math.hypot(found[0] - body[0], found[1] - body[1], found[2] - body[2]);
          const volume = mask.data.reduce((sum, v) => sum + v, 0) * 0.9 * 1.1 * 2;
          expect(distance).toBeLessThan(0.45);
          expect(volume / ((4 / 3) * Math.PI * 1000)).toBeCloseTo(1, 1);
          expect(mask.originMm).toEqual(scan.originMm);
        },
      ),
      { numRuns: 25 },
    );
  });
});

test("prepareLabel puts a label where its image is", () => {
  const scan = geometryAround([0, 0, 0], [40, 40, 20], [1, 1, 2], direction(0.2, -0.1, [true, false, true]));
  const soft = ballOn(scan, [2, -3, 4], 9);
  const image = { ...scan, data: soft.data.map((value) => 500 * value - 200) };
  const label = { ...scan, data: Uint8Array.from(soft.data, (value) => (value >= 0.5 ? 1 : 0)) };
  const prepared = prepareImage(image, [1, 1, 1], window);
  const onGrid = prepareLabel(label, prepared);
  let both = 0;
  let sum = 0;
  onGrid.forEach((value, n) => {
    const inImage = prepared.hu[n] >= 50 ? 1 : 0;
    both += value * inImage;
    sum += value + inImage;
  });
  expect((2 * both) / sum).toBeGreaterThan(0.95);
});
