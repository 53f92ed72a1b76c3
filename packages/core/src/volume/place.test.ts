// Properties of everything that moves voxels from one grid to another: the patient stays where he is.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crop } from "./crop.js";
import { directions, geometriesOf, numbers } from "./geometries.test-helper.js";
import { orientationCode, reorientToLps } from "./orientation.js";
import { gridWithSpacing, resample, resampleLabels } from "./resample.js";
import type { Geometry, Matrix3, Vector3, Volume } from "./volume.js";
import { indexOfPoint, pointOfIndex, voxelCount } from "./volume.js";

const lengths = fc.integer({ min: 1, max: 6 });

const geometries = geometriesOf(lengths);
const spacings = fc.tuple(numbers(0.4, 3), numbers(0.4, 3), numbers(0.4, 3));

/** Distinct values, so that a voxel is known by its value. */
const numbered = (geometry: Geometry): Volume<Int16Array> => ({
  ...geometry,
  data: Int16Array.from({ length: voxelCount(geometry) }, (_, n) => 3 * n - 100),
});

function indices([nx, ny, nz]: Vector3): Vector3[] {
  return Array.from({ length: nx * ny * nz }, (_, n) => [
    n % nx,
    Math.floor(n / nx) % ny,
    Math.floor(n / (nx * ny)),
  ]);
}

function valueAt(volume: Volume, [i, j, k]: Vector3): number {
  return volume.data[i + volume.size[0] * (j + volume.size[1] * k)];
}

function distance(p: Vector3, q: Vector3): number {
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

test("reorientToLps: every voxel keeps its value and its point", () => {
  fc.assert(
    fc.property(geometries, (geometry) => {
      const volume = numbered(geometry);
      const turned = reorientToLps(volume);
      expect(orientationCode(turned)).toBe("LPS");
      for (const index of indices(volume.size)) {
        const [i, j, k] = indexOfPoint(turned, pointOfIndex(volume, index));
        const there: Vector3 = [Math.round(i), Math.round(j), Math.round(k)];
        expect(distance([i, j, k], there)).toBeLessThan(1e-9);
        expect(valueAt(turned, there)).toBe(valueAt(volume, index));
      }
    }),
    { seed: 4, numRuns: 100 },
  );
});

test("crop: every voxel keeps its value and its point, the rest is fill", () => {
  const first = fc.integer({ min: -3, max: 6 });
  fc.assert(
    fc.property(
      geometries,
      fc.tuple(first, first, first),
      fc.tuple(lengths, lengths, lengths),
      (geometry, start, size) => {
        const volume = numbered(geometry);
        const box = crop(volume, start, size, 777);
        for (const index of indices(size)) {
          const old: Vector3 = [index[0] + start[0], index[1] + start[1], index[2] + start[2]];
          const inside = old.every((n, axis) => n >= 0 && n < volume.size[axis]);
          expect(valueAt(box, index)).toBe(inside ? valueAt(volume, old) : 777);
          expect(distance(pointOfIndex(box, index), pointOfIndex(volume, old))).toBeLessThan(1e-9);
        }
      },
    ),
    { seed: 5, numRuns: 100 },
  );
});

describe("resample", () => {
  test("onto its own grid gives every voxel exactly", () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const volume = numbered(geometry);
        const float = { ...geometry, data: Float32Array.from(volume.data, (value) => value / 7) };
        expect(resample(volume, geometry, "nearest", 0)).toEqual(volume);
        expect(resample(float, geometry, "linear", 0)).toEqual(float);
        expect(resampleLabels(volume, geometry)).toEqual(volume);
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  test("onto its grid turned to LPS gives the turned volume exactly", () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const turned = reorientToLps(numbered(geometry));
        expect(resample(numbered(geometry), turned, "nearest", 0).data).toEqual(turned.data);
        expect(resample(numbered(geometry), turned, "linear", 0).data).toEqual(
          Float32Array.from(turned.data),
        );
        expect(resampleLabels(numbered(geometry), turned).data).toEqual(turned.data);
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  test("linear gives a linear function of x, y, z exactly, on parallel and on oblique grids", () => {
    const f = ([x, y, z]: Vector3) => 0.3 * x - 0.7 * y + 0.2 * z + 5;
    const parallel = fc.tuple(geometries, spacings).map(([source, spacingMm]) => ({
      source,
      target: gridWithSpacing(source, spacingMm),
    }));
    const oblique = fc.record({ source: geometries, target: geometries }).map(({ source, target }) => ({
      source,
      target: { ...target, originMm: pointOfIndex(source, [1, 1, 1]) },
    }));
    let inside = 0;
    fc.assert(
      fc.property(fc.oneof(parallel, oblique), ({ source, target }) => {
        const data = Float64Array.from(indices(source.size), (index) => f(pointOfIndex(source, index)));
        const result = resample({ ...source, data }, target, "linear", Number.NaN);
        indices(target.size).forEach((index, n) => {
          const point = pointOfIndex(target, index);
          const there = indexOfPoint(source, point);
          if (there.every((x, axis) => x >= 0 && x <= source.size[axis] - 1)) {
            expect(Math.abs(result.data[n] - f(point))).toBeLessThan(1e-4);
            inside++;
          }
          if (there.some((x, axis) => x < -0.51 || x > source.size[axis] - 0.49))
            expect(result.data[n]).toBeNaN();
        });
      }),
      { seed: 8, numRuns: 200 },
    );
    expect(inside).toBeGreaterThan(1000);
  });
});

describe("a blob", () => {
  const centreMm: Vector3 = [12, -7, 40];
  const widthMm = 4;
  const blob = ([x, y, z]: Vector3) =>
    1000 * Math.exp(-((x - 12) ** 2 + (y + 7) ** 2 + (z - 40) ** 2) / (2 * widthMm ** 2));

  /** A grid of at least 40 mm to each side of the blob, whose voxels lie anyhow about its centre. */
  function volumeAround(direction: Matrix3, spacingMm: Vector3): Volume<Float32Array> {
    const half = spacingMm.map((s) => Math.ceil(20 / s));
    const size: Vector3 = [2 * half[0] + 1, 2 * half[1] + 1, 2 * half[2] + 1];
    const corner = pointOfIndex({ size, spacingMm, direction, originMm: centreMm }, [
      -half[0] + 0.3,
      -half[1] - 0.2,
      -half[2] + 0.4,
    ]);
    const geometry: Geometry = { size, spacingMm, direction, originMm: corner };
    return {
      ...geometry,
      data: Float32Array.from(indices(size), (index) => blob(pointOfIndex(geometry, index))),
    };
  }

  function centroidMm(volume: Volume): Vector3 {
    const sum = [0, 0, 0];
    let total = 0;
    indices(volume.size).forEach((index, n) => {
      pointOfIndex(volume, index).forEach((x, axis) => {
        sum[axis] += x * volume.data[n];
      });
      total += volume.data[n];
    });
    return [sum[0] / total, sum[1] / total, sum[2] / total];
  }

  test("stays at its place through turning, padding and resampling", () => {
    fc.assert(
      fc.property(
        directions,
        directions,
        fc.tuple(numbers(1, 3), numbers(1, 3), numbers(1, 3)),
        (a, b, spacingMm) => {
          const volume = volumeAround(a, spacingMm);
          const turned = reorientToLps(volume);
          const padded = crop(
            turned,
            [-2, 3, -1],
            [turned.size[0] + 5, turned.size[1] - 4, turned.size[2] + 1],
            0,
          );
          const finer = resample(padded, gridWithSpacing(padded, [1.5, 1.5, 2]), "linear", 0);
          const oblique = resample(finer, volumeAround(b, [2, 2, 2]), "linear", 0);
          for (const step of [volume, turned, padded, finer, oblique]) {
            expect(distance(centroidMm(step), centreMm)).toBeLessThan(0.05);
          }
        },
      ),
      { seed: 9, numRuns: 10 },
    );
  });
});
