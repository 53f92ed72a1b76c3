import { describe, expect, test } from "vitest";
import { defaultAugmentation, noAugmentation } from "../transforms/augmentation.js";
import { drawSample, type PreparedCase, prepareCase, type SamplerOptions } from "./sampler.js";

const options: SamplerOptions = {
  patchSize: [8, 8, 8],
  foregroundShare: 0.5,
  window: { lowHu: -200, highHu: 300 },
  augmentation: noAugmentation,
};

/** A 40³ case with a box for each entry: [first voxel along every axis, voxels a side]. */
function caseWithBoxes(id: string, boxes: readonly (readonly [number, number])[]): PreparedCase {
  const size = 40;
  const label = new Uint8Array(size ** 3);
  for (const [start, side] of boxes) {
    for (let k = start; k < start + side; k++)
      for (let j = start; j < start + side; j++)
        for (let i = start; i < start + side; i++) label[i + size * (j + size * k)] = 1;
  }
  const hu = Int16Array.from(label, (value, n) => (value === 1 ? 50 : (n % 97) - 150));
  const geometry = { originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
  return prepareCase(id, { size: [size, size, size], spacingMm: [1, 1, 1], ...geometry, hu }, label);
}

const small = [4, 2] as const;
const large = [20, 10] as const;
const both = caseWithBoxes("both", [small, large]);
const empty = caseWithBoxes("empty", []);

describe("prepareCase", () => {
  test("lists the foreground body by body", () => {
    expect([...both.componentOffsets]).toEqual([0, 8, 1008]);
    expect(both.foreground[0]).toBe(4 + 40 * (4 + 40 * 4));
    expect(both.foreground[8]).toBe(20 + 40 * (20 + 40 * 20));
    expect(both.foreground.every((voxel) => both.label[voxel] === 1)).toBe(true);
    expect([...empty.componentOffsets]).toEqual([0]);
  });
});

describe("look-alikes", () => {
  const size = 40;
  const at = (i: number, j: number, k: number) => i + size * (j + size * k);
  const geometry = { originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
  const prepared = {
    ...{ size: [size, size, size] as const, spacingMm: [1, 1, 1] as const, ...geometry },
    hu: new Int16Array(size ** 3),
  };
  const label = new Uint8Array(size ** 3);
  label[at(20, 20, 20)] = 1;
  label[at(30, 30, 30)] = 255;
  const lookAlikes = new Uint8Array(size ** 3);
  // Two beside each other; one that touches the node, and one that touches what is ignored.
  for (const [i, j, k] of [
    [5, 5, 5],
    [6, 5, 5],
    [20, 20, 20],
    [21, 20, 20],
    [30, 30, 30],
    [30, 30, 31],
  ])
    lookAlikes[at(i, j, k)] = 7;
  const found = prepareCase("neck", prepared, label, lookAlikes);

  test("are aimed at where they touch neither foreground nor ignored voxels, and stay background", () => {
    expect([...found.foreground].sort((a, b) => a - b)).toEqual([at(5, 5, 5), at(6, 5, 5), at(20, 20, 20)]);
    expect(found.label).toEqual(label);
    const draws = Array.from({ length: 1000 }, (_, n) =>
      drawSample(3, n, [found], { ...options, foregroundShare: 1 }),
    );
    const near = draws.filter(({ centre }) => centre[0] < 12);
    expect(near.length / draws.length).toBeCloseTo(0.5, 1);
    for (const draw of near) expect(Math.max(...draw.label)).toBe(0);
  });
});

describe("drawSample", () => {
  test("depends on seed and index alone", () => {
    const varied = { ...options, augmentation: defaultAugmentation };
    const cases = [both, empty];
    const forwards = [0, 1, 2, 3].map((n) => drawSample(7, n, cases, varied));
    const backwards = [3, 2, 1, 0].map((n) => drawSample(7, n, cases, varied)).reverse();
    expect(backwards).toEqual(forwards);
    expect(drawSample(8, 0, cases, varied)).not.toEqual(forwards[0]);
    expect(forwards[1]).not.toEqual(forwards[0]);
  });

  test("small bodies are aimed at as often as large ones, and always seen", () => {
    const draws = Array.from({ length: 2000 }, (_, n) => drawSample(1, n, [both, empty], options));
    const aimed = draws.filter((draw) => draw.component !== null);
    expect(aimed.length / draws.length).toBeCloseTo(0.5, 1);
    expect(aimed.filter((draw) => draw.component === 0).length / aimed.length).toBeCloseTo(0.5, 1);
    for (const draw of aimed) expect(draw.label.some((value) => value === 1)).toBe(true);
    // Not always in the middle: the jitter reaches a quarter of the patch both ways.
    const offsets = new Set(aimed.filter((draw) => draw.component === 0).map((draw) => draw.centre[0]));
    expect(Math.min(...offsets)).toBe(2);
    expect(Math.max(...offsets)).toBe(7);
  });

  test("random places keep the patch within the scan and reach both ends", () => {
    const draws = Array.from({ length: 2000 }, (_, n) => drawSample(2, n, [empty], options));
    const starts = draws.map((draw) => draw.centre[2] - 4);
    expect(Math.min(...starts)).toBe(0);
    expect(Math.max(...starts)).toBe(32);
  });

  test("random places of CT lie in the body, and those of other images anywhere", () => {
    // A body that fills a tenth of the scan, amid air.
    const isBody = (n: number) => Math.floor(n / 1600) >= 14 && Math.floor(n / 1600) < 18;
    const hu = Int16Array.from({ length: 40 ** 3 }, (_, n) => (isBody(n) ? 40 : -200));
    const scan = { ...empty, hu };
    const shareInBody = (plan: SamplerOptions) => {
      const centres = Array.from({ length: 400 }, (_, n) => drawSample(5, n, [scan], plan).centre);
      return centres.filter(([, , k]) => k >= 14 && k < 18).length / centres.length;
    };
    // 1 − (29/33)⁸, since the middle of a patch has 33 heights; and 4/33.
    expect(Math.abs(shareInBody(options) - 0.644)).toBeLessThan(0.08);
    const other = { ...options, channels: [{ name: "MR", scaling: "z-score" as const }] };
    expect(Math.abs(shareInBody(other) - 0.121)).toBeLessThan(0.05);
  });

  test("a scan smaller than the patch stands in its middle, with air around", () => {
    const { image, centre } = drawSample(1, 0, [empty], { ...options, patchSize: [8, 8, 60] });
    expect(centre[0]).toBe(20);
    expect(image[0]).toBe(-1);
    expect(image[10]).toBeGreaterThan(-1);
  });

  test("writes into a batch", () => {
    const image = new Float32Array(2 * 512);
    const label = new Float32Array(2 * 512);
    for (const n of [0, 1]) {
      const into = {
        image: image.subarray(n * 512, n * 512 + 512),
        label: label.subarray(n * 512, n * 512 + 512),
      };
      drawSample(1, n, [both], options, into);
    }
    expect(image.subarray(512)).toEqual(drawSample(1, 1, [both], options).image);
  });

  test("refuses an empty list", () => {
    expect(() => drawSample(1, 0, [], options)).toThrow(RangeError);
  });
});
