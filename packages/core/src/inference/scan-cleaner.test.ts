// Which components of a drawn scan are left out, and why.
import { expect, test } from "vitest";
import { type LabelScheme, oneClass } from "../transforms/label-scheme.js";
import { crop } from "../volume/crop.js";
import { type Vector3, type Volume, voxelCount } from "../volume/volume.js";
import { defaultCleanUp } from "./clean-up.js";
import { straightGrid } from "./drawn-scan.test-helper.js";
import { scanCleaner } from "./scan-cleaner.js";

// A body of 40 HU between the rows j = 10 and 50, air around it.
const grid = straightGrid([60, 60, 20], [2, 2, 2]);
const offset = ([i, j, k]: Vector3) => i + 60 * (j + 60 * k);
const ct: Volume<Int16Array> = { ...grid, data: new Int16Array(voxelCount(grid)).fill(-1000) };
for (let at = 0; at < ct.data.length; at++) {
  const j = Math.floor(at / 60) % 60;
  if (j >= 10 && j < 50) ct.data[at] = 40;
}

/** Cubes of 4 voxels along each axis (64 voxels, 0.5 mL) with their class. */
function cubes(list: readonly { readonly at: Vector3; readonly value?: number }[]): Volume<Uint8Array> {
  const data = new Uint8Array(voxelCount(grid));
  for (const { at, value = 1 } of list)
    for (let k = 0; k < 4; k++)
      for (let j = 0; j < 4; j++) {
        const start = offset([at[0], at[1] + j, at[2] + k]);
        data.fill(value, start, start + 4);
      }
  return { ...grid, data };
}

/** The scan where the first voxels of the cube at a place have other HU. */
function withHu(scan: Volume<Int16Array>, at: Vector3, voxels: number, hu: number): Volume<Int16Array> {
  const data = scan.data.slice();
  for (let n = 0; n < voxels; n++)
    data[offset([at[0] + (n % 4), at[1] + (Math.floor(n / 4) % 4), at[2] + Math.floor(n / 16)])] = hu;
  return { ...scan, data };
}

const node: Vector3 = [10, 20, 8];
const odd: Vector3 = [30, 30, 8];
const ofNodes = oneClass("lymph node");

test.each<[string, number, number, boolean]>([
  ["6 of its 64 voxels are bone (9 %)", 6, 300, false],
  ["7 of its 64 voxels are bone (11 %)", 7, 300, true],
  ["7 of its 64 voxels are air", 7, -700, true],
  // 40 + 6 · 1300 / 64 = 162
  ["metal in 6 of its voxels moves the mean to 162 HU", 6, 1340, true],
  ["it is as dense as a node can be", 64, 160, false],
  ["it is fat", 64, -60, true],
])("a component of which is known: %s", (_, voxels, hu, isLeftOut) => {
  const scan = withHu(ct, odd, voxels, hu);
  const { mask, leftOut } = scanCleaner(scan, ofNodes, defaultCleanUp)(cubes([{ at: node }, { at: odd }]));
  expect(leftOut).toEqual({ outsideBody: 0, implausible: isLeftOut ? 1 : 0, doubtful: 0 });
  expect(mask.data[offset(node)]).toBe(1);
  expect(mask.data[offset(odd)]).toBe(isLeftOut ? 0 : 1);
});

test("one outside the body is counted as that alone, though air has no node's HU either", () => {
  const { mask, leftOut } = scanCleaner(ct, ofNodes, defaultCleanUp)(cubes([{ at: [10, 54, 8] }]));
  expect(leftOut).toEqual({ outsideBody: 1, implausible: 0, doubtful: 0 });
  expect(mask.data.includes(1)).toBe(false);
});

test("of several classes, those of lymph nodes alone are judged by HU", () => {
  const scheme: LabelScheme = {
    kind: "exclusive",
    classes: [
      { name: "GTVn", values: [1], writtenAs: 1 },
      { name: "mandible", values: [2], writtenAs: 2 },
    ],
    ignored: null,
  };
  const scan = withHu(withHu(ct, node, 64, 600), odd, 64, 600);
  const both = cubes([{ at: node }, { at: odd, value: 2 }]);
  const { mask, leftOut } = scanCleaner(scan, scheme, defaultCleanUp)(both);
  expect(leftOut.implausible).toBe(1);
  expect([mask.data[offset(node)], mask.data[offset(odd)]]).toEqual([0, 2]);
});

test("on a part of the scan's grid, components are judged by their own voxels", () => {
  const scan = withHu(ct, odd, 64, 600);
  const start: Vector3 = [5, 15, 4];
  const part = crop(cubes([{ at: node }, { at: odd }]), start, [40, 30, 12]);
  const whole = scanCleaner(scan, ofNodes, defaultCleanUp)(cubes([{ at: node }, { at: odd }]));
  const cleaned = scanCleaner(scan, ofNodes, defaultCleanUp)(part);
  expect(cleaned.leftOut).toEqual({ outsideBody: 0, implausible: 1, doubtful: 0 });
  expect(cleaned.mask.data).toEqual(crop(whole.mask, start, [40, 30, 12]).data);
});

test("without a CT, and where implausible ones are to be kept, nothing is left out", () => {
  const scan = withHu(ct, odd, 64, 600);
  const keeping = { ...defaultCleanUp, keepsImplausible: true };
  for (const clean of [scanCleaner(null, ofNodes, defaultCleanUp), scanCleaner(scan, ofNodes, keeping)])
    expect(clean(cubes([{ at: odd }])).leftOut).toEqual({ outsideBody: 0, implausible: 0, doubtful: 0 });
});
