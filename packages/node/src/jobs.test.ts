// Jobs side by side in one process, and experiments judged by what `predict` gives: tiny trainings on boxes.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNifti } from "@lnsnet/core/formats";
import type { Progress } from "@lnsnet/core/job";
import type { Plan } from "@lnsnet/core/models";
import { networkPresets } from "@lnsnet/core/networks";
import { noAugmentation } from "@lnsnet/core/transforms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// As built: worker threads load files beside these.
import {
  crossValidate,
  type Dataset,
  type Job,
  loadModels,
  openDataset,
  predictScans,
  type TrainingOptions,
  trainNetwork,
} from "../dist/index.js";
import { boxPatient, writeBoxes } from "./boxes.test-helper.js";

let root = "";
let dataset: Dataset;

const plan: Plan = {
  network: networkPresets["lnsnet-small"],
  patchSize: [16, 16, 16],
  spacingMm: [1, 1, 1.5],
  window: { lowHu: -160, highHu: 240 },
  foreground: "box",
  dataLabel: "boxes",
};

const options: TrainingOptions = {
  steps: 4,
  batchSize: 1,
  accumulation: 1,
  learningRate: 0.01,
  decay: "cosine",
  weightDecay: 0.01,
  clipNorm: 1,
  averageDecay: 0.5,
  foregroundShare: 1,
  augmentation: noAugmentation,
  seed: 1,
  threads: 1,
  validateEvery: 0,
  validationCases: 0,
  patience: 0,
  trained: "all",
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lnsnet-jobs-"));
  await writeBoxes(join(root, "boxes"), [0, 1, 2, 3].map(boxPatient), [5].map(boxPatient));
  dataset = await openDataset(join(root, "boxes"));
});
afterAll(() => rm(root, { recursive: true }));

/** Trains in a folder of its own. */
const trained = (name: string, steps: number, seed: number, job: Job) =>
  trainNetwork(dataset, plan, { ...options, steps, seed }, { folder: join(root, name), start: "begin" }, job);

describe("three trainings at once, of which one is stopped", () => {
  const told = new Map<string, Progress[]>();
  const sentences = new Map<string, string[]>();
  const stop = new AbortController();
  const why = new Error("no longer wanted");

  /** A job that keeps what it is told. */
  const jobOf = (name: string): Job => {
    told.set(name, []);
    sentences.set(name, []);
    return {
      onProgress: (progress) => told.get(name)?.push(progress),
      log: (sentence) => sentences.get(name)?.push(sentence),
    };
  };

  beforeAll(async () => {
    await trained("alone", 4, 1, {});
    const listening = jobOf("stopped");
    const stopped = trained("stopped", 1000, 3, {
      ...listening,
      signal: stop.signal,
      onProgress: (progress) => {
        listening.onProgress?.(progress);
        if (progress.stage === "train" && progress.done === 2) stop.abort(why);
      },
    });
    const others = [trained("first", 4, 1, jobOf("first")), trained("second", 5, 2, jobOf("second"))];
    await expect(stopped).rejects.toBe(why);
    await Promise.all(others);
  });

  test("one that goes on ends as it does by itself, bit for bit", async () => {
    const [alone, beside] = await Promise.all(
      ["alone", "first"].map((name) => readFile(join(root, name, "model.safetensors"))),
    );
    expect(beside.equals(alone)).toBe(true);
  });

  test.each([
    ["first", 4],
    ["second", 5],
    ["stopped", 1000],
  ])("the %s is told of its own work alone", (name, steps) => {
    const ofTraining = (told.get(name) ?? []).filter(({ stage }) => stage === "train");
    expect(new Set(ofTraining.map(({ total }) => total))).toEqual(new Set([steps]));
    const done = ofTraining.map((progress) => progress.done).filter((count) => count > 0);
    const last = name === "stopped" ? 2 : steps;
    expect(done).toEqual(Array.from({ length: last }, (_, at) => at + 1));
    const prepared = (told.get(name) ?? []).filter(({ stage }) => stage === "prepare");
    expect(prepared.map((progress) => progress.done)).toEqual([0, 1, 2, 3, 4]);
  });

  test("the stopped one was saved, and says how far it came", async () => {
    expect(sentences.get("stopped")?.at(-1)).toMatch(/^stopped after step 2 of /);
    expect(await readFile(join(root, "stopped", "state.safetensors"))).not.toHaveLength(0);
  });
});

const { threads, ...regime } = options;

/** What `predict` does by default. */
const prediction = {
  overlap: 0.5,
  mirrored: false,
  searched: "neck",
  cleanUp: { minimumVolumeMl: 0.03, fillsCavities: true, keepsImplausible: false, leastConfidence: null },
} as const;

const crossValidated = (folder: string) =>
  crossValidate({
    folder,
    configuration: {
      dataset: dataset.name,
      network: "lnsnet-small",
      folds: 2,
      plan,
      // Enough that some voxels are foreground.
      training: { ...regime, steps: 12 },
      startingWeights: null,
      prediction,
      protocol: "both",
    },
    dataset,
    dataLabel: "boxes",
    patients: { named: dataset.patients },
    splitsPath: null,
    threads,
    cacheFolder: null,
    weightsPath: null,
    trainsAgain: false,
    command: "test",
    holder: "test",
    part: "all",
  });

test("an experiment of an earlier version is refused", async () => {
  const folder = join(root, "earlier");
  await mkdir(folder);
  const earlier = { dataset: dataset.name, prediction: { overlap: 0.5, minimumVolumeMl: 0 } };
  await writeFile(join(folder, "configuration.json"), JSON.stringify(earlier));
  await expect(crossValidated(folder)).rejects.toThrow(/experiment by another version of lnsnet/);
  expect(await readdir(folder)).toEqual(["configuration.json"]);
});

test("an experiment judges the masks that predict writes: by a fold, and by the mean of all", async () => {
  const folder = join(root, "experiment");
  await crossValidated(folder);
  const [scan] = dataset.test;
  for (const [name, model] of [
    ["fold_1", join(folder, "fold_1")],
    ["ensemble", folder],
  ]) {
    const { results } = await predictScans(scan.imagePath, {
      models: await loadModels(model),
      output: join(root, `by-${name}`),
      form: { format: "nii.gz", numbered: false, pictures: false, dicom: [] },
      segmenting: prediction,
      threads: 1,
      device: "cpu",
    });
    const judged = await maskAt(join(folder, "test", name, `${scan.id}.nii.gz`));
    const written = await maskAt(results[0].mask);
    expect(judged.data.includes(1), name).toBe(true);
    expect(written.size).toEqual(judged.size);
    expect(Buffer.from(written.data.buffer).equals(Buffer.from(judged.data.buffer)), name).toBe(true);
  }
});

const maskAt = async (path: string) => readNifti(await readFile(path), path);
