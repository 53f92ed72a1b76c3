// A training that also tells stations apart, on boxes whose instances say where they lie. Worker threads run what is built.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { writeNifti } from "@lnsnet/core/formats";
import type { Plan } from "@lnsnet/core/models";
import { lnsnetDefaults, networkPresets, partsOf } from "@lnsnet/core/networks";
import { noAugmentation } from "@lnsnet/core/transforms";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Dataset, hasStations, loadModels, openDataset, trainNetwork } from "../../dist/index.js";
import { prepareCases } from "../../dist/training/loading.js";
import { defaultTrainingOptions } from "../../dist/training/options.js";
import { stationNames, stationScheme } from "../../dist/training/stations.js";
import { boxPatient, writeBoxes } from "../boxes.test-helper.js";

const plan: Plan = {
  network: {
    name: "lnsnet",
    configuration: { ...lnsnetDefaults, stages: [4, 8], depths: [1, 1], decoderDepth: 1 },
  },
  patchSize: [16, 16, 16],
  spacingMm: [1, 1, 1.5],
  window: { lowHu: -160, highHu: 240 },
  foreground: "box",
  dataLabel: "boxes",
};

let root = "";
let dataset: Dataset;

/** Node 7 of each patient, in a station of its own. */
const stations = ["upper", "lower", "upper", "lower"];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lnsnet-stations-"));
  const folder = join(root, "boxes");
  const patients = stations.map((_, number) => boxPatient(number));
  await writeBoxes(folder, patients);
  await mkdir(join(folder, "instancesTr"));
  for (const [number, station] of stations.entries()) {
    const { label } = patients[number];
    const instances = writeNifti({ ...label, data: label.data.map((value) => 7 * value) });
    await writeFile(join(folder, `instancesTr/box_${number}.nii.gz`), instances);
    const nodes = JSON.stringify({ nodes: [{ node: 7, station }] });
    await writeFile(join(folder, `instancesTr/box_${number}.json`), nodes);
  }
  dataset = await openDataset(folder);
});
afterAll(() => rm(root, { recursive: true }));

test("labels become a channel for the foreground and one for each station", async () => {
  const names = await stationNames(dataset.training, plan);
  expect(names).toEqual(["lower", "upper"]);
  const cases = await prepareCases(dataset, dataset.training, { ...plan, stations: names });
  expect(cases.map(({ label }) => [...new Set(label)].sort())).toEqual([
    [0, 2],
    [0, 1],
    [0, 2],
    [0, 1],
  ]);
  expect(stationScheme(plan, names)).toEqual({
    kind: "overlapping",
    classes: [
      { name: "box", values: [1, 2], writtenAs: 1 },
      { name: "lower", values: [1], writtenAs: 1 },
      { name: "upper", values: [2], writtenAs: 2 },
    ],
    ignored: null,
  });
});

test("data that say where their nodes lie are told from others", async () => {
  expect(await hasStations(dataset)).toBe(true);
  const training = dataset.training.map((scan) => ({ ...scan, instancesPath: null }));
  expect(await hasStations({ training })).toBe(false);
});

test("a training with stations sees the same patches, validates, and saves a model without their head", async () => {
  const train = (folder: string, stationWeight?: number) =>
    trainNetwork(
      dataset,
      plan,
      {
        ...defaultTrainingOptions,
        ...{ steps: 4, threads: 1, augmentation: noAugmentation, foregroundShare: 1 },
        ...{ validateEvery: 2, validationCases: 1, ...(stationWeight ? { stationWeight } : {}) },
      },
      { folder: join(root, folder), start: "begin" },
    );
  const whole = await train("whole", 0.5);
  const plain = await train("plain");
  const { parameters } = partsOf(plan.network, plan.patchSize);
  const [model, without] = await loadModels(`${whole.modelPath},${plain.modelPath}`);
  expect([...model.weights.keys()].sort()).toEqual(parameters.map(({ name }) => name).sort());
  expect(model.plan).toEqual(without.plan);
  expect(whole.parameters).toBe(plain.parameters);
  expect(whole.history.validation.map(({ step }) => step)).toEqual([2, 4]);
  expect(model.weights.get("stem.weight")).not.toEqual(without.weights.get("stem.weight"));
  // The same patches and first weights: over the first steps the loss differs by half the ln 2 of two stations that are
  // as likely.
  const [first, firstPlain] = [whole, plain].map(({ history }) => history.steps[0].loss);
  expect(first - firstPlain).toBeCloseTo(0.5 * Math.log(2), 1);
});

test("a training with stations does not go on with other look-alikes", async () => {
  const beside = join(root, "boxes/lookalikesTr");
  await mkdir(beside);
  const { label } = boxPatient(0);
  const draw = (value: number) =>
    writeFile(
      join(beside, "box_0.nii.gz"),
      writeNifti({ ...label, data: Uint8Array.from(label.data, (_, at) => (at < 9 ? value : 0)) }),
    );
  await draw(1);
  const withThem = await openDataset(join(root, "boxes"));
  const train = (start: "begin" | "resume") =>
    trainNetwork(
      withThem,
      plan,
      { ...defaultTrainingOptions, steps: 1, threads: 1, validationCases: 0, stationWeight: 0.5 },
      { folder: join(root, "look-alikes"), start },
    );
  await train("begin");
  await draw(0);
  await expect(train("resume")).rejects.toThrow("box_0 (look-alikes)");
  await rm(beside, { recursive: true });
});

test("are refused where they are not known, and for networks without a head for them", async () => {
  const { instancesPath: _, ...scan } = dataset.training[0];
  const unknown = stationNames([{ ...scan, instancesPath: null }], plan);
  await expect(unknown).rejects.toThrow(InputError);
  await expect(unknown).rejects.toThrow("box_0 does not say in which station each node lies");
  await expect(stationNames(dataset.training, { ...plan, network: networkPresets.vnet })).rejects.toThrow(
    "LNSNet alone has a head for them",
  );
  const options = { ...defaultTrainingOptions, stationWeight: 0.2 };
  const run = { folder: join(root, "cached"), start: "begin", cacheFolder: "cache" } as const;
  await expect(trainNetwork(dataset, plan, options, run)).rejects.toThrow("no cache holds targets for them");
});
