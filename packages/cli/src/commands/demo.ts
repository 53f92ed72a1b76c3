// lnsnet demo: the whole job on the embedded phantom, from patients to a report.
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  evaluateCase,
  networkPresets,
  nodeMask,
  openPredictor,
  overlayPng,
  type Plan,
  profileNetwork,
  segment,
  writeNifti,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { defaultAugmentation, withoutVariations } from "@lnsnet/core/transforms";
import {
  caseId,
  ensureWritableFolder,
  isFolder,
  loadCase,
  loadModel,
  openDataset,
  readJson,
  requireFreeNames,
  trainNetwork,
  writeAtomically,
  writeJson,
  writePhantomCohort,
} from "@lnsnet/node";
import { defineCommand } from "citty";
import { z } from "zod";
import { wholeNumber } from "../arguments.js";
import { type DemoCase, demoReport, demoTable } from "../report.js";
import { duration } from "../terminal/progress-lines.js";
import { printText, terminalJob } from "../terminal/terminal.js";

export const demoCommand = defineCommand({
  meta: {
    name: "demo",
    description: "Generate phantom patients, train a small LNSNet, segment held-out patients, report",
  },
  args: {
    output: {
      type: "string",
      description: "folder for all results; an earlier demo in it is replaced, and nothing else",
      default: "lnsnet-demo",
      valueHint: "FOLDER",
    },
    training: { type: "string", description: "patients to train on", default: "24", valueHint: "NUMBER" },
    test: { type: "string", description: "patients held out", default: "6", valueHint: "NUMBER" },
    steps: { type: "string", description: "number of training steps", default: "900", valueHint: "NUMBER" },
    seed: { type: "string", description: "seed of patients and training", default: "1", valueHint: "NUMBER" },
  },
  async run({ args }) {
    const start = performance.now();
    const training = wholeNumber(args.training, "--training", 3, 1000);
    const test = wholeNumber(args.test, "--test", 1, 1000);
    const seed = wholeNumber(args.seed, "--seed", 0, 2 ** 31);
    const steps = wholeNumber(args.steps, "--steps", 1, 1e6);
    const job = terminalJob();
    const folders = {
      data: join(args.output, "dataset"),
      run: join(args.output, "training"),
      masks: join(args.output, "predictions"),
    };
    await openDemoFolder(args.output, folders.masks);
    await writePhantomCohort(folders.data, { seed, training, test }, { force: true }, job);
    const dataset = await openDataset(folders.data);
    const plan: Plan = {
      network: networkPresets["lnsnet-small"],
      patchSize: [32, 48, 48],
      spacingMm: [1.5, 1.5, 2],
      window: { lowHu: -160, highHu: 240 },
      foreground: "lymph node",
      dataLabel: "phantom",
    };
    const { modelPath, history, parameters } = await trainNetwork(
      dataset,
      plan,
      {
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
      },
      { folder: folders.run, start: "replace" },
      job,
    );

    await ensureWritableFolder(folders.masks);
    const predictor = await openPredictor([await loadModel(modelPath)], nodeRuntime);
    const cases: DemoCase[] = [];
    const stage = { stage: "predict", unit: "scan", total: dataset.test.length };
    for (const one of dataset.test) {
      const caseStart = performance.now();
      const { image, label } = await loadCase(one, dataset.labels);
      const { instances, nodes } = await segment(image, predictor, { signal: job.signal });
      const mask = nodeMask(instances);
      const seconds = (performance.now() - caseStart) / 1000;
      await writeAtomically(join(folders.masks, `${caseId(one.imagePath)}.nii.gz`), writeNifti(mask));
      if (!label) throw new Error(`${one.id} has no label`);
      const picture = overlayPng(image, label, mask, { caption: `phantom ${one.id} - research use only` });
      cases.push({ case: one.id, ...evaluateCase(label, mask), bodies: nodes.length, seconds, picture });
      job.onProgress({ ...stage, done: cases.length, text: one.id });
    }
    await predictor.release();

    const report = join(args.output, reportName);
    const seconds = (performance.now() - start) / 1000;
    const summary = {
      cases,
      parameters,
      multiplyAdds: profileNetwork(plan.network, plan.patchSize).multiplyAdds,
      trainingPatients: training,
      steps,
      trainingSeconds: history.seconds,
      seconds,
      curve: history,
      command: `lnsnet demo --training ${training} --test ${test} --steps ${steps} --seed ${seed}`,
    };
    await writeAtomically(report, demoReport(summary));
    printText(
      `${demoTable(summary)}\n\nparameters ${parameters.toLocaleString("en")} · time ${duration(seconds)} · report ${report}\nThese are phantoms (synthetic scans). Research use only, not a medical device.`,
    );
  },
});

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
  for (const name of names.filter((one) => /^phantom_\d+\.nii\.gz$/.test(one))) await rm(join(masks, name));
}

const recordSchema = z.object({ kind: z.literal("lnsnet-demo") });
