// Smooth noise of unit deviation on a lattice that repeats every 83 mm: the grain of glands and muscle.
import type { RandomStream } from "./random.js";

const textureSize = 32;
const textureCellMm = 2.6;

/** Draws the lattice. */
export function drawTexture(random: RandomStream): Float32Array {
  return Float32Array.from({ length: textureSize ** 3 }, () => random.normal(0, 1.6));
}

/** The texture at a point in mm; coordinates within 10 m of zero. */
export function textureAt(texture: Float32Array, x: number, y: number, z: number): number {
  // The offset keeps coordinates positive, so that truncation is the floor.
  const u = x / textureCellMm + 4096;
  const v = y / textureCellMm + 4096;
  const w = z / (1.6 * textureCellMm) + 4096;
  const i = u | 0;
  const j = v | 0;
  const k = w | 0;
  const a = u - i;
  const b = v - j;
  const c = w - k;
  const mask = textureSize - 1;
  const i0 = i & mask;
  const i1 = (i + 1) & mask;
  const j0 = (j & mask) * textureSize;
  const j1 = ((j + 1) & mask) * textureSize;
  const k0 = (k & mask) * textureSize * textureSize;
  const k1 = ((k + 1) & mask) * textureSize * textureSize;
  const near =
    (texture[i0 + j0 + k0] * (1 - a) + texture[i1 + j0 + k0] * a) * (1 - b) +
    (texture[i0 + j1 + k0] * (1 - a) + texture[i1 + j1 + k0] * a) * b;
  const far =
    (texture[i0 + j0 + k1] * (1 - a) + texture[i1 + j0 + k1] * a) * (1 - b) +
    (texture[i0 + j1 + k1] * (1 - a) + texture[i1 + j1 + k1] * a) * b;
  return near * (1 - c) + far * c;
}
