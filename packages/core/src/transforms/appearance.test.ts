// How patches are made to look, against SciPy and by hand.
import { describe, expect, test } from "vitest";
import { readJson } from "../graph/graph.test-helper.js";
import type { Vector3 } from "../volume/volume.js";
import { shiftHu, varyAppearance } from "./appearance.js";
import { noVariation, type PatchVariation } from "./augmentation.js";

type Effect = "blurred" | "thickSlices" | "lowResolution";
const { appearance } = readJson<{
  appearance: Record<Effect | "image", number[]> &
    Pick<PatchVariation, "blurMm" | "sliceThicknessMm" | "coarseness"> & {
      size: Vector3;
      spacingMm: Vector3;
    };
}>("transforms/transforms.json");

function varied(
  image: readonly number[],
  size: Vector3,
  changes: Partial<PatchVariation>,
  spacingMm: Vector3,
) {
  const result = Float32Array.from(image);
  varyAppearance(result, size, spacingMm, { ...noVariation, ...changes });
  return [...result];
}

/** A row of voxels along each axis: what happens along it alone. */
const rowAlong: readonly ((count: number) => Vector3)[] = [
  (count) => [count, 1, 1],
  (count) => [1, count, 1],
  (count) => [1, 1, count],
];

describe("varyAppearance", () => {
  test.each<[Effect, Partial<PatchVariation>]>([
    ["blurred", { blurMm: appearance.blurMm }],
    ["thickSlices", { sliceThicknessMm: appearance.sliceThicknessMm }],
    ["lowResolution", { coarseness: appearance.coarseness }],
  ])("%s as SciPy and NumPy compute it", (effect, changes) => {
    const result = varied(appearance.image, appearance.size, changes, appearance.spacingMm);
    result.forEach((value, n) => {
      expect(value).toBeCloseTo(appearance[effect][n], 5);
    });
  });

  test("voxels twice as long are means of two, with straight lines between their middles", () => {
    for (const size of rowAlong)
      expect(varied([0, 0.2, 0.4, 0.8], size(4), { coarseness: 2 }, [1, 1, 1])).toEqual(
        [0.1, 0.225, 0.475, 0.6].map((value) => expect.closeTo(value, 6)),
      );
  });

  test("coarse voxels stand in the middle: of five, two and a half on either side", () => {
    // Means of 0, 0, ½·0.5 and ½·0.5, 1, 1, whose middles are at 1.25 and 3.75.
    expect(varied([0, 0, 0.5, 1, 1], [5, 1, 1], { coarseness: 2.5 }, [1, 1, 1])).toEqual(
      [0.1, 0.18, 0.5, 0.82, 0.9].map((value) => expect.closeTo(value, 6)),
    );
  });

  test("slices no thicker than the grid's change nothing", () => {
    const image = [0, 1, 0, 1];
    expect(varied(image, [1, 1, 4], { sliceThicknessMm: 3 }, [1, 1, 3])).toEqual(image);
  });

  test("a constant image stays one, to the last bit, whatever smooths it", () => {
    const smooth = { blurMm: 1.1, coarseness: 1.7, sliceThicknessMm: 4.3 };
    for (const value of [-1, 0.3]) {
      const image = new Array(6 * 7 * 8).fill(Math.fround(value));
      expect(varied(image, [6, 7, 8], smooth, [0.7, 0.9, 1.1])).toEqual(image);
    }
  });
});

describe("shiftHu", () => {
  test("moves what lies within the window and leaves its ends", () => {
    const hu = Float32Array.of(-160, -159, 0, 239, 240);
    shiftHu(hu, { lowHu: -160, highHu: 240 }, 10);
    expect([...hu]).toEqual([-160, -149, 10, 249, 240]);
  });
});
