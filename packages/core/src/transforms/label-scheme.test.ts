// Classes of nnU-Net's dataset.json, their targets, and labels from probabilities, voxel by voxel.
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import {
  classPairs,
  classProbabilities,
  decidedClasses,
  decidedMask,
  IGNORED,
  labelScheme,
  logitChannels,
  onlyClass,
  targetNumbers,
  targetTable,
  truthOfClass,
} from "./label-scheme.js";

const nodeScheme = labelScheme({ background: 0, node: 1 });
const exclusive = labelScheme({ background: 0, node: 2, vessel: 5, ignore: 9 });
/** As nnU-Net's documentation has it for brain tumours. */
const regions = labelScheme(
  { background: 0, whole: [1, 2, 3], core: [2, 3], enhancing: 3, ignore: 4 },
  [1, 2, 3],
);

test("one class is one channel, exclusive classes have the background too, regions are channels each", () => {
  expect([nodeScheme, exclusive, regions].map(logitChannels)).toEqual([1, 3, 3]);
  expect(exclusive).toEqual({
    kind: "exclusive",
    classes: [
      { name: "node", values: [2], writtenAs: 2 },
      { name: "vessel", values: [5], writtenAs: 5 },
    ],
    ignored: 9,
  });
  expect(regions.classes.map(({ writtenAs }) => writtenAs)).toEqual([1, 2, 3]);
});

test("a region of values without the background is no class of it", () => {
  expect(labelScheme({ background: [0], node: 1 }).classes).toHaveLength(1);
});

test.each<[string, Parameters<typeof labelScheme>, RegExp]>([
  ["no class", [{ background: 0 }], /names no label beside the background/],
  ["ignore alone", [{ background: 0, ignore: 1 }], /names no label beside the background/],
  ["a value with two names", [{ a: 1, b: 1 }], /calls the value 1 both "a" and "b"/],
  ["the ignored value with a second name", [{ a: 1, ignore: 1 }], /calls the value 1 both/],
  ["a value that is no whole number", [{ a: 1.5 }], /"labels\.a".*1\.5 was found/],
  ["a value beyond 255", [{ a: 256 }], /256 was found/],
  ["a region without values", [{ a: 1, b: [] }], /"labels\.b"/],
  ["several values to be ignored", [{ a: 1, ignore: [2, 3] }], /several values to "ignore" \(2, 3\)/],
  ["regions without an order", [{ a: [1, 2], b: 2 }], /2 regions \(a, b\).*"regions_class_order" is missing/],
  ["an order that is too short", [{ a: [1, 2], b: 2 }, [1]], /holds 1 values/],
  ["an order with a value twice", [{ a: [1, 2], b: 2 }, [2, 2]], /a value twice.*\(2, 2\)/],
  ["an order of values that no region has", [{ a: [1, 2], b: 2 }, [1, 7]], /holds 7/],
])("refused: %s", (_, given, message) => {
  expect(() => labelScheme(...given)).toThrow(InputError);
  expect(() => labelScheme(...given)).toThrow(message);
});

test("one class of several, by its name", () => {
  expect(onlyClass(exclusive, "vessel").classes.map(({ name }) => name)).toEqual(["vessel"]);
  expect(() => onlyClass(exclusive, "bone")).toThrow(/The option foreground is "bone".*node, vessel/);
});

describe("targets", () => {
  test.each([
    ["one class", nodeScheme, [0, 1, 2], [0, 1, 0], [[0], [1]]],
    [
      "exclusive classes",
      exclusive,
      [0, 2, 5, 9, 3],
      [0, 1, 2, IGNORED, 0],
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ],
    [
      "regions: each value is a set of them",
      regions,
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, IGNORED],
      [
        [0, 0, 0],
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
      ],
    ],
    [
      "values of one class are one number",
      onlyClass(regions, "whole"),
      [1, 2, 3, 4],
      [1, 1, 1, IGNORED],
      [[0], [1]],
    ],
  ])("%s", (_, scheme, values, numbers, channels) => {
    const table = targetTable(scheme);
    expect([...targetNumbers(Uint8Array.from(values), table)]).toEqual(numbers);
    expect(table.channelsOf).toEqual(channels);
  });

  test("the truth of a region holds the voxels of all its values", () => {
    const table = targetTable(regions);
    const numbers = targetNumbers(Uint8Array.of(0, 1, 2, 3, 4), table);
    const truths = [0, 1, 2].map((position) => [...truthOfClass(numbers, table, position)]);
    expect(truths).toEqual([
      [0, 1, 1, 1, 0],
      [0, 0, 1, 1, 0],
      [0, 0, 0, 1, 0],
    ]);
  });
});

describe("from probabilities to labels", () => {
  test("of exclusive classes the most probable, where it is more so than the background", () => {
    // Background 0.5, 0.2, 0.4 and 0.35.
    const probabilities = [Float32Array.of(0.3, 0.5, 0.3, 0.4), Float32Array.of(0.2, 0.3, 0.3, 0.25)];
    expect([...decidedClasses(probabilities, exclusive, 0.5)]).toEqual([0, 1, 0, 1]);
    expect([...decidedMask(probabilities, exclusive, 0, 0.5)]).toEqual([0, 1, 0, 1]);
  });

  test("of regions the last of regions_class_order whose probability reaches the threshold", () => {
    const probabilities = [
      Float32Array.of(0.9, 0.9, 0.9, 0.1, 0.1),
      Float32Array.of(0.1, 0.9, 0.9, 0.9, 0.1),
      Float32Array.of(0.1, 0.1, 0.9, 0.1, 0.5),
    ];
    expect([...decidedClasses(probabilities, regions, 0.5)]).toEqual([1, 2, 3, 2, 3]);
    // A region by itself does not lose what a later one overwrites.
    expect([...decidedMask(probabilities, regions, 0, 0.5)]).toEqual([1, 1, 1, 0, 0]);
  });

  test("softmax over background and classes, the sigmoid of one class and of regions", () => {
    const log = Math.log;
    // Two voxels: 1 : 2 : 1 and 1 : 1 : 6.
    const logits = Float32Array.of(0, 0, log(2), 0, 0, log(6));
    const softmax = [...classProbabilities(logits, exclusive)];
    for (const [at, expected] of [0.5, 1 / 8, 0.25, 6 / 8].entries())
      expect(softmax[at]).toBeCloseTo(expected, 6);
    expect([...classProbabilities(Float32Array.of(log(3), 0), nodeScheme)]).toEqual([
      expect.closeTo(0.75, 6),
      0.5,
    ]);
    expect(classProbabilities(logits, regions)[5]).toBeCloseTo(6 / 7, 6);
  });

  test("truth and decision by class, without ignored voxels", () => {
    const probabilities = [Float32Array.of(0.9, 0.9, 0.9), Float32Array.of(0, 0, 0)];
    expect(
      classPairs(Uint8Array.of(1, 2, IGNORED), probabilities, exclusive, 0.5).map((pair) => [
        [...pair.truth],
        [...pair.prediction],
      ]),
    ).toEqual([
      [
        [1, 0, 0],
        [1, 1, 0],
      ],
      [
        [0, 1, 0],
        [0, 0, 0],
      ],
    ]);
  });

  test("logits beyond what an exponential holds", () => {
    expect([...classProbabilities(Float32Array.of(0, 1e4, -1e4), exclusive)]).toEqual([1, 0]);
  });
});
