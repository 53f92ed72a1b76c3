import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Vector3 } from "../volume/volume.js";
import { type Connectivity, labelComponents, largestFirst, removeSmallComponents } from "./components.js";

describe("two voxels are one component only where they touch enough", () => {
  const size: Vector3 = [3, 3, 3];
  test.each([
    ["face along i", [1, 0, 0], { 6: 1, 18: 1, 26: 1 }],
    ["face along j", [0, 1, 0], { 6: 1, 18: 1, 26: 1 }],
    ["face along k", [0, 0, 1], { 6: 1, 18: 1, 26: 1 }],
    ["edge in ij", [1, 1, 0], { 6: 2, 18: 1, 26: 1 }],
    ["edge in ik", [1, 0, 1], { 6: 2, 18: 1, 26: 1 }],
    ["edge in jk", [0, 1, 1], { 6: 2, 18: 1, 26: 1 }],
    ["corner", [1, 1, 1], { 6: 2, 18: 2, 26: 1 }],
    ["apart", [2, 0, 0], { 6: 2, 18: 2, 26: 2 }],
  ] as const)("%s", (_, [i, j, k], counts) => {
    const mask = new Uint8Array(27);
    mask[0] = 1;
    mask[i + 3 * (j + 3 * k)] = 1;
    for (const connectivity of [6, 18, 26] as const) {
      expect(labelComponents(mask, size, connectivity).count).toBe(counts[connectivity]);
    }
  });
});

test("the end of one row does not touch the start of the next", () => {
  const mask = Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0);
  expect(labelComponents(mask, [3, 4, 1], 26).count).toBe(2);
  expect(labelComponents(mask, [3, 2, 2], 26).count).toBe(2);
});

test("labels follow the first voxel in memory, also where branches join late", () => {
  const rows = ["1.1.1", "1.1..", "111.1"];
  const mask = Uint8Array.from(rows.join(""), (c) => (c === "1" ? 1 : 0));
  const { labels, count, sizes } = labelComponents(mask, [5, 3, 1], 6);
  expect(labels.join("")).toBe(["10102", "10100", "11103"].join(""));
  expect(count).toBe(3);
  expect(sizes).toEqual([7, 1, 1]);
});

test("an empty mask has no component, a full one has one", () => {
  expect(labelComponents(new Uint8Array(8), [2, 2, 2], 26)).toEqual({
    labels: new Int32Array(8),
    count: 0,
    sizes: [],
  });
  expect(labelComponents(new Uint8Array(8).fill(1), [2, 2, 2], 6).sizes).toEqual([8]);
});

test.each([
  [1, "110100111"],
  [2, "110000111"],
  [3, "000000111"],
  [4, "000000000"],
])("components of at least %i voxels stay", (minimum, expected) => {
  const mask = Uint8Array.from("110200111", Number);
  expect(removeSmallComponents(mask, [9, 1, 1], minimum, 6).join("")).toBe(expected);
  expect(mask[3]).toBe(2);
});

test("a mask that does not fill its grid is refused", () => {
  expect(() => labelComponents(new Uint8Array(7), [2, 2, 2], 6)).toThrow(RangeError);
});

test("flipping the volume does not change which voxels belong together", () => {
  const side = fc.integer({ min: 1, max: 6 });
  const input = fc.tuple(side, side, side).chain((size) =>
    fc.record({
      size: fc.constant(size),
      mask: fc.uint8Array({ min: 0, max: 1, minLength: voxels(size), maxLength: voxels(size) }),
      connectivity: fc.constantFrom<Connectivity>(6, 18, 26),
      flips: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    }),
  );
  fc.assert(
    fc.property(input, ({ size, mask, connectivity, flips }) => {
      const place = flippedOffsets(size, flips);
      const flipped = mask.map((_, at) => mask[place[at]]);
      const before = labelComponents(mask, size, connectivity);
      const after = labelComponents(flipped, size, connectivity);
      expect(after.count).toBe(before.count);
      const partner = new Map<number, number>();
      for (let at = 0; at < mask.length; at++) {
        const label = before.labels[place[at]];
        if (!partner.has(label)) partner.set(label, after.labels[at]);
        expect(after.labels[at]).toBe(partner.get(label));
      }
    }),
    { numRuns: 200 },
  );
});

function voxels(size: Vector3): number {
  return size[0] * size[1] * size[2];
}

function flippedOffsets([width, height, depth]: Vector3, flips: readonly boolean[]): number[] {
  const offsets: number[] = [];
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++) {
        const [a, b, c] = [
          flips[0] ? width - 1 - i : i,
          flips[1] ? height - 1 - j : j,
          flips[2] ? depth - 1 - k : k,
        ];
        offsets.push(a + width * (b + height * c));
      }
    }
  }
  return offsets;
}

test("the largest first, equal ones by their first voxel", () => {
  expect(largestFirst([2, 9, 2, 5])).toEqual([1, 3, 0, 2]);
});
