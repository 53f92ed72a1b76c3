// The scores of a case with regions and voxels that nobody judged, against values computed by hand.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { labelScheme } from "@lnsnet/core/transforms";
import type { Geometry } from "@lnsnet/core/volume";
import { afterAll, beforeAll, expect, test } from "vitest";
import { densityModel } from "../density-model.test-helper.js";
import type { Experiment } from "./configuration.js";
import {
  caseScoreSchema,
  frocThresholds,
  prepareScan,
  scoreOfClass,
  scorePrediction,
  wholeMask,
} from "./scoring.js";

const grid: Geometry = {
  size: [8, 1, 1],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const values = { background: [0], whole: [1, 2], core: [2], ignore: [3] };
const scheme = labelScheme({ background: 0, whole: [1, 2], core: 2, ignore: 3 }, [1, 2]);
const { plan } = densityModel();

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-scoring-"));
  await writeFile(join(folder, "image.nii.gz"), writeNifti({ ...grid, data: new Int16Array(8).fill(-20) }));
  await writeFile(
    join(folder, "label.nii.gz"),
    writeNifti({ ...grid, data: Uint8Array.of(1, 1, 2, 2, 0, 3, 0, 0) }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

test("a region holds all its values, and what nobody judged counts in no figure", async () => {
  const configuration = {
    plan: { ...plan, labels: scheme },
    protocol: "whole-volume",
    prediction: { cleanUp: { minimumVolumeMl: 0, fillsCavities: false } },
  } as Experiment["configuration"];
  const dataset = { labels: { values, scheme } } as unknown as Experiment["dataset"];
  const scan = await prepareScan(
    {
      id: "a",
      imagePath: join(folder, "image.nii.gz"),
      labelPath: join(folder, "label.nii.gz"),
      instancesPath: null,
    },
    { dataset, configuration },
  );
  const probabilities = [
    [0.9, 0.9, 0.9, 0.2, 0.9, 0.9, 0.1, 0.1],
    [0.1, 0.6, 0.9, 0.9, 0.1, 0.9, 0.1, 0.1],
  ];
  const whole = probabilities.map((data, at) => ({
    probability: { ...grid, data: Float32Array.from(data) },
    ofMembers: [],
    disagreement: null,
    className: scheme.classes[at].name,
  }));
  const mask = wholeMask({ whole, crops: [] }, scan, configuration);
  // The later region overwrites the earlier one, with its value of regions_class_order.
  expect([...(mask?.data ?? [])]).toEqual([1, 2, 2, 2, 1, 2, 0, 0]);

  const scores = scorePrediction({ whole, crops: [] }, mask, scan, configuration);
  const stored = caseScoreSchema.parse({ case: "a", weights: "w", data: "d", ...scores });
  const [ofWhole, ofCore] = [0, 1].map((position) => scoreOfClass(stored, position).whole_volume);
  // Without the sixth voxel: 4 true, 5 predicted, 4 of them right; and 2 true, 3 predicted, 2 right.
  expect(ofWhole?.metrics.dsc).toBeCloseTo(8 / 9, 12);
  expect(ofCore?.metrics.dsc).toBeCloseTo(4 / 5, 12);
  expect(ofWhole?.metrics.volume_prediction_ml).toBeCloseTo(0.005, 12);
  expect(ofWhole?.counts).toEqual({ trueNodes: 1, predictedNodes: 1, hits: 1 });
  // By its own probability alone, the whole falls into three voxels and one, of which three make a hit (IoU 3/4).
  const inUse = frocThresholds.indexOf(0.5);
  expect(ofWhole?.froc[inUse]).toEqual({ trueNodes: 1, predictedNodes: 2, hits: 1 });
});
