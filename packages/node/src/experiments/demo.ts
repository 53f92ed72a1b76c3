// The demonstration: phantom patients are made, a small network is trained on them, others are segmented and reported.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { nodeMask, openPredictor, segment } from "@lnsnet/core/inference";
import { evaluateCase } from "@lnsnet/core/metrics";
import type { Plan } from "@lnsnet/core/models";
import { networkPresets, profileNetwork } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import { overlayPng } from "@lnsnet/core/reports";
import { defaultAugmentation, withoutVariations } from "@lnsnet/core/transforms";
import { z } from "zod";
import { caseId, type Dataset, loadCase, openDataset } from "../datasets/dataset.js";
import { type PhantomCohort, writePhantomCohort } from "../datasets/phantom-cohort.js";
import { ensureWritableFolder, isFolder, readJson, writeAtomically, writeJson } from "../files/disk.js";
import { loadModel } from "../files/model-file.js";
import { requireFreeNames } from "../files/outputs.js";
import type { TrainingOptions } from "../training/options.js";
import { trainNetwork } from "../training/train-network.js";
import type { Job } from "../work/job.js";
import { type DemoCase, type DemoSummary, demoReport } from "./demo-report.js";

export interface DemoOptions extends PhantomCohort {
  /** Steps of the training. */
  readonly steps: number;
}

export interface Demo extends DemoSummary {
  /** An HTML file. */
  readonly reportPath: string;
}

/**
 * Runs the demonstration in a folder. An earlier one in it is replaced, and nothing else.
 *
 * @throws InputError where files of somebody else have the names that a demo writes; the signal's reason
 */
export async function runDemo(folder: string, options: DemoOptions, job: Job = {}): Promise<Demo> {
  const start = performance.now();
  const { training, test, steps, seed } = options;
  const masks = join(folder, "predictions");
  await openDemoFolder(folder, masks);
  await writePhantomCohort(join(folder, "dataset"), { seed, training, test }, { force: true }, job);
  const dataset = await openDataset(join(folder, "dataset"));
  const run = { folder: join(folder, "training"), start: "replace" } as const;
  const trained = await trainNetwork(dataset, plan, regimeOf(options), run, job);
  const cases = await segmentTestSet(dataset, trained.modelPath, masks, job);
  const summary = {
    cases,
    parameters: trained.parameters,
    multiplyAdds: profileNetwork(plan.network, plan.patchSize).multiplyAdds,
    trainingPatients: training,
    steps,
    trainingSeconds: trained.history.seconds,
    seconds: (performance.now() - start) / 1000,
    curve: trained.history,
    command: `lnsnet demo --training ${training} --test ${test} --steps ${steps} --seed ${seed}`,
  };
  const reportPath = join(folder, reportName);
  await writeAtomically(reportPath, demoReport(summary));
  return { ...summary, reportPath };
}

const plan: Plan = {
  network: networkPresets["lnsnet-small"],
  patchSize: [32, 48, 48],
  spacingMm: [1.5, 1.5, 2],
  window: { lowHu: -160, highHu: 240 },
  foreground: "lymph node",
  dataLabel: "phantom",
};

function regimeOf({ steps, seed }: DemoOptions): TrainingOptions {
  return {
    steps,
    batchSize: 1,
    accumulation: 1,
    learningRate: 0.003,
    decay: "cosine",
    weightDecay: 0.01,
    clipNorm: 1,
    averageDecay: 0.99,
    foregroundShare: 0.6,
    // Too short a training to gain from what makes patches hard.
    augmentation: withoutVariations(defaultAugmentation, [
      "rotation",
      "elastic",
      "thickSlices",
      "lowResolution",
      "blur",
    ]),
    seed,
    threads: 0,
    validateEvery: Math.ceil(steps / 4),
    validationCases: 2,
    patience: 0,
    trained: "all",
  };
}

/** Segments the test patients one after another, writes the masks, and judges each. */
async function segmentTestSet(
  dataset: Dataset,
  modelPath: string,
  folder: string,
  { signal, onProgress }: Job,
): Promise<DemoCase[]> {
  await ensureWritableFolder(folder);
  const predictor = await openPredictor([await loadModel(modelPath)], nodeRuntime);
  const cases: DemoCase[] = [];
  const stage = { stage: "predict", unit: "scan", total: dataset.test.length };
  onProgress?.({ ...stage, done: 0 });
  try {
    for (const scan of dataset.test) {
      const start = performance.now();
      const { image, label } = await loadCase(scan, dataset.labels);
      const { instances, nodes } = await segment(image, predictor, signal ? { signal } : {});
      const mask = nodeMask(instances);
      const seconds = (performance.now() - start) / 1000;
      await writeAtomically(join(folder, `${caseId(scan.imagePath)}.nii.gz`), writeNifti(mask));
      if (!label) throw new Error(`${scan.id} has no label`);
      const picture = overlayPng(image, label, mask, { caption: `phantom ${scan.id} - research use only` });
      cases.push({ case: scan.id, ...evaluateCase(label, mask), nodes: nodes.length, seconds, picture });
      onProgress?.({ ...stage, done: cases.length, text: scan.id });
    }
  } finally {
    await predictor.release();
  }
  return cases;
}

const reportName = "report.html";
/** Says that the folder is a demo's; what else stands there is not touched. */
const recordName = "demo.json";

/** @throws InputError where files of somebody else have the names that a demo writes */
async function openDemoFolder(folder: string, masks: string): Promise<void> {
  await ensureWritableFolder(folder);
  const record = await readJson(join(folder, recordName), recordSchema).catch(() => null);
  if (record === null) {
    await requireFreeNames(folder, [recordName, reportName, "dataset", "training", "predictions"]);
    await writeJson(join(folder, recordName), { kind: "lnsnet-demo" } satisfies z.infer<typeof recordSchema>);
  }
  // What an earlier demo left is not of this seed: nothing of it may be taken for this one's.
  const names = (await isFolder(masks)) ? await readdir(masks) : [];
  for (const name of names.filter((entry) => /^phantom_\d+\.nii\.gz$/.test(entry)))
    await rm(join(masks, name));
}

const recordSchema = z.object({ kind: z.literal("lnsnet-demo") });
