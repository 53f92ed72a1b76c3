// The parts of npm run check -- realism, on specimens whose difference is known.
import type { Volume } from "@lnsnet/core";
import { describe, expect, test } from "vitest";
import { areaUnderCurve } from "./realism-curve.js";
import { measuringEye, patchEye, suspicions } from "./realism-network.js";
import { bodiesOf, EDGE, type Specimen, specimenOf } from "./realism-specimens.js";

describe("the area under the curve", () => {
  const points = (implants: readonly number[], own: readonly number[]) => [
    ...implants.map((value) => ({ isImplant: true, value })),
    ...own.map((value) => ({ isImplant: false, value })),
  ];
  test.each([
    [[3, 4], [1, 2], 1],
    [[1, 2], [3, 4], 0],
    [[2, 2], [2, 2], 0.5],
    // Of six pairs, three are won, one is even, two are lost.
    [[1, 5], [2, 5, 0], 3.5 / 6],
  ])("of implants %j and own bodies %j is %d", (implants, own, area) => {
    expect(areaUnderCurve(points(implants, own))).toBeCloseTo(area, 12);
  });

  test("is undefined without both", () => {
    expect(areaUnderCurve(points([1], []))).toBeNull();
  });
});

/** Fat with a ball of 50 HU, or a rod along z, in the middle. */
function lump(isInside: (x: number, y: number, z: number) => boolean): { image: Volume; labels: Uint8Array } {
  const size = [40, 40, 40] as const;
  const data = new Int16Array(40 ** 3).fill(-100);
  const labels = new Uint8Array(40 ** 3);
  for (let n = 0; n < data.length; n++) {
    if (!isInside((n % 40) - 20, (Math.floor(n / 40) % 40) - 20, Math.floor(n / 1600) - 20)) continue;
    data[n] = 50;
    labels[n] = 3;
  }
  const geometry = { size, spacingMm: [1, 1, 1], originMm: [0, 0, 0] } as const;
  return { image: { ...geometry, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], data }, labels };
}

const names = { id: "a", patient: "a", isImplant: true };

test("a ball in fat is measured", () => {
  const { image, labels } = lump((x, y, z) => Math.hypot(x, y, z) <= 6);
  const [body] = bodiesOf(labels, image);
  const specimen = specimenOf(image, body, names);
  expect(specimen?.sizeMm).toBeCloseTo(12, 0);
  expect(specimen?.patch).toHaveLength(EDGE ** 3);
  expect(specimen?.features).toMatchObject({
    "mean HU of the middle": 50,
    "deviation of HU in the middle": 0,
    "mean HU around": -100,
    contrast: 150,
  });
  expect(specimen?.features.elongation).toBeCloseTo(1, 1);
});

test("a rod is no lump, and neither is what has no fat around it", () => {
  const rod = lump((x, y, z) => Math.hypot(x, y) <= 3 && Math.abs(z) < 14);
  expect(specimenOf(rod.image, bodiesOf(rod.labels, rod.image)[0], names)).toBeNull();
  const { image, labels } = lump((x, y, z) => Math.hypot(x, y, z) <= 6);
  const muscle = { ...image, data: image.data.map(() => 50) } as Volume;
  expect(specimenOf(muscle, bodiesOf(labels, image)[0], names)).toBeNull();
});

test.each(["network", "measurements"])(
  "the %s tell what differs, on specimens that they have not seen",
  async (name) => {
    const specimens = (first: number) =>
      Array.from({ length: 16 }, (_, n): Specimen => {
        const isImplant = n % 2 === 0;
        const { image, labels } = lump((x, y, z) => Math.hypot(x, y, z) <= 4 + ((first + n) % 5));
        if (isImplant)
          image.data.forEach((hu, at) => {
            image.data[at] = hu + 30 * Math.sin(at);
          });
        const specimen = specimenOf(image, bodiesOf(labels, image)[0], { ...names, isImplant });
        if (specimen === null) throw new Error("a ball is a lump");
        return specimen;
      });
    const tested = specimens(3);
    const eye = name === "network" ? patchEye : measuringEye(specimens(0));
    const found = await suspicions(eye, specimens(0), tested, { steps: 60, seed: 1 });
    expect(
      areaUnderCurve(tested.map(({ isImplant }, n) => ({ isImplant, value: found[n] }))),
    ).toBeGreaterThan(0.9);
  },
);
