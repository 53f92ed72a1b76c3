import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Vector3, Volume } from "../volume/volume.js";
import { numberedComponents } from "./instances.js";
import { defaultNeckRule, numberedNodes } from "./numbered-nodes.js";

/** What lies in any of some balls, on a grid of 40 × 24 × 24 voxels. */
function balls(
  spheres: readonly { readonly atMm: Vector3; readonly radiusMm: number }[],
  spacingMm: Vector3 = [1, 1, 1],
): Volume<Uint8Array> {
  const size: Vector3 = [40, 24, 24];
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  for (let k = 0, at = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++, at++) {
        const isInside = ({ atMm: [x, y, z], radiusMm }: (typeof spheres)[number]) =>
          Math.hypot(i * spacingMm[0] - x, j * spacingMm[1] - y, k * spacingMm[2] - z) <= radiusMm;
        if (spheres.some(isInside)) data[at] = 1;
      }
  return { size, spacingMm, originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], data };
}

const always = () => true;
const voxelsOf = (data: ArrayLike<number>, number: number) =>
  Array.from(data).filter((value) => value === number).length;
const countOf = ({ data }: { readonly data: ArrayLike<number> }) => Math.max(...Array.from(data));

describe("nodes that touch", () => {
  const pair = balls([
    { atMm: [10, 12, 12], radiusMm: 7 },
    { atMm: [22, 12, 12], radiusMm: 6 },
  ]);

  test("are told apart where a narrow neck joins them, the larger one first, and no voxel is lost", () => {
    const { data } = numberedNodes(pair, always);
    expect(countOf({ data })).toBe(2);
    const at = (i: number) => data[i + 40 * (12 + 24 * 12)];
    expect([at(10), at(22)]).toEqual([1, 2]);
    expect(Array.from(data, (number) => Math.min(number, 1))).toEqual(Array.from(pair.data));
    expect(voxelsOf(data, 1)).toBeGreaterThan(voxelsOf(data, 2));
    // Each holds its own half of the neck: the border lies between the two middles.
    for (let i = 0; i < 14; i++) expect(at(i)).not.toBe(2);
    for (let i = 19; i < 40; i++) expect(at(i)).not.toBe(1);
  });

  test("are one node where the way between them is wide, or where the class is not looked at", () => {
    const fused = balls([
      { atMm: [10, 12, 12], radiusMm: 7 },
      { atMm: [15, 12, 12], radiusMm: 7 },
    ]);
    expect(countOf(numberedNodes(fused, always))).toBe(1);
    expect(countOf(numberedNodes(pair, () => false))).toBe(1);
  });

  test("are told apart in millimetres: on long voxels as on short ones", () => {
    const spheres = [
      { atMm: [10, 12, 24], radiusMm: 7 },
      { atMm: [22, 12, 24], radiusMm: 6 },
    ] as const;
    expect(countOf(numberedNodes(balls(spheres, [1, 1, 2]), always))).toBe(2);
  });

  test("keep a knob that is too small to be a node", () => {
    const knob = balls([
      { atMm: [10, 12, 12], radiusMm: 7 },
      { atMm: [20, 12, 12], radiusMm: 2.5 },
    ]);
    expect(countOf(numberedNodes(knob, always))).toBe(1);
    expect(countOf(numberedNodes(knob, always, { ...defaultNeckRule, leastVolumeMl: 0.03 }))).toBe(2);
  });

  test("of which there are three in a row are three", () => {
    const row = balls([
      { atMm: [6, 12, 12], radiusMm: 5 },
      { atMm: [15, 12, 12], radiusMm: 5.5 },
      { atMm: [24, 12, 12], radiusMm: 5 },
    ]);
    expect(countOf(numberedNodes(row, always))).toBe(3);
  });

  test("that are longer than a group of nodes can be stay whole", () => {
    expect(countOf(numberedNodes(pair, always, { ...defaultNeckRule, mostLengthMm: 20 }))).toBe(1);
  });

  test("that fill the whole grid are one", () => {
    const full = { ...pair, data: new Uint8Array(pair.data.length).fill(1) };
    expect(countOf(numberedNodes(full, always))).toBe(1);
  });
});

test("a node that the scan cuts in the middle is no neck: what lies beyond is not known", () => {
  expect(countOf(numberedNodes(balls([{ atMm: [20, 12, -2], radiusMm: 9 }]), always))).toBe(1);
});

test("without necks the numbers are those of the components", () => {
  const size: Vector3 = [5, 4, 3];
  const anyLabels = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(anyLabels, fc.boolean(), (values, isSplit) => {
      const labels: Volume<Uint8Array> = { ...balls([]), size, data: Uint8Array.from(values) };
      expect(numberedNodes(labels, () => isSplit).data).toEqual(numberedComponents(labels).data);
    }),
  );
});

test("of any balls, each node hangs together, none is too small, and together they are the mask", () => {
  const ball = fc.record({
    atMm: fc.tuple(
      fc.double({ min: 0, max: 40 }),
      fc.double({ min: 0, max: 24 }),
      fc.double({ min: 0, max: 24 }),
    ),
    radiusMm: fc.double({ min: 2, max: 8 }),
  });
  const noNaN = ({ atMm, radiusMm }: { readonly atMm: Vector3; readonly radiusMm: number }) =>
    [...atMm, radiusMm].every(Number.isFinite);
  fc.assert(
    fc.property(fc.array(ball.filter(noNaN), { minLength: 1, maxLength: 8 }), (spheres) => {
      const mask = balls(spheres);
      const components = numberedComponents(mask).data;
      const { data } = numberedNodes(mask, always);
      expect(Array.from(data, (number) => Math.min(number, 1))).toEqual(Array.from(mask.data));
      const count = countOf({ data });
      for (let number = 1; number <= count; number++) {
        const own = Uint8Array.from(data, (value) => (value === number ? 1 : 0));
        expect(countOf(numberedComponents({ ...mask, data: own }))).toBe(1);
        const voxels = voxelsOf(own, 1);
        if (voxels < 1000 * defaultNeckRule.leastVolumeMl)
          expect(voxelsOf(components, components[own.indexOf(1)])).toBe(voxels);
      }
    }),
    { numRuns: 40 },
  );
});
