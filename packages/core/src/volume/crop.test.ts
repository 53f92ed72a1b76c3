import { describe, expect, test } from "vitest";
import { crop } from "./crop.js";
import type { Vector3, Volume } from "./volume.js";

const volume: Volume<Int16Array> = {
  size: [3, 2, 2],
  spacingMm: [1, 2, 3],
  originMm: [10, 20, 30],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data: Int16Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
};

describe("crop", () => {
  test("cuts a box out", () => {
    expect(crop(volume, [1, 0, 1], [2, 2, 1])).toEqual({
      size: [2, 2, 1],
      spacingMm: [1, 2, 3],
      originMm: [11, 20, 33],
      direction: volume.direction,
      data: Int16Array.of(8, 9, 11, 12),
    });
  });

  test("pads on any side", () => {
    const padded = crop(volume, [-1, 1, 1], [5, 2, 1], -1024);
    expect(padded.originMm).toEqual([9, 22, 33]);
    expect([...padded.data]).toEqual([-1024, 10, 11, 12, -1024, -1024, -1024, -1024, -1024, -1024]);
  });

  test.each<[string, Vector3]>([
    ["before the volume", [-9, 0, 0]],
    ["behind it", [3, 0, 0]],
    ["beside it", [0, 2, 0]],
    ["above it", [0, 0, 7]],
  ])("a box wholly %s is all fill", (_, start) => {
    expect([...crop(volume, start, [2, 1, 1], 5).data]).toEqual([5, 5]);
  });

  test.each<[string, Vector3, Vector3]>([
    ["no fill is given for a box that leaves the volume", [-1, 0, 0], [1, 1, 1]],
    ["the box is empty", [0, 0, 0], [0, 1, 1]],
    ["the box is not of whole voxels", [0.5, 0, 0], [1, 1, 1]],
  ])("throws where %s", (_, start, size) => {
    expect(() => crop(volume, start, size)).toThrow(RangeError);
  });
});
