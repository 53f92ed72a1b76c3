// Random volumes for round trips: every array type, oblique and left-handed grids, anisotropic spacings.
import fc from "fast-check";
import type { Matrix3, Volume, VoxelArray } from "../volume/volume.js";

const arrays = [
  Float32Array,
  Int16Array,
  Uint16Array,
  Uint8Array,
  Int8Array,
  Int32Array,
  Uint32Array,
  Float64Array,
] as const;

const numbers = (minimum: number, maximum: number) =>
  fc.double({ min: minimum, max: maximum, noNaN: true, noDefaultInfinity: true });

export const randomVolumes: fc.Arbitrary<Volume> = fc
  .record({
    size: fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
    ),
    spacingMm: fc.tuple(numbers(0.3, 5), numbers(0.3, 5), numbers(0.3, 5)),
    originMm: fc.tuple(numbers(-400, 400), numbers(-400, 400), numbers(-400, 400)),
    quaternion: fc
      .tuple(numbers(-1, 1), numbers(-1, 1), numbers(-1, 1), numbers(-1, 1))
      .filter((q) => Math.hypot(...q) > 0.1),
    leftHanded: fc.boolean(),
    kind: fc.constantFrom(...arrays),
    values: fc.array(fc.oneof(fc.integer({ min: -70000, max: 70000 }), numbers(-1e6, 1e6)), {
      minLength: 60,
      maxLength: 60,
    }),
  })
  .map(({ size, spacingMm, originMm, quaternion, leftHanded, kind, values }) => ({
    size,
    spacingMm,
    originMm,
    direction: directionOf(quaternion, leftHanded),
    data: kind.from(values.slice(0, size[0] * size[1] * size[2])) as VoxelArray,
  }));

/** The direction matrix of a quaternion, with the k axis turned round for a left-handed grid. */
function directionOf(quaternion: readonly number[], leftHanded: boolean): Matrix3 {
  const length = Math.hypot(...quaternion);
  const [w, x, y, z] = quaternion.map((value) => value / length);
  const sign = leftHanded ? -1 : 1;
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y) * sign,
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x) * sign,
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    (1 - 2 * (x * x + y * y)) * sign,
  ];
}
