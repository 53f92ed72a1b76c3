// Two scans of one phantom, moved by a known motion and sampled anew: the motion is found. Of two patients there is none.
import { expect, test, vi } from "vitest";
import { generatePatient } from "../phantom/patient.js";
import { gridWithSpacing, resample } from "./resample.js";
import { alignByBone } from "./rigid-alignment.js";
import {
  composed,
  displacementMm,
  identityTransform,
  inverted,
  movedGeometry,
  transformed,
  turnAbout,
} from "./rigid-transform.js";
import type { Vector3, Volume } from "./volume.js";

// Some seconds at rest.
vi.setConfig({ testTimeout: 300_000 });

const patient = (number: number): Volume =>
  generatePatient(2026, number, {
    ...{ fieldMm: [180, 180, 140], inPlaneSpacingMm: [1.5, 1.5], sliceSpacingMm: [3, 3] },
    ...{ obliqueShare: 0, reversedShare: 0 },
  }).image;
const first = patient(60);
const [x, y, z] = first.originMm;
const middle: Vector3 = [x + 90, y + 90, z + 70];

/** The scan after the patient moved, on other voxels and without the lowest 20 mm. */
function later(scan: Volume, turn: Vector3, shift: Vector3): Volume {
  const motion = turnAbout(middle, turn, shift);
  const field = { ...scan, originMm: [x + shift[0], y + shift[1], z + shift[2] + 20] as Vector3 };
  const grid = gridWithSpacing(
    { ...field, size: [scan.size[0], scan.size[1], scan.size[2] - 7] },
    [1.3, 1.3, 2.5],
  );
  return resample(movedGeometry(scan, motion), grid, "linear", -1000);
}

test.each<[string, Vector3, Vector3]>([
  ["turned by 16 degrees about three axes and shifted", [0.2, -0.12, 0.15], [20, -15, 40]],
  ["in another frame of reference", [0.05, 0, 0], [150, -300, 700]],
])("a patient %s is aligned to a quarter of a voxel", (_, turn, shift) => {
  const found = alignByBone(first, later(first, turn, shift));
  if (found.found === "none") throw new Error(found.reason);
  const motion = turnAbout(middle, turn, shift);
  for (const corner of [-60, 0, 60]) {
    const point: Vector3 = [middle[0] + corner, middle[1] - corner, middle[2] + corner];
    const [a, b] = [transformed(found.toSecond, point), transformed(motion, point)];
    expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])).toBeLessThan(0.35);
  }
  expect(found.correlation).toBeGreaterThan(0.95);
});

test("another patient is refused by a sentence that says by how much", () => {
  const found = alignByBone(first, later(patient(61), [0, 0, 0], [0, 0, 0]));
  expect(found).toEqual({
    found: "none",
    reason: expect.stringMatching(/^The scans could not be aligned: .+\.$/),
  });
});

test("scans without bone are refused", () => {
  const soft = { ...first, data: first.data.map(() => 40) };
  expect(alignByBone(soft, first)).toMatchObject({
    found: "none",
    reason: expect.stringMatching(/too little bone/),
  });
});

test("a motion and its inverse end where they began; a quarter turn about z takes x to y", () => {
  const motion = turnAbout([1, 2, 3], [0.3, -0.2, 0.5], [7, 8, 9]);
  expect(displacementMm(composed(inverted(motion), motion), [30, -40, 50])).toBeLessThan(1e-10);
  const [a, b, c] = transformed(turnAbout([0, 0, 0], [0, 0, Math.PI / 2], [0, 0, 0]), [1, 0, 0]);
  expect([a, b, c].map((value) => Math.round(1e9 * value) / 1e9)).toEqual([0, 1, 0]);
  expect(turnAbout([5, 5, 5], [0, 0, 0], [0, 0, 0])).toEqual(identityTransform);
});
