// Random volumes for round trips: every array type, oblique and left-handed grids, anisotropic spacings.
import fc from "fast-check";
import { directions, numbers } from "../volume/geometries.test-helper.js";
import { type Volume, type VoxelArray, voxelCount } from "../volume/volume.js";

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

export const randomVolumes: fc.Arbitrary<Volume> = fc
  .record({
    size: fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
    ),
    spacingMm: fc.tuple(numbers(0.3, 5), numbers(0.3, 5), numbers(0.3, 5)),
    originMm: fc.tuple(numbers(-400, 400), numbers(-400, 400), numbers(-400, 400)),
    direction: directions,
    kind: fc.constantFrom(...arrays),
    values: fc.array(fc.oneof(fc.integer({ min: -70000, max: 70000 }), numbers(-1e6, 1e6)), {
      minLength: 60,
      maxLength: 60,
    }),
  })
  .map(({ kind, values, ...geometry }) => ({
    ...geometry,
    data: kind.from(values.slice(0, voxelCount(geometry))) as VoxelArray,
  }));
