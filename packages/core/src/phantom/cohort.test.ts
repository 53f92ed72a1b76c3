import { expect, it } from "vitest";
import { InputError } from "../errors.js";
import { cohortManifest } from "./cohort.js";

it("lists training patients first and describes the cohort as nnU-Net does", () => {
  const { cases, dataset } = cohortManifest(4, 2, 1);
  expect(cases).toEqual([
    { id: "phantom_001", index: 0, subset: "Tr" },
    { id: "phantom_002", index: 1, subset: "Tr" },
    { id: "phantom_003", index: 2, subset: "Ts" },
  ]);
  expect(dataset).toMatchObject({
    channel_names: { "0": "CT" },
    labels: { background: 0, "lymph node": 1 },
    numTraining: 2,
    numTest: 1,
    file_ending: ".nii.gz",
  });
  expect(dataset.description).toMatch(/phantom, research use only/i);
});

it("keeps a patient's index when the cohort grows", () => {
  expect(cohortManifest(4, 2, 9).cases.slice(0, 2)).toEqual(cohortManifest(4, 2, 1).cases.slice(0, 2));
});

it("says that a cohort is of wide variety, with the same patients", () => {
  const wide = cohortManifest(4, 2, 1, { variety: "wide" });
  expect(wide.cases).toEqual(cohortManifest(4, 2, 1).cases);
  expect(wide.dataset.name).toMatch(/wide variety/);
});

it("has a second channel where each patient is also scanned without contrast medium", () => {
  const { cases, dataset } = cohortManifest(4, 2, 1, { plain: true });
  expect(cases.map(({ channels }) => channels)).toEqual([2, 2, 2]);
  expect(dataset.channel_names).toEqual({ "0": "CT", "1": "CT plain" });
});

it.each([
  [-1, 3],
  [1.5, 3],
  [0, 0],
])("refuses %d training and %d test patients", (training, test) => {
  expect(() => cohortManifest(1, training, test)).toThrow(InputError);
});
