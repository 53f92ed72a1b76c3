// The draw of variations: as often and as strong as stated, and always as many random numbers.
import { describe, expect, test } from "vitest";
import { indexedStream } from "../random.js";
import {
  augmentationNames,
  defaultAugmentation,
  drawVariation,
  noAugmentation,
  noVariation,
  type PatchVariation,
  withoutVariations,
} from "./augmentation.js";

/** Whether a variation happened, and its strength in units of the bounds below. */
const strengths: Record<(typeof augmentationNames)[number], (drawn: PatchVariation) => number | null> = {
  flip: (v) => (v.flip ? 1 : null),
  rotation: (v) => (v.rotationDegrees[2] === 0 ? null : v.rotationDegrees[2]),
  scaling: (v) => (v.scaling === 1 ? null : v.scaling),
  elastic: (v) => v.elasticMm || null,
  huShift: (v) => v.shiftHu || null,
  thickSlices: (v) => v.sliceThicknessMm || null,
  lowResolution: (v) => (v.coarseness === 1 ? null : v.coarseness),
  blur: (v) => v.blurMm || null,
  gamma: (v) => (v.gamma === 1 ? null : v.gamma),
  contrast: (v) => (v.contrast === 1 ? null : v.contrast),
  brightness: (v) => v.brightness || null,
  noise: (v) => v.noiseDeviation || null,
};
const bounds: Record<(typeof augmentationNames)[number], readonly [number, number]> = {
  flip: [1, 1],
  rotation: [-15, 15],
  scaling: [0.85, 1.15],
  elastic: [0, 8],
  huShift: [-15, 15],
  thickSlices: [3, 6],
  lowResolution: [1.25, 2],
  blur: [0.4, 1.2],
  gamma: [0.8, 1.25],
  contrast: [0.85, 1.15],
  brightness: [-0.1, 0.1],
  noise: [0, 0.1],
};
const draws = Array.from({ length: 4000 }, (_, n) => drawVariation(indexedStream(5, n), defaultAugmentation));

describe("drawVariation", () => {
  test.each(augmentationNames)("%s comes as often as stated and fills its bounds", (name) => {
    const happened = draws.map(strengths[name]).filter((strength) => strength !== null);
    expect(Math.abs(happened.length / draws.length - defaultAugmentation[name].probability)).toBeLessThan(
      0.03,
    );
    const [low, high] = bounds[name];
    const margin = (high - low) / 20;
    for (const [extreme, bound] of [
      [Math.min(...happened), low],
      [Math.max(...happened), high],
    ])
      expect(Math.abs(extreme - bound)).toBeLessThanOrEqual(margin);
    for (const strength of happened) {
      expect(strength).toBeGreaterThanOrEqual(low - 1e-9);
      expect(strength).toBeLessThanOrEqual(high + 1e-9);
    }
  });

  test("draws nothing where every probability is 0", () => {
    for (let n = 0; n < 20; n++) {
      expect(drawVariation(indexedStream(1, n), noAugmentation)).toEqual({
        ...noVariation,
        elasticSeed: expect.any(Number),
        noiseSeed: expect.any(Number),
      });
    }
  });

  test.each(augmentationNames)("switching %s off changes nothing else, nor what is drawn next", (name) => {
    for (let n = 0; n < 40; n++) {
      const [first, second] = [indexedStream(2, n), indexedStream(2, n)];
      const all = drawVariation(first, defaultAugmentation);
      const some = drawVariation(second, withoutVariations(defaultAugmentation, [name]));
      expect(strengths[name](some)).toBeNull();
      for (const rest of augmentationNames.filter((each) => each !== name))
        expect(strengths[rest](some)).toBe(strengths[rest](all));
      expect(second.next()).toBe(first.next());
    }
  });
});
