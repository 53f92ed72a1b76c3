// Random grids for property tests: any rotation, either handedness, anisotropic spacing.
import fc from "fast-check";
import type { Geometry, Matrix3 } from "./volume.js";

export const numbers = (minimum: number, maximum: number) =>
  fc.double({ min: minimum, max: maximum, noNaN: true, noDefaultInfinity: true });

/** Any rotation, from a quaternion, with the k axis reversed for half of them. */
export const directions: fc.Arbitrary<Matrix3> = fc
  .tuple(numbers(-1, 1), numbers(-1, 1), numbers(-1, 1), numbers(-1, 1), fc.constantFrom(1, -1))
  .filter(([a, b, c, d]) => Math.hypot(a, b, c, d) > 0.1)
  .map(([a, b, c, d, sign]) => {
    const length = Math.hypot(a, b, c, d);
    const [w, x, y, z] = [a / length, b / length, c / length, d / length];
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
  });

/** Grids of any origin, direction and spacing (0.4 to 3 mm), each axis of a length from `lengths`. */
export const geometriesOf = (lengths: fc.Arbitrary<number>): fc.Arbitrary<Geometry> =>
  fc.record({
    size: fc.tuple(lengths, lengths, lengths),
    spacingMm: fc.tuple(numbers(0.4, 3), numbers(0.4, 3), numbers(0.4, 3)),
    originMm: fc.tuple(numbers(-200, 200), numbers(-200, 200), numbers(-200, 200)),
    direction: directions,
  });
