// The argument checks that every function over a mask makes first.

import type { Vector3 } from "../volume/volume.js";

/**
 * Refuses a mask whose length does not match its grid, because a wrong stride gives wrong results that look plausible.
 *
 * @throws RangeError where `length` is not i·j·k of `size`, or `size` is not three whole numbers.
 */
export function requireMaskOfSize(length: number, size: Vector3): void {
  if (size.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new RangeError(`A grid needs three whole sizes, not ${size.join(" × ")}.`);
  }
  if (length !== size[0] * size[1] * size[2]) {
    throw new RangeError(`A mask of ${length} voxels does not fill a grid of ${size.join(" × ")}.`);
  }
}

/**
 * Refuses a spacing that is not a positive number.
 *
 * @throws RangeError where a spacing is not finite and above zero.
 */
export function requireSpacing(spacingMm: Vector3): void {
  if (spacingMm.some((s) => !(s > 0 && Number.isFinite(s)))) {
    throw new RangeError(`Spacings must be finite and above 0 mm, not ${spacingMm.join(" × ")}.`);
  }
}
