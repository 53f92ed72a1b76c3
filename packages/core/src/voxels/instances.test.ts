import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { labelComponents } from "./components.js";
import { labelMasks, labelValues, type NamedMask, numberedComponents } from "./instances.js";

const mask = (name: string, text: string): NamedMask => ({ name, mask: Uint8Array.from(text, Number) });

describe("bodies are numbered in their order", () => {
  test.each<[string, NamedMask[], boolean, string, [string, number][]]>([
    [
      "apart",
      [mask("a", "110000"), mask("b", "000011")],
      false,
      "110022",
      [
        ["a", 2],
        ["b", 2],
      ],
    ],
    ["two parts of one name stay one", [mask("a", "110010")], false, "110010", [["a", 3]]],
    [
      "or are split",
      [mask("a", "110010"), mask("b", "000001")],
      true,
      "110023",
      [
        ["a 1", 2],
        ["a 2", 1],
        ["b", 1],
      ],
    ],
    [
      "an overlap goes to the first",
      [mask("a", "111000"), mask("b", "001110")],
      false,
      "111220",
      [
        ["a", 3],
        ["b", 2],
      ],
    ],
    ["an empty one takes no label", [mask("a", "000000"), mask("b", "000110")], false, "000110", [["b", 2]]],
    [
      "nor does one that is covered",
      [mask("a", "111000"), mask("b", "011000"), mask("c", "000001")],
      false,
      "111002",
      [
        ["a", 3],
        ["c", 1],
      ],
    ],
    ["split, no component", [mask("a", "000000"), mask("b", "000110")], true, "000110", [["b", 2]]],
    ["none", [], false, "000000", []],
  ])("%s", (_, masks, split, labels, bodies) => {
    const result = labelMasks(masks, [6, 1, 1], split);
    expect(result.labels.join("")).toBe(labels);
    expect(result.regions).toEqual(bodies.map(([name, voxels], n) => ({ label: n + 1, name, voxels })));
  });
});

test("a component that another body covers wholly takes no label", () => {
  const result = labelMasks([mask("a", "110000"), mask("b", "110011")], [6, 1, 1], true);
  expect(result.labels.join("")).toBe("110022");
  expect(result.regions).toEqual([
    { label: 1, name: "a", voxels: 2 },
    { label: 2, name: "b", voxels: 2 },
  ]);
});

test("overlaps and empty masks are told, parts of one name together", () => {
  const masks = [mask("a", "110110"), mask("b", "011010"), mask("c", "000000"), mask("d", "110000")];
  const { overlaps, empty } = labelMasks(masks, [6, 1, 1], true);
  expect(overlaps).toEqual([
    { first: "a", second: "b", voxels: 2 },
    { first: "a", second: "d", voxels: 2 },
  ]);
  expect(empty).toEqual(["c", "d"]);
});

test("more than 255 bodies need 16 bits", () => {
  const masks = Array.from({ length: 256 }, (_, n) => ({
    name: String(n),
    mask: Uint8Array.from({ length: 256 }, (_, at) => (at === n ? 1 : 0)),
  }));
  expect(labelMasks(masks.slice(1), [256, 1, 1]).labels).toBeInstanceOf(Uint8Array);
  const { labels } = labelMasks(masks, [256, 1, 1]);
  expect(labels).toBeInstanceOf(Uint16Array);
  expect(labels[255]).toBe(256);
});

test("a mask of another size is refused", () => {
  expect(() => labelMasks([mask("a", "11")], [6, 1, 1])).toThrow(RangeError);
});

test("more bodies than 16 bits can number are refused", () => {
  const specks = Uint8Array.from({ length: 2 * 65_536 }, (_, n) => n % 2);
  const label = () => labelMasks([{ name: "noise", mask: specks }], [specks.length, 1, 1], true);
  expect(label).toThrow(InputError);
  expect(label).toThrow(/65536 connected components/);
});

test("the values of labels, each once, ascending", () => {
  expect(labelValues(Int16Array.of(3, 3, 0, 12, 3, -1))).toEqual([-1, 0, 3, 12]);
});

describe("components are numbered, the largest first", () => {
  const rowOf = (data: Volume<IntegerVoxelArray>["data"]): Volume<IntegerVoxelArray> => ({
    size: [data.length, 1, 1],
    spacingMm: [1, 1, 1],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data,
  });

  test("equal ones in the order of their first voxels; values that touch are told apart", () => {
    expect(numberedComponents(rowOf(Int16Array.of(7, 0, 300, 1, 0, 2, 0, 5, 5))).data).toEqual(
      Uint8Array.of(2, 0, 3, 4, 0, 5, 0, 1, 1),
    );
  });

  test("components within each class are the components of its mask", () => {
    const size = [4, 3, 3] as const;
    const anyClasses = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 36, maxLength: 36 });
    fc.assert(
      fc.property(anyClasses, (classes) => {
        const { data } = numberedComponents({ ...rowOf(Uint8Array.from(classes)), size });
        const numbers = new Set<number>();
        for (const value of [1, 2, 3]) {
          const mask = Uint8Array.from(classes, (label) => (label === value ? 1 : 0));
          const { labels, count } = labelComponents(mask, size, 26);
          const pairs = new Set(Array.from(labels, (label, at) => `${label} ${mask[at] * data[at]}`));
          pairs.delete("0 0");
          expect(pairs.size).toBe(count);
          for (const pair of pairs) numbers.add(Number(pair.split(" ")[1]));
        }
        expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from(numbers, (_, n) => n + 1));
      }),
    );
  });

  test("without a limit: in the smallest type that holds them", () => {
    const numbered = (count: number) =>
      numberedComponents(rowOf(Uint8Array.from({ length: 2 * count }, (_, n) => n % 2))).data;
    expect([255, 256, 65_535, 65_536].map((count) => numbered(count).constructor)).toEqual([
      Uint8Array,
      Uint16Array,
      Uint16Array,
      Int32Array,
    ]);
    expect(numbered(65_536).at(-1)).toBe(65_536);
  });
});
