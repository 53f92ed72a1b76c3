import { describe, expect, test } from "vitest";
import { readJson } from "../graph/graph.test-helper.js";
import type { Vector3 } from "../volume/volume.js";
import { noVariation } from "./augmentation.js";
import { IGNORED } from "./label-scheme.js";
import { cutPatch, type PatchSize, type PatchSource, patchForm } from "./patch.js";

/** Places of a patch as SciPy turns them: fixtures/transforms. */
interface SciPyPlace {
  readonly size: Vector3;
  readonly spacingMm: Vector3;
  readonly hu: readonly number[];
  readonly patchSize: PatchSize;
  readonly centre: Vector3;
  readonly rotationDegrees: Vector3;
  readonly scaling: number;
  readonly image: readonly number[];
  readonly mirrored: readonly number[];
}

const window = { lowHu: -100, highHu: 100 };
const form = (patchSize: PatchSize) => patchForm({ patchSize, window });

/** HU = i + 10 j + 100 k − 100 on a 4 × 3 × 2 grid: every voxel is told apart. */
const ramp: PatchSource = {
  size: [4, 3, 2],
  spacingMm: [1, 1, 1],
  hu: Int16Array.from(
    { length: 24 },
    (_, n) => (n % 4) + 10 * (Math.floor(n / 4) % 3) + 100 * Math.floor(n / 12) - 100,
  ),
};

/** A cube of 9 voxels a side with a ball of radius `radius` mm around its middle voxel. */
function ball(size: number, radiusMm: number, spacingMm: [number, number, number], middle = (size - 1) / 2) {
  const hu = new Int16Array(size ** 3).fill(-100);
  const label = new Uint8Array(size ** 3);
  for (let n = 0; n < hu.length; n++) {
    const [i, j, k] = [n % size, Math.floor(n / size) % size, Math.floor(n / size ** 2)];
    const [x, y, z] = [i, j, k].map((index, axis) => (index - middle) * spacingMm[axis]);
    if (Math.hypot(x, y, z) <= radiusMm) {
      hu[n] = 100;
      label[n] = 1;
    }
  }
  return { source: { size: [size, size, size] as const, spacingMm, hu }, label };
}

describe("cutPatch", () => {
  test("takes the voxels around the centre and normalises them", () => {
    const label = new Uint8Array(24);
    label[1 + 4 * 1 + 12 * 0] = 7;
    const patch = cutPatch(ramp, label, [1, 1, 1], form([2, 2, 2]));
    // Starts at (0, 0, 0); HU −100, −99, −90, −89, then 100 more.
    expect([...patch.image].map((v) => Math.round(v * 100))).toEqual([-100, -99, -90, -89, 0, 1, 10, 11]);
    expect([...patch.label]).toEqual([0, 0, 0, 1, 0, 0, 0, 0]);
  });

  test("is air outside the scan", () => {
    const patch = cutPatch(ramp, null, [0, 0, 0], form([2, 2, 2]));
    expect([...patch.image]).toEqual([-1, -1, -1, -1, -1, -1, -1, -1]);
    const beyond = cutPatch(ramp, null, [4, 2, 1], form([1, 1, 2]));
    expect([...beyond.image]).toEqual([expect.closeTo(0.23, 6), -1]);
  });

  test.each([
    ["copied", noVariation],
    ["resampled", { ...noVariation, rotationDegrees: [0, 0, 360] as const }],
  ])("an ignored voxel is −1 in a %s patch", (_, variation) => {
    const label = new Uint8Array(24);
    label[5] = IGNORED;
    label[6] = 1;
    const { label: values } = cutPatch(ramp, label, [1, 1, 1], form([2, 2, 4]), variation);
    expect([...values].filter((value) => value === -1)).toHaveLength(1);
    expect([...values].filter((value) => value === 1)).toHaveLength(1);
  });

  test("mirrors left and right, the label with the image", () => {
    const label = new Uint8Array(24);
    label[0] = 1;
    const patch = cutPatch(ramp, label, [2, 0, 0], form([1, 1, 4]), { ...noVariation, flip: true });
    expect([...patch.image].map((v) => Math.round((v + 1) * 100))).toEqual([3, 2, 1, 0]);
    expect([...patch.label]).toEqual([0, 0, 0, 1]);
  });

  test("overwrites whatever the arrays held", () => {
    const into = { image: new Float32Array(8).fill(9), label: new Float32Array(8).fill(9) };
    for (const variation of [noVariation, { ...noVariation, scaling: 1.1 }]) {
      cutPatch(ramp, null, [-9, -9, -9], form([2, 2, 2]), variation, into);
      expect([...into.image]).toEqual(Array(8).fill(-1));
      expect([...into.label]).toEqual(Array(8).fill(0));
      into.label.fill(9);
      cutPatch(ramp, null, [1, 1, 1], form([2, 2, 2]), variation, into);
      expect([...into.label]).toEqual(Array(8).fill(0));
    }
  });

  test("a quarter turn about k takes i to j and mirrors where asked", () => {
    // One bright voxel one step along +i from the middle of 3 × 3 × 1.
    const source: PatchSource = { size: [3, 3, 1], spacingMm: [1, 1, 1], hu: new Int16Array(9).fill(-100) };
    source.hu[2 + 3 * 1] = 100;
    const at = (rotationDegrees: [number, number, number], flip: boolean) => {
      const patch = cutPatch(source, null, [1, 1, 0], form([1, 3, 3]), {
        ...noVariation,
        rotationDegrees,
        flip,
      });
      return [...patch.image].findIndex((v) => v > 0.9);
    };
    expect(at([0, 0, 0], false)).toBe(5);
    // The grid is read at the turned place: the content turns the other way, from +i to −j, then mirrors along i.
    expect(at([0, 0, 90], false)).toBe(1);
    expect(at([0, 0, -90], false)).toBe(7);
    expect(at([0, 0, 180], false)).toBe(3);
    expect(at([0, 0, 180], true)).toBe(5);
  });

  test("turned, scaled and mirrored, is read where SciPy reads it", () => {
    const { place } = readJson<{ place: SciPyPlace }>("transforms/transforms.json");
    const source = { ...place, hu: Int16Array.from(place.hu) };
    for (const flip of [false, true]) {
      const { rotationDegrees, scaling } = place;
      const variation = { ...noVariation, rotationDegrees, scaling, flip };
      const { image } = cutPatch(source, null, place.centre, form(place.patchSize), variation);
      const expected = flip ? place.mirrored : place.image;
      expect(image).toHaveLength(expected.length);
      image.forEach((value, n) => {
        expect(value).toBeCloseTo(expected[n], 5);
      });
    }
  });

  test("an elastic displacement moves label and image together, and follows its seed", () => {
    const { source, label } = ball(41, 12, [1, 1, 1]);
    const cut = (elasticMm: number, elasticSeed: number) =>
      cutPatch(source, label, [20, 20, 20], form([41, 41, 41]), { ...noVariation, elasticMm, elasticSeed });
    const [still, moved] = [cut(0, 1), cut(8, 1)];
    const disagreement = ({ image, label: mask }: typeof still) =>
      mask.reduce((sum, value, n) => sum + Math.abs(value - (image[n] >= 0 ? 1 : 0)), 0);
    expect(moved.label).not.toEqual(still.label);
    expect(disagreement(moved)).toBe(0);
    expect(cut(8, 1)).toEqual(moved);
    expect(cut(8, 2)).not.toEqual(moved);
  });

  test("turning a ball leaves it where it is, on anisotropic voxels too", () => {
    const { source, label } = ball(25, 7, [1, 1, 2]);
    const plain = cutPatch(source, label, [12, 12, 12], form([25, 25, 25]));
    const turned = cutPatch(source, label, [12, 12, 12], form([25, 25, 25]), {
      ...noVariation,
      rotationDegrees: [15, -10, 12],
    });
    let both = 0;
    let voxels = 0;
    plain.label.forEach((value, n) => {
      voxels += value + turned.label[n];
      both += value * turned.label[n];
    });
    expect((2 * both) / voxels).toBeGreaterThan(0.9);
  });

  test.each([0.85, 1.15])("scaling by %d scales volumes by its cube", (scaling) => {
    const { source, label } = ball(33, 11, [1, 1, 1]);
    const patch = cutPatch(source, label, [16, 16, 16], form([33, 33, 33]), { ...noVariation, scaling });
    const before = label.reduce((sum, v) => sum + v, 0);
    const after = patch.label.reduce((sum, v) => sum + v, 0);
    expect(after / before / scaling ** 3).toBeCloseTo(1, 1);
  });

  test("contrast, brightness and gamma are the stated formulas", () => {
    // HU 0 and 50 are 0 and 0.5.
    const source: PatchSource = { size: [2, 1, 1], spacingMm: [1, 1, 1], hu: Int16Array.of(0, 50) };
    const cut = (changes: object) => [
      ...cutPatch(source, null, [1, 0, 0], form([1, 1, 2]), { ...noVariation, ...changes }).image,
    ];
    expect(cut({ contrast: 0.8, brightness: 0.1 })[1]).toBeCloseTo(0.5, 6);
    expect(cut({ gamma: 2 })).toEqual([-0.5, expect.closeTo(2 * 0.75 ** 2 - 1, 6)]);
  });

  test("noise has the stated deviation, no mean, and follows its seed", () => {
    const source: PatchSource = { size: [40, 40, 40], spacingMm: [1, 1, 1], hu: new Int16Array(64000) };
    const cut = (noiseSeed: number) =>
      cutPatch(source, null, [20, 20, 20], form([40, 40, 40]), {
        ...noVariation,
        noiseDeviation: 0.1,
        noiseSeed,
      }).image;
    const image = cut(3);
    const mean = image.reduce((sum, v) => sum + v, 0) / image.length;
    const deviation = Math.sqrt(image.reduce((sum, v) => sum + (v - mean) ** 2, 0) / image.length);
    expect(Math.abs(mean)).toBeLessThan(0.002);
    expect(deviation).toBeCloseTo(0.1, 2);
    expect(cut(3)).toEqual(image);
    expect(cut(4)).not.toEqual(image);
  });
});
