// Describes a grid in words, for messages.
import type { Geometry } from "./volume.js";

/** The grid in words: size, spacing, origin, and the directions where they are not those of LPS. */
export function describeGeometry({ size, spacingMm, originMm, direction }: Geometry): string {
  const number = (value: number) => String(Number(value.toFixed(3)));
  const straight = direction.every((value, n) => Math.abs(value - (n % 4 === 0 ? 1 : 0)) < 1e-6);
  const turned = straight ? "" : `, directions ${direction.map(number).join(" ")}`;
  return `${size.join("×")} voxels of ${spacingMm.map(number).join("×")} mm from (${originMm.map(number).join(", ")}) mm${turned}`;
}
