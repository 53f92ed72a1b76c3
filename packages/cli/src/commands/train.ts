// lnsnet train: a data set in, a trained network out.
import { join } from "node:path";
import {
  defaultAugmentation,
  InputError,
  networkPresets,
  noAugmentation,
  reorientToLps,
  sizeDivisor,
  type Vector3,
} from "@lnsnet/core";
import { defineCommand } from "citty";
import { realNumber, threeNumbers, wholeNumber } from "../arguments.js";
import { type CacheSettings, readCacheSettings } from "../cache.js";
import { type Case, type Dataset, listed, openDataset } from "../dataset.js";
import { readScan } from "../imaging.js";
import type { Plan } from "../model.js";
import { printJson, printText } from "../output.js";
import { duration } from "../progress.js";
import { train } from "../training.js";

const DEFAULT_WINDOW = "-160,240";

export const trainCommand = defineCommand({
  meta: { name: "train", description: "Train a network on a data set in nnU-Net's layout" },
  args: {
    dataset: {
      type: "positional",
      description: "folder with imagesTr, labelsTr and dataset.json",
      required: true,
    },
    output: {
      type: "string",
      description: "folder for the model, the state and the log",
      default: "runs/train",
    },
    network: {
      type: "enum",
      description: "network to train",
      options: Object.keys(networkPresets),
      default: "lnsnet",
    },
    steps: { type: "string", description: "updates of the weights", default: "3000", valueHint: "NUMBER" },
    patch: { type: "string", description: "patch in voxels: depth,height,width", default: "64,48,48" },
    spacing: {
      type: "string",
      description: "working spacing in mm, x,y,z; by default the median of the scans",
      valueHint: "x,y,z",
    },
    window: {
      type: "string",
      description: `HU that are told apart: low,high; by default ${DEFAULT_WINDOW}`,
      valueHint: "low,high",
    },
    cache: {
      type: "string",
      description: "folder that lnsnet preprocess wrote; it decides spacing and window",
      valueHint: "FOLDER",
    },
    batch: { type: "string", description: "patches a batch", default: "1", valueHint: "NUMBER" },
    accumulate: { type: "string", description: "batches an update", default: "1", valueHint: "NUMBER" },
    "learning-rate": { type: "string", description: "greatest learning rate of AdamW", default: "0.001" },
    "weight-decay": { type: "string", description: "decoupled weight decay", default: "0.01" },
    "foreground-share": {
      type: "string",
      description: "share of the patches aimed at foreground",
      default: "0.6",
    },
    augment: {
      type: "boolean",
      description: "vary the patches",
      default: true,
      negativeDescription: "take the patches as they are",
    },
    "validation-cases": {
      type: "string",
      description: "training scans set aside for validation",
      default: "4",
      valueHint: "NUMBER",
    },
    "validate-every": {
      type: "string",
      description: "steps between validations; 0 for none",
      default: "250",
      valueHint: "NUMBER",
    },
    seed: {
      type: "string",
      description: "seed of the weights, patches and masks",
      default: "1",
      valueHint: "NUMBER",
    },
    threads: {
      type: "string",
      description: "threads of the network; 0 for one a core",
      default: "0",
      valueHint: "NUMBER",
    },
    resume: { type: "boolean", description: "go on from the state in --output" },
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    const network = networkPresets[args.network];
    const patchSize = threeNumbers(args.patch, "--patch", 1, 1024);
    const divisor = sizeDivisor(network);
    if (patchSize.some((length) => length % divisor !== 0))
      throw new InputError(
        `--patch is ${args.patch}, and ${args.network} needs multiples of ${divisor}; give such sizes.`,
      );
    const dataset = await openDataset(args.dataset);
    const plan: Plan = {
      network,
      patchSize,
      ...(args.cache === undefined
        ? await workingSettings(dataset, args.spacing, args.window)
        : await settingsOfCache(args.cache, args.spacing, args.window)),
      foreground: foregroundOf(dataset),
      dataLabel: dataset.name,
    };
    const { modelPath, history, parameters } = await train(
      dataset,
      plan,
      {
        steps: wholeNumber(args.steps, "--steps", 1, 1e7),
        batchSize: wholeNumber(args.batch, "--batch", 1, 64),
        accumulation: wholeNumber(args.accumulate, "--accumulate", 1, 1024),
        learningRate: realNumber(args["learning-rate"], "--learning-rate", 1e-8, 1),
        weightDecay: realNumber(args["weight-decay"], "--weight-decay", 0, 1),
        clipNorm: 1,
        averageDecay: 0.998,
        foregroundShare: realNumber(args["foreground-share"], "--foreground-share", 0, 1),
        augmentation: args.augment ? defaultAugmentation : noAugmentation,
        seed: wholeNumber(args.seed, "--seed", 0, 2 ** 31),
        threads: wholeNumber(args.threads, "--threads", 0, 256),
        validateEvery: wholeNumber(args["validate-every"], "--validate-every", 0, 1e7),
        validationCases: wholeNumber(args["validation-cases"], "--validation-cases", 0, 1e6),
      },
      args.output,
      args.resume === true,
      args.cache ?? null,
    );
    const last = history.validation.at(-1) ?? null;
    if (args.json === true)
      printJson({
        model: modelPath,
        parameters,
        steps: Number(args.steps),
        seconds: history.seconds,
        loss: history.steps.at(-1)?.loss ?? null,
        validation_dsc: last?.dsc ?? null,
      });
    else
      printText(
        `Trained ${args.network} (${parameters.toLocaleString("en")} parameters) on ${plan.dataLabel} in ${duration(history.seconds)}${last ? `; validation DSC ${last.dsc.toFixed(3)}` : ""}.\nModel: ${modelPath}\nLearning curve: ${join(args.output, "curve.svg")}\nResearch use only.`,
      );
  },
});

/**
 * The working spacing and window: those asked for, else the median spacing of the training scans and the usual window.
 *
 * @throws InputError where a text cannot be used
 */
export async function workingSettings(
  { training }: Dataset,
  spacing: string | undefined,
  window: string | undefined,
): Promise<CacheSettings> {
  return {
    spacingMm:
      spacing === undefined ? await medianSpacing(training) : threeNumbers(spacing, "--spacing", 0.1, 50),
    window: windowOf(window ?? DEFAULT_WINDOW),
  };
}

/** @throws InputError where the folder is no cache, or was made with other settings than those asked for */
async function settingsOfCache(
  folder: string,
  spacing: string | undefined,
  window: string | undefined,
): Promise<CacheSettings> {
  const settings = await readCacheSettings(folder);
  const { spacingMm, window: kept } = settings;
  const wanted = [
    ["--spacing", spacing, spacingMm.join()],
    ["--window", window, `${kept.lowHu},${kept.highHu}`],
  ] as const;
  for (const [option, asked, held] of wanted) {
    if (asked === undefined || asked.split(",").map(Number).join() === held) continue;
    throw new InputError(
      `${folder} was made with ${option} ${held}, and ${option} ${asked} is asked for; leave ${option} out or run lnsnet preprocess into another folder.`,
    );
  }
  return settings;
}

/** What the labels other than background are called, together. */
export function foregroundOf({ labels }: Dataset): string {
  return listed(Object.entries(labels).flatMap(([name, value]) => (value === 0 ? [] : [name])));
}

/** @throws InputError where the text is not a rising pair of HU. */
export function windowOf(text: string): Plan["window"] {
  const [lowHu, highHu] = text.split(",").map((part) => realNumber(part, "--window", -32768, 32767));
  if (highHu === undefined || !(lowHu < highHu))
    throw new InputError(`--window is "${text}"; give two rising numbers of HU, such as -160,240.`);
  return { lowHu, highHu };
}

/** The median of the scans' spacings along x, y and z, in hundredths of a mm. */
export async function medianSpacing(cases: readonly Case[]): Promise<Vector3> {
  const spacings: Vector3[] = [];
  for (const one of cases) spacings.push(reorientToLps(await readScan(one.imagePath)).spacingMm);
  const median = (axis: number): number => {
    const sorted = spacings.map((spacing) => spacing[axis]).sort((a, b) => a - b);
    return Math.round(sorted[Math.floor(sorted.length / 2)] * 100) / 100;
  };
  return [median(0), median(1), median(2)];
}
