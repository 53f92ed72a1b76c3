// Models of nnU-Net: PyTorch's probabilities of whole scans (fixtures/nnunet), and what is refused.
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { readNifti } from "../formats/nifti.js";
import { readSafetensors } from "../formats/safetensors.js";
import { openPredictor, type Predictor } from "../inference/predictor.js";
import { segment } from "../inference/segment.js";
import { probabilityOfScan } from "../inference/whole-scan.js";
import { nodeRuntime } from "../runtime/node.js";
import { resample } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { type Model, readModel, writeModel } from "./model-file.js";
import { type NnunetFold, readNnunetModel } from "./nnunet-model.js";

const folderOf = (name: string) => new URL(`../../../../fixtures/nnunet/${name}/`, import.meta.url);
const bytesOf = (folder: string, name: string) =>
  new Uint8Array(readFileSync(new URL(name, folderOf(folder))));
const json = (folder: string, name: string) => ({
  path: name,
  content: JSON.parse(new TextDecoder().decode(bytesOf(folder, name))) as Record<string, unknown>,
});

const foldOf = (folder: string, fold: number): NnunetFold => ({
  plans: json(folder, "plans.json"),
  dataset: json(folder, "dataset.json"),
  checkpoint: {
    path: "checkpoint_final.pth",
    bytes: bytesOf(folder, `fold_${fold}/checkpoint_final.pth`),
  },
  mirrored: true,
});

/** All folds, through a model's file. */
const modelsOf = (folder: string): Model[] =>
  readdirSync(folderOf(folder))
    .filter((name) => name.startsWith("fold_"))
    .map((_, fold) => readModel(writeModel(readNnunetModel(foldOf(folder, fold)).model, false), "model"));

const scanOf = (folder: string): Volume[] =>
  readdirSync(folderOf(folder))
    .filter((name) => name.endsWith(".nii.gz"))
    .sort()
    .map((name) => readNifti(bytesOf(folder, name), name));

describe.each([
  { folder: "plain", classes: ["node", "gland", "vessel"], name: "nnunet" },
  { folder: "residual", classes: [undefined], name: "nnunet-resenc" },
])("$folder", ({ folder, classes, name }) => {
  const scan = scanOf(folder);
  let predictor: Predictor;
  beforeAll(async () => {
    predictor = await openPredictor(modelsOf(folder), nodeRuntime, { threads: 1 });
  });
  afterAll(() => predictor.release());

  test("has the network of the plans", () => {
    expect(predictor.plan.network.name).toBe(name);
  });

  test("gives PyTorch's probabilities of the whole scan within 1e-4", async () => {
    const { predictions } = await probabilityOfScan(scan, predictor, { overlap: 0.5 });
    expect(predictions.map(({ className }) => className)).toEqual(classes);
    const { data, shape } = readSafetensors(bytesOf(folder, "expected.safetensors"), "expected").tensors.get(
      "probabilities",
    ) as { data: Float32Array; shape: readonly number[] };
    const voxels = data.length / shape[0];
    for (const [at, { probability }] of predictions.entries()) {
      const { data: restored } = resample(probability, scan[0], "nearest", 0);
      let worst = 0;
      for (let n = 0; n < voxels; n++) worst = Math.max(worst, Math.abs(restored[n] - data[at * voxels + n]));
      expect(worst).toBeLessThan(1e-4);
    }
  });

  test("segments the scan by the most probable class", async () => {
    const { instances, reasons } = await segment(scan, predictor);
    expect(reasons).toEqual([
      "The model is of nnU-Net: the whole scan was searched, and its mask is left as it is.",
    ]);
    const expected = readSafetensors(bytesOf(folder, "expected.safetensors"), "expected").tensors.get(
      "probabilities",
    )?.data as Float32Array;
    const voxels = instances.data.length;
    let different = 0;
    for (let n = 0; n < voxels; n++) {
      const foreground = classes.map((_, at) => expected[at * voxels + n]);
      const background = 1 - foreground.reduce((sum, value) => sum + value, 0);
      if ((instances.data[n] !== 0) !== Math.max(...foreground) > background) different++;
    }
    expect(different).toBe(0);
  });

  test.each([
    { options: { at: [[0, 0, 0] as const] }, message: /whole scans alone/ },
    { options: { mirrored: true }, message: /by its own plan/ },
  ])("refuses $options", async ({ options, message }) => {
    await expect(segment(scan, predictor, options)).rejects.toThrow(message);
  });
});

test("without mirroring, the plan mirrors no axis", () => {
  const { model } = readNnunetModel({ ...foldOf("plain", 0), mirrored: false });
  expect(model.plan.nnunet?.mirroredAxes).toEqual([]);
  expect(readNnunetModel(foldOf("plain", 0)).model.plan.nnunet?.mirroredAxes).toEqual([0, 1, 2]);
});

describe("refuses", () => {
  const fold = foldOf("plain", 0);
  const settings = (fold.plans.content as { configurations: Record<string, object> }).configurations[
    "3d_fullres"
  ];
  const withSettings = (changed: object): NnunetFold => ({
    ...fold,
    plans: {
      ...fold.plans,
      content: {
        ...(fold.plans.content as object),
        configurations: { "3d_fullres": { ...settings, ...changed } },
      },
    },
  });
  const withPlans = (changed: object): NnunetFold => ({
    ...fold,
    plans: { ...fold.plans, content: { ...(fold.plans.content as object), ...changed } },
  });
  const withDataset = (changed: object): NnunetFold => ({
    ...fold,
    dataset: { ...fold.dataset, content: { ...(fold.dataset.content as object), ...changed } },
  });
  test.each<[string, NnunetFold, RegExp]>([
    ["slices", withSettings({ patch_size: [64, 64] }), /slices of two dimensions/],
    ["a cascade", withSettings({ previous_stage: "3d_lowres" }), /cascade behind "3d_lowres"/],
    ["another network", withSettings({ UNet_class_name: "Primus" }), /UNet_class_name/],
    [
      "another class of network",
      withSettings({ architecture: { network_class_name: "a.b.Primus", arch_kwargs: {} } }),
      /"a\.b\.Primus"/,
    ],
    ["another preprocessor", withSettings({ preprocessor_name: "Mine" }), /preprocessor_name/],
    ["another normalisation", withSettings({ normalization_schemes: ["Mine"] }), /"Mine"/],
    [
      "another resampling",
      withSettings({ resampling_fn_data: "resample_torch_fornnunet" }),
      /resampling_fn_data/,
    ],
    [
      "another number of channels",
      withDataset({ channel_names: { 0: "CT", 1: "PET" } }),
      /1 channels.* names 2/,
    ],
    [
      "labels with a gap",
      withDataset({ labels: { background: 0, node: 1, gland: 3 } }),
      /"gland" the value 3/,
    ],
    [
      "another number of classes",
      withDataset({ labels: { background: 0, node: 1, gland: 2 } }),
      /seg_layers/,
    ],
    [
      "a configuration that is missing",
      withPlans({ configurations: {} }),
      /no usable configuration "3d_fullres"/,
    ],
    [
      "an inheritance in a circle",
      withSettings({ inherits_from: "3d_fullres" }),
      /no usable configuration "3d_fullres"/,
    ],
    ["another reader", withPlans({ image_reader_writer: "Mine" }), /"Mine"/],
    ["other features", withSettings({ unet_max_num_features: 8 }), /holds the shape \[6, .*\[8, /],
    [
      "fewer convolutions",
      withSettings({ n_conv_per_stage_encoder: [2, 1, 2] }),
      /4 tensors.*encoder\.stages\.1/,
    ],
    [
      "more convolutions",
      withSettings({ n_conv_per_stage_encoder: [2, 3, 2] }),
      /lacks the tensor "encoder\.stages\.1/,
    ],
    ["patches that its strides do not divide", withSettings({ patch_size: [8, 16, 18] }), /8×16×18/],
    ["something else", { ...fold, dataset: { path: "dataset.json", content: [] } }, /dataset\.json/],
  ])("%s", (_, changed, message) => {
    const attempt = () => readNnunetModel(changed);
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(message);
  });

  test("a checkpoint of something else", () => {
    const bytes = new Uint8Array(
      readFileSync(new URL("../../../../fixtures/checkpoints/big-endian.pth", import.meta.url)),
    );
    expect(() => readNnunetModel({ ...fold, checkpoint: { path: "a.pth", bytes } })).toThrow(
      /a\.pth names no configuration and trainer/,
    );
  });
});
