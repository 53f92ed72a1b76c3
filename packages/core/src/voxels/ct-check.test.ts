import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { generatePatient } from "../phantom/patient.js";
import type { Volume, VoxelArray } from "../volume/volume.js";
import { ctProblem, requireCt } from "./ct-check.js";
import { drawnPerson } from "./drawn-body.test-helper.js";

const neck = drawnPerson([-40, 40]);
const changed = (change: (hu: number) => number): Volume => ({
  ...neck,
  data: Float32Array.from(neck.data, change),
});
const clamp = (hu: number, low: number, high: number): number => Math.min(Math.max(hu, low), high);

/** Voxels in a row. */
function row(data: VoxelArray): Volume {
  const size = [data.length, 1, 1] as const;
  return { size, spacingMm: [1, 1, 1], originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], data };
}

describe("a CT of a person, however it was cut", () => {
  test.each<[string, Volume]>([
    ["a neck", neck],
    ["clipped to soft tissue", changed((hu) => clamp(hu, -160, 240))],
    ["padded with −2000", changed((hu) => (hu === -1000 ? -2000 : hu))],
    ["padded with −8192", changed((hu) => (hu === -1000 ? -8192 : hu))],
    [
      "a tight crop without air",
      row(Int16Array.from({ length: 400 }, (_, at) => (at % 40 === 0 ? -90 : 55))),
    ],
    ["a phantom", generatePatient(1, 0, { maximumVoxels: 60_000 }).image],
  ])("%s", (_, scan) => {
    expect(ctProblem(scan)).toBeNull();
  });
});

describe("what is no CT in HU", () => {
  test.each<[string, Volume, RegExp]>([
    ["stored values", changed((hu) => hu + 1024), /from 24 to 1074, .*rescale intercept \(-1024 as a rule\)/],
    ["normalised", changed((hu) => (clamp(hu, -160, 240) + 160) / 400), /from 0 to 0.525, .*normalised/],
    ["labels", row(Uint8Array.from([0, 0, 1, 2, 0])), /from 0 to 2, .*labels/],
    ["air alone", row(Int16Array.from([-1000, -1000])), /from -1000 to -1000/],
    ["MR", row(Uint16Array.from({ length: 999 }, (_, at) => (at * 7) % 900)), /from 0 to 899, .*MR, PET/],
    ["clipped above fat", changed((hu) => clamp(hu, 0, 200)), /from 0 to 50/],
    ["an intercept applied twice", changed((hu) => hu - 1024), /from -2024 to -974, .*too few/],
  ])("%s", (_, scan, message) => {
    expect(ctProblem(scan)).toMatch(message);
  });
});

test("the sentence names the file and what to do", () => {
  expect(() =>
    requireCt(
      changed((hu) => hu + 1024),
      "scan.nii.gz",
    ),
  ).toThrow(
    new InputError(
      "scan.nii.gz is not a CT in HU: its values lie from 24 to 1074, as stored values do without the rescale intercept (-1024 as a rule); apply it, or give the DICOM series.",
    ),
  );
  expect(() => requireCt(neck, "scan.nii.gz")).not.toThrow();
});
