import { expect, test } from "vitest";
import type { Vector3 } from "../volume/volume.js";
import { numberStructures } from "./structures.js";

const row = (...values: number[]) => Uint8Array.from(values);

test("numbers values of one layer and components of another, the later over the earlier", () => {
  const size: Vector3 = [9, 1, 1];
  const organs = { data: row(7, 7, 7, 0, 5, 5, 0, 7, 7), byValue: true };
  const nodes = { data: row(0, 0, 1, 1, 0, 0, 1, 0, 0), byValue: false };
  expect([...numberStructures([organs, nodes], size)]).toEqual([1, 1, 3, 3, 2, 2, 4, 1, 1]);
  expect([...numberStructures([nodes], size)]).toEqual([0, 0, 1, 1, 0, 0, 2, 0, 0]);
  expect([...numberStructures([], size)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("has at most 254, of components the largest", () => {
  // 300 single voxels, and a pair at the end.
  const data = new Uint8Array(603);
  for (let n = 0; n < 300; n++) data[2 * n] = 1;
  data[601] = 1;
  data[602] = 1;
  const numbers = numberStructures([{ data, byValue: false }], [603, 1, 1]);
  expect(Math.max(...numbers)).toBe(254);
  expect([numbers[601], numbers[602]]).toEqual([1, 1]);
  const values = Uint16Array.from({ length: 300 }, (_, n) => n + 1);
  const byValue = numberStructures([{ data: values, byValue: true }], [300, 1, 1]);
  expect([byValue[0], byValue[253], byValue[254]]).toEqual([1, 254, 0]);
});
