// Memory is asked for before anything is computed, and what is missing is said.
import { InputError } from "@lnsnet/core/errors";
import { expect, test } from "vitest";
import { densityModel } from "../density-model.test-helper.js";
import { requireMemory } from "./memory.js";

/** 100 million voxels of 1 mm³, of which only the number counts. */
const scan = {
  size: [500, 500, 400],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data: { length: 1e8 } as unknown as Int16Array,
} as const;

test("enough memory is no matter", () => {
  expect(() => requireMemory("neck.nii.gz", scan, [densityModel()], 4e9)).not.toThrow();
});

test("too little is refused with what is needed and what is left", () => {
  const ask = () => requireMemory("neck.nii.gz", scan, [densityModel()], 2e9);
  expect(ask).toThrow(InputError);
  // 0.4 GB of masks, 1.0 GB of sums at the working spacing of 1 mm, 0.9 GB for the network.
  expect(ask).toThrow(/neck\.nii\.gz has 500×500×400 voxels and needs about 2\.3 GB.*2\.0 GB are free/);
});

test("an ensemble needs a network and a sum more for each scan", () => {
  const ask = () => requireMemory("neck.nii.gz", scan, [densityModel(), densityModel()], 3e9);
  expect(ask).toThrow(/needs about 3\.6 GB/);
});
