// The wide scan is what it says: its size, a wide chest, a narrow neck and head, and air around.
import { expect, test } from "vitest";
import { wideScan } from "./wide-scan.js";

test("512×512×186 voxels from head to chest, with air around and a chest of 440 mm", () => {
  const { data, size, spacingMm } = wideScan();
  expect(size).toEqual([512, 512, 186]);
  expect(spacingMm).toEqual([0.98, 0.98, 2]);
  const slice = (k: number) => data.subarray(size[0] * size[1] * k, size[0] * size[1] * (k + 1));
  /** Width of the body in a slice, mm. */
  const widthAt = (k: number) => {
    let [low, high] = [size[0], -1];
    slice(k).forEach((hu, at) => {
      const i = at % size[0];
      if (hu > -300) [low, high] = [Math.min(low, i), Math.max(high, i)];
    });
    return (high + 1 - low) * spacingMm[0];
  };
  for (const k of [0, 20, 35]) expect(Math.abs(widthAt(k) - 440)).toBeLessThan(5);
  expect(Math.abs(widthAt(50) - 200)).toBeLessThan(5);
  for (const k of [98, 150, 185]) expect(widthAt(k)).toBeGreaterThan(100);
  for (const k of [98, 150, 185]) expect(widthAt(k)).toBeLessThan(140);
  // The head begins with the phantom's last slices again, mirrored.
  for (const step of [0, 9]) expect(slice(150 + step)).toEqual(slice(149 - step));
  const firstRow = slice(0).subarray(0, size[0]);
  expect(firstRow.every((hu) => hu === -1000)).toBe(true);
});
