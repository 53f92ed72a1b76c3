// Gaussian smoothing of images, axis by axis, in place.
import type { Vector3 } from "./volume.js";

/** Smooths along all three axes; standard deviations in voxels (i, j, k), i fastest in `image`. */
export function blur(image: Float32Array, size: Vector3, deviations: Vector3): void {
  for (const axis of [0, 1, 2]) blurAlong(image, size, axis, deviations[axis]);
}

/** Gaussian with a standard deviation in voxels, cut off at three deviations; beyond the ends the outermost value is repeated. */
export function blurAlong(image: Float32Array, size: Vector3, axis: number, deviation: number): void {
  const reach = Math.floor(3 * deviation + 0.5);
  if (reach === 0) return;
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, n) =>
    Math.exp(-0.5 * ((n - reach) / deviation) ** 2),
  );
  const total = weights.reduce((a, b) => a + b, 0);
  const count = size[axis];
  const padded = new Float64Array(count + 2 * reach);
  alongLines(image, size, axis, (line) => {
    padded.fill(line[0], 0, reach);
    padded.set(line, reach);
    padded.fill(line[count - 1], reach + count);
    for (let n = 0; n < count; n++) {
      let sum = 0;
      for (let tap = 0; tap <= 2 * reach; tap++) sum += weights[tap] * padded[n + tap];
      line[n] = sum / total;
    }
  });
}

/** Calls `change` with every line of an image along an axis, and writes the changed line back. */
export function alongLines(
  image: Float32Array,
  size: Vector3,
  axis: number,
  change: (line: Float64Array) => void,
): void {
  const stride = size.slice(0, axis).reduce((a, b) => a * b, 1);
  const count = size[axis];
  const line = new Float64Array(count);
  for (let block = 0; block < image.length; block += stride * count) {
    for (let first = block; first < block + stride; first++) {
      for (let n = 0; n < count; n++) line[n] = image[first + n * stride];
      change(line);
      for (let n = 0; n < count; n++) image[first + n * stride] = line[n];
    }
  }
}
