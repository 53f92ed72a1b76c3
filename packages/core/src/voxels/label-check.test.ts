// What can be labels and what cannot: rows that a person sees through.
import { expect, test } from "vitest";
import type { Volume, VoxelArray } from "../volume/volume.js";
import { isProbabilityMap, requireLabels } from "./label-check.js";

const rowOf = (data: VoxelArray): Volume => ({
  size: [data.length, 1, 1],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data,
});

test.each<[string, VoxelArray, number[]]>([
  ["whole floats", Float32Array.of(0, 1, 2), [0, 1, 2]],
  ["floats that are nearly whole", Float32Array.of(0.99999988, 1e-7, -1e-7, 2.0004), [1, 0, 0, 2]],
  ["bytes", Uint8Array.of(0, 255, 7), [0, 255, 7]],
  ["large numbers", Int32Array.of(70_000, 0), [70_000, 0]],
  ["nothing but background", Float64Array.of(0, 0), [0, 0]],
])("%s are labels", (_, data, expected) => {
  expect([...requireLabels(rowOf(data), "mask").data].map((value) => value + 0)).toEqual(expected);
});

const ctValues = Array.from({ length: 300 }, (_, n) => (n % 3 === 0 ? -1000 : (n % 200) - 120));
test.each<[string, VoxelArray, RegExp]>([
  ["probabilities", Float32Array.of(0, 0.25, 1), /values between 0 and 1, such as 0\.25.*probability map/],
  ["a value between", Float32Array.of(0, 37.5), /holds the value 37\.5, and labels are whole numbers/],
  ["a negative value", Int16Array.of(0, -3), /holds the value -3, and labels/],
  ["a CT", Int16Array.from(ctValues), /holds the value -1000, as a CT does/],
  [
    "a CT without its intercept",
    Uint16Array.from({ length: 2000 }, (_, n) => n),
    /more than 1000 different values/,
  ],
])("%s are none", (_, data, message) => {
  expect(() => requireLabels(rowOf(data), "mask")).toThrow(message);
  expect(() => requireLabels(rowOf(data), "mask")).toThrow(
    /^mask holds .*; (choose|name) a file of labels\.$/,
  );
});

test("a probability map lies between 0 and 1, and a mask in floats is none", () => {
  expect(isProbabilityMap(Float32Array.of(0, 0.5, 1))).toBe(true);
  expect(isProbabilityMap(Float32Array.of(0, 1, 0.99999988))).toBe(false);
  expect(isProbabilityMap(Float32Array.of(0, 0.5, 2))).toBe(false);
});
