// Samples of a promptable network: pure, one structure at a time, not clicked yet.
import { describe, expect, test } from "vitest";
import { indexedStream, normal } from "../random.js";
import { defaultAugmentation, noAugmentation } from "../transforms/augmentation.js";
import { labelComponents } from "../voxels/components.js";
import { drawBatch } from "./batch.js";
import { drawClickSample } from "./click-sampler.js";
import { type PreparedCase, prepareCase, type SamplerOptions } from "./sampler.js";
import { drawSyntheticTarget } from "./synthetic-target.js";

const edge = 48;
const axes = { originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
const options: SamplerOptions = {
  patchSize: [16, 16, 24],
  foregroundShare: 1,
  window: { lowHu: -160, highHu: 240 },
  clickMaps: { radiusMm: 6 },
  augmentation: noAugmentation,
};

/** Fat with two balls of soft tissue (numbers 1 and 2) and one that nobody drew. */
function neck(): PreparedCase {
  const label = new Uint8Array(edge ** 3);
  const hu = new Int16Array(edge ** 3);
  const random = indexedStream(5, 0);
  const balls = [
    { at: [14, 14, 14], radius: 6, number: 1 },
    { at: [30, 16, 14], radius: 4, number: 2 },
    { at: [24, 34, 30], radius: 11, number: 0 },
  ];
  for (let n = 0; n < hu.length; n++) {
    const place = [n % edge, Math.floor(n / edge) % edge, Math.floor(n / edge ** 2)];
    const inside = balls.find(
      ({ at, radius }) => Math.hypot(...place.map((x, axis) => x - at[axis])) <= radius,
    );
    hu[n] = normal(random, inside === undefined ? -100 : 50, 8);
    label[n] = inside?.number ?? 0;
  }
  return prepareCase("neck", { size: [edge, edge, edge], spacingMm: [1.5, 1.5, 1.5], ...axes, hu }, label);
}
const drawn = neck();
const undrawn: PreparedCase = {
  ...drawn,
  ...prepareCase("other", { ...drawn, ...axes }, new Uint8Array(edge ** 3)),
};
const [depth, height, width] = options.patchSize;
const voxels = depth * height * width;

describe("drawClickSample", () => {
  test("depends on seed and index alone", () => {
    const varied = { ...options, foregroundShare: 0.5, augmentation: defaultAugmentation };
    const cases = [drawn, undrawn];
    const forwards = [0, 1, 2, 3].map((n) => drawClickSample(7, n, cases, varied));
    const backwards = [3, 2, 1, 0].map((n) => drawClickSample(7, n, cases, varied)).reverse();
    expect(backwards).toEqual(forwards);
    expect(drawClickSample(8, 0, cases, varied)).not.toEqual(forwards[0]);
    const batch = drawBatch({ cases, seed: 7, batchSize: 2, sampler: varied }, 1);
    expect(batch.image.subarray(0, 3 * voxels)).toEqual(forwards[2].image);
    expect(batch.label.subarray(voxels)).toEqual(forwards[3].label);
    // Arrays that were used before are overwritten, with empty maps.
    const used = { image: new Float32Array(3 * voxels).fill(5), label: new Float32Array(voxels).fill(5) };
    expect(drawClickSample(7, 0, cases, varied, used)).toEqual(forwards[0]);
    expect(forwards[0].image.subarray(voxels).every((value) => value === 0)).toBe(true);
  });

  test("draws structures as often as they are long", () => {
    // Radii of 6 and 4 voxels.
    const draws = Array.from({ length: 300 }, (_, n) => drawClickSample(4, n, [drawn], options));
    const large = draws.filter(({ component }) => component === 0);
    expect(Math.abs(large.length / draws.length - 0.6)).toBeLessThan(0.08);
  });

  test("outlines one structure alone, though both lie in the patch", () => {
    const wide = { ...options, patchSize: [32, 32, 32] as const };
    const sizes = new Set<number>();
    for (let n = 0; n < 30; n++) {
      const { label } = drawClickSample(1, n, [drawn], wide);
      sizes.add(label.reduce((sum, value) => sum + value, 0));
    }
    const whole = [1, 2].map((number) =>
      drawn.label.reduce((sum, value) => sum + (value === number ? 1 : 0), 0),
    );
    // Never both together; each whole one was seen.
    expect(Math.max(...sizes)).toBe(Math.max(...whole));
    expect(whole.every((count) => sizes.has(count))).toBe(true);
  });

  test("makes its own structures where nothing is drawn", () => {
    for (let n = 0; n < 20; n++) {
      const sample = drawClickSample(2, n, [undrawn], options);
      expect(sample.component).toBeNull();
      expect(sample.label.some((value) => value === 1)).toBe(true);
    }
  });
});

test("synthetic targets are connected, and some are the ball that nobody drew", () => {
  let [balls, targets] = [0, 0];
  for (let n = 0; n < 60; n++) {
    const found = drawSyntheticTarget(indexedStream(9, n), undrawn);
    if (found === null) continue;
    targets++;
    const { start, size, mask } = found;
    let [soft, all] = [0, 0];
    for (let at = 0; at < mask.length; at++) {
      if (mask[at] === 0) continue;
      const i = start[0] + (at % size[0]);
      const j = start[1] + (Math.floor(at / size[0]) % size[1]);
      const k = start[2] + Math.floor(at / (size[0] * size[1]));
      all++;
      if (undrawn.hu[i + edge * (j + edge * k)] > -25) soft++;
    }
    // Half-axes of 56.25 mm at most.
    expect(Math.max(...size)).toBeLessThanOrEqual(2 * 39 + 5);
    expect(labelComponents(mask, size, 6).count).toBe(1);
    if (soft > 0.9 * all) balls++;
  }
  expect(targets).toBeGreaterThan(40);
  // Twice as often as their share of the volume.
  expect(balls).toBeGreaterThan(5);
});
