// lnsnet train: a data set in, a trained network out.
import { join } from "node:path";
import {
  bestValidation,
  InputError,
  networkPresets,
  type PatientRule,
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
import { patientRule, readSplits, trainingPart } from "../splits.js";
import { train } from "../training.js";
import { regimeArguments, trainingOptions } from "../training-arguments.js";

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
    splits: {
      type: "string",
      description: "folds to train on one of, in nnU-Net's form: splits_final.json",
      valueHint: "FILE",
    },
    fold: { type: "string", description: "fold of --splits, from 0", valueHint: "NUMBER" },
    "patient-pattern": {
      type: "string",
      description: "regular expression whose first group of a case's name is its patient",
      valueHint: "PATTERN",
    },
    ...regimeArguments,
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
    const options = trainingOptions(args);
    const whole = await openDataset(args.dataset);
    const patients = patientRule(whole, args["patient-pattern"]);
    const dataset = await foldOf(whole, args.splits, args.fold, patients);
    const plan: Plan = {
      network,
      patchSize,
      ...(args.cache === undefined
        ? await workingSettings(dataset, args.spacing, args.window)
        : await settingsOfCache(args.cache, args.spacing, args.window)),
      foreground: foregroundOf(dataset),
      dataLabel: dataset.name,
    };
    const { modelPath, bestPath, history, parameters, steps } = await train(dataset, plan, options, {
      folder: args.output,
      resume: args.resume === true,
      cacheFolder: args.cache ?? null,
      weightsPath: args.weights ?? null,
      patients,
    });
    const last = history.validation.at(-1) ?? null;
    const best = bestValidation(history.validation);
    if (args.json === true)
      printJson({
        model: modelPath,
        parameters,
        steps,
        seconds: history.seconds,
        loss: history.steps.at(-1)?.loss ?? null,
        validation_dsc: last?.dsc ?? null,
        best_model: bestPath,
        best_validation_dsc: best?.dsc ?? null,
      });
    else
      printText(
        `Trained ${args.network} (${parameters.toLocaleString("en")} parameters) on ${plan.dataLabel} in ${duration(history.seconds)}${last ? `; validation DSC ${last.dsc.toFixed(3)}` : ""}.\nModel: ${modelPath}\n${best ? `Best at step ${best.step}, validation DSC ${best.dsc.toFixed(3)}: ${bestPath}\n` : ""}Learning curve: ${join(args.output, "curve.svg")}\nResearch use only.`,
      );
  },
});

/** @throws InputError where one of the two options is missing, or the file has no such fold or does not fit the data */
async function foldOf(
  dataset: Dataset,
  splits: string | undefined,
  fold: string | undefined,
  patients: PatientRule,
): Promise<Dataset> {
  if (splits === undefined && fold === undefined) return dataset;
  if (splits === undefined || fold === undefined)
    throw new InputError(
      `${splits === undefined ? "--fold" : "--splits"} is given without ${splits === undefined ? "--splits" : "--fold"}; give both or neither.`,
    );
  const folds = await readSplits(splits, dataset, patients);
  return trainingPart(dataset, folds[wholeNumber(fold, "--fold", 0, folds.length - 1)]);
}

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
