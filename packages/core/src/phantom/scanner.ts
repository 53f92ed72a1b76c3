// Simulates a scanner: point spread, correlated noise, streaks.

import { add } from "../volume/vector.js";
import type { Geometry, Vector3 } from "../volume/volume.js";
import { indexOfPoint } from "../volume/volume.js";
import type { PhantomOptions } from "./options.js";
import { type RandomStream, randomStream, type StreamPurpose } from "./random.js";
import type { Variety } from "./variety.js";

/**
 * HU as a scanner would store them. Noise is drawn white and smoothed together with the picture by the same
 * kernel, as reconstruction does, so its grain matches the sharpness; its deviation is stated after smoothing.
 * `hu` (i fastest) is changed in place.
 */
export function scan(
  seed: number,
  index: number,
  hu: Float32Array,
  geometry: Geometry,
  options: PhantomOptions,
  variety: Variety,
  anatomyOriginMm: Vector3,
  purpose: StreamPurpose = "noise",
): Int16Array<ArrayBuffer> {
  const random = randomStream(seed, index, purpose);
  const [nx, ny, nz] = geometry.size;
  const sigmaMm = random.uniform(0.6, 0.9);
  const noiseHu = random.uniform(...options.noiseHu) * variety.noise;
  const shoulderHu = random.uniform(2, 9) * variety.shoulders;
  const rays = drawRays(random);
  const kernel = gaussian(sigmaMm / geometry.spacingMm[0]);
  const whiteHu = noiseHu / kernel.reduce((sum, weight) => sum + weight * weight, 0);
  const metal = variety.metal.map(({ placeMm, streakHu }) => ({
    index: indexOfPoint(geometry, add(placeMm, anatomyOriginMm)),
    rays: streakHu === null ? rays : { ...drawRays(random), strengthHu: streakHu },
  }));
  const out = new Int16Array(hu.length);
  const scratch = new Float32Array(nx * ny);
  const headward = geometry.direction[8] > 0;
  for (let k = 0; k < nz; k++) {
    const slice = hu.subarray(k * nx * ny, (k + 1) * nx * ny);
    // Shoulders lie at the lower end: noisier there.
    const height = (headward ? k : nz - 1 - k) / Math.max(1, nz - 1);
    const shoulders = Math.max(0, 1 - height / 0.28);
    addNoise(random, slice, whiteHu * (1 + 0.35 * shoulders * variety.shoulders));
    smooth(slice, scratch, nx, ny, kernel);
    if (shoulders > 0) addRowStreaks(random, slice, nx, ny, shoulderHu * shoulders);
    if (shoulders > 0 && variety.beamHardeningHu > 0)
      darken(slice, nx, ny, variety.beamHardeningHu * shoulders);
    for (const { index, rays } of metal) addRays(slice, geometry, k, index, rays);
    for (let n = 0; n < slice.length; n++) {
      out[k * nx * ny + n] = Math.max(-1024, Math.min(3071, Math.round(slice[n])));
    }
  }
  return out;
}

// The sum of four bytes is close to normal, and smoothing brings it closer: one draw a voxel.
function addNoise(random: RandomStream, slice: Float32Array, deviationHu: number): void {
  const factor = deviationHu / Math.sqrt((4 * (256 * 256 - 1)) / 12);
  for (let n = 0; n < slice.length; n++) {
    const bits = random.bits();
    const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
    slice[n] = slice[n] + (sum - 510) * factor;
  }
}

function gaussian(sigma: number): Float64Array {
  const radius = Math.max(1, Math.ceil(2.6 * sigma));
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, n) =>
    Math.exp(-((n - radius) ** 2) / (2 * sigma * sigma)),
  );
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  return kernel.map((weight) => weight / sum);
}

// Separable; the border's value is repeated outwards.
function smooth(
  slice: Float32Array,
  scratch: Float32Array,
  nx: number,
  ny: number,
  kernel: Float64Array,
): void {
  const radius = (kernel.length - 1) / 2;
  for (let j = 0; j < ny; j++) {
    const row = j * nx;
    for (let i = 0; i < nx; i++) {
      let sum = 0;
      if (i >= radius && i < nx - radius) {
        for (let t = 0; t < kernel.length; t++) sum += kernel[t] * slice[row + i - radius + t];
      } else {
        for (let t = 0; t < kernel.length; t++) {
          sum += kernel[t] * slice[row + Math.min(nx - 1, Math.max(0, i - radius + t))];
        }
      }
      scratch[row + i] = sum;
    }
  }
  slice.fill(0);
  for (let j = 0; j < ny; j++) {
    for (let t = 0; t < kernel.length; t++) {
      const from = Math.min(ny - 1, Math.max(0, j - radius + t)) * nx;
      const weight = kernel[t];
      for (let i = 0; i < nx; i++) slice[j * nx + i] = slice[j * nx + i] + weight * scratch[from + i];
    }
  }
}

// Photon starvation through the shoulders darkens and brightens whole rows.
function addRowStreaks(
  random: RandomStream,
  slice: Float32Array,
  nx: number,
  ny: number,
  deviationHu: number,
): void {
  let level = 0;
  for (let j = 0; j < ny; j++) {
    level = 0.6 * level + random.normal(0, 0.8);
    for (let i = 0; i < nx; i++) slice[j * nx + i] = slice[j * nx + i] + deviationHu * level;
  }
}

// Between the shoulders the beam is harder: tissue looks darker, most in the middle.
function darken(slice: Float32Array, nx: number, ny: number, mostHu: number): void {
  for (let j = 0; j < ny; j++)
    for (let i = 0; i < nx; i++) {
      const at = j * nx + i;
      const across = (2 * (i + 0.5)) / nx - 1;
      if (slice[at] > -800) slice[at] = slice[at] - mostHu * Math.max(0, 1 - across * across);
    }
}

interface Rays {
  readonly strengthHu: number;
  readonly phases: Vector3;
}

function drawRays(random: RandomStream): Rays {
  return {
    strengthHu: random.uniform(40, 140),
    phases: [random.uniform(0, 6.28), random.uniform(0, 6.28), random.uniform(0, 6.28)],
  };
}

// Bright and dark rays in the slices of a dental filling, weaker with distance.
function addRays(slice: Float32Array, geometry: Geometry, k: number, filling: Vector3, rays: Rays): void {
  const [nx, ny] = geometry.size;
  const awayMm = (k - filling[2]) * geometry.spacingMm[2];
  const sliceHu = rays.strengthHu * Math.exp(-((awayMm / 5) ** 2));
  if (sliceHu < 2) return;
  for (let j = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++) {
      const dx = (i - filling[0]) * geometry.spacingMm[0];
      const dy = (j - filling[1]) * geometry.spacingMm[1];
      const angle = Math.atan2(dy, dx);
      const wave =
        Math.sin(7 * angle + rays.phases[0]) * Math.sin(12 * angle + rays.phases[1]) +
        0.6 * Math.sin(31 * angle + rays.phases[2]);
      const at = j * nx + i;
      slice[at] = slice[at] + (sliceHu * wave * 12) / (12 + Math.hypot(dx, dy));
    }
  }
}
