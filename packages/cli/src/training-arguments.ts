// The options of a training regime on the command line, for every command that trains.

import { InputError } from "@lnsnet/core/errors";
import {
  type AugmentationName,
  augmentationNames,
  defaultAugmentation,
  noAugmentation,
  withoutVariations,
} from "@lnsnet/core/transforms";
import {
  defaultTrainingOptions as defaults,
  MOST_STEPS,
  requireTrainable,
  type TrainingOptions,
} from "@lnsnet/node/training";
import type { ArgsDef } from "citty";
import { realNumber, wholeNumber } from "./arguments.js";

export const regimeArguments = {
  steps: {
    type: "string",
    description: `number of training steps; by default ${defaults.steps}, or as many as --minutes allow`,
    valueHint: "NUMBER",
  },
  minutes: {
    type: "string",
    description:
      "end the training after so many minutes of training steps; the learning rate then follows the time",
    valueHint: "NUMBER",
  },
  batch: {
    type: "string",
    description: "patches per batch",
    default: String(defaults.batchSize),
    valueHint: "NUMBER",
  },
  accumulate: {
    type: "string",
    description: "batches per step, whose gradients are averaged",
    default: String(defaults.accumulation),
    valueHint: "NUMBER",
  },
  "learning-rate": {
    type: "string",
    description: "peak learning rate of AdamW",
    default: String(defaults.learningRate),
    valueHint: "RATE",
  },
  decay: {
    type: "enum",
    description: "how the learning rate falls after a warm-up of 5 %",
    options: ["cosine", "polynomial"],
    default: defaults.decay,
  },
  "weight-decay": {
    type: "string",
    description: "decoupled weight decay",
    default: String(defaults.weightDecay),
    valueHint: "RATE",
  },
  "foreground-share": {
    type: "string",
    description: "share of patches that are centred on foreground",
    default: String(defaults.foregroundShare),
    valueHint: "SHARE",
  },
  augment: {
    type: "boolean",
    description: "augment the training patches",
    default: true,
    negativeDescription: "train without augmentation",
  },
  without: {
    type: "string",
    description: `augmentations to leave out, separated by commas: ${augmentationNames.join(", ")}`,
    valueHint: "NAMES",
  },
  "validation-cases": {
    type: "string",
    description: "number of training scans that are set aside for validation",
    default: String(defaults.validationCases),
    valueHint: "NUMBER",
  },
  "validate-every": {
    type: "string",
    description: "steps between validations; 0 for none",
    default: String(defaults.validateEvery),
    valueHint: "NUMBER",
  },
  patience: {
    type: "string",
    description: "stop after this many validations without improvement; 0 to train all steps",
    default: String(defaults.patience),
    valueHint: "NUMBER",
  },
  train: {
    type: "enum",
    description: "which layers to train; head needs --weights",
    options: ["all", "head"],
    default: defaults.trained,
  },
  stations: {
    type: "string",
    description:
      "what telling apart the stations of nodes counts in the loss, as a second target of LNSNet; for phantoms, which know them; 0 for none",
    default: "0",
    valueHint: "WEIGHT",
  },
  "dice-smoothing": {
    type: "string",
    description:
      "voxels that are added above and below in the Dice of the loss; with as many as a node has, what is found in a patch without nodes costs",
    default: "0.00001",
    valueHint: "VOXELS",
  },
  weights: {
    type: "string",
    description: "model to start from; it must be of the same network",
    valueHint: "FILE",
  },
  seed: {
    type: "string",
    description: "seed of all random numbers",
    default: String(defaults.seed),
    valueHint: "NUMBER",
  },
  threads: {
    type: "string",
    description: "threads for the network; 0 uses every core",
    default: String(defaults.threads),
    valueHint: "NUMBER",
  },
} as const satisfies ArgsDef;

/** The regime's options as citty hands them over. */
export interface RegimeValues {
  readonly steps?: string | undefined;
  readonly minutes?: string | undefined;
  readonly batch: string;
  readonly accumulate: string;
  readonly "learning-rate": string;
  readonly decay: TrainingOptions["decay"];
  readonly "weight-decay": string;
  readonly "foreground-share": string;
  readonly augment: boolean;
  readonly without?: string | undefined;
  readonly "validation-cases": string;
  readonly "validate-every": string;
  readonly patience: string;
  readonly train: TrainingOptions["trained"];
  readonly stations: string;
  readonly "dice-smoothing": string;
  readonly weights?: string | undefined;
  readonly seed: string;
  readonly threads: string;
}

/** @throws InputError for a value that cannot be used, or options that do not go together */
export function trainingOptions(values: RegimeValues): TrainingOptions {
  const stationWeight = realNumber(values.stations, "--stations", 0, 100);
  const diceSmoothing = realNumber(values["dice-smoothing"], "--dice-smoothing", 1e-8, 1e6);
  const options: TrainingOptions = {
    ...defaults,
    ...(diceSmoothing === 1e-5 ? {} : { diceSmoothing }),
    ...(stationWeight > 0 ? { stationWeight } : {}),
    ...budgetOf(values),
    batchSize: wholeNumber(values.batch, "--batch", 1, 64),
    accumulation: wholeNumber(values.accumulate, "--accumulate", 1, 1024),
    learningRate: realNumber(values["learning-rate"], "--learning-rate", 1e-8, 1),
    decay: values.decay,
    weightDecay: realNumber(values["weight-decay"], "--weight-decay", 0, 1),
    foregroundShare: realNumber(values["foreground-share"], "--foreground-share", 0, 1),
    augmentation: values.augment
      ? withoutVariations(defaultAugmentation, variationNames(values.without))
      : noAugmentation,
    seed: wholeNumber(values.seed, "--seed", 0, 2 ** 31),
    threads: wholeNumber(values.threads, "--threads", 0, 256),
    validateEvery: wholeNumber(values["validate-every"], "--validate-every", 0, 1e7),
    validationCases: wholeNumber(values["validation-cases"], "--validation-cases", 0, 1e6),
    patience: wholeNumber(values.patience, "--patience", 0, 1e6),
    trained: values.train,
  };
  requireTrainable(options, { weightsPath: values.weights ?? null });
  return options;
}

function budgetOf({ steps, minutes }: Pick<RegimeValues, "steps" | "minutes">) {
  const most = minutes === undefined ? defaults.steps : MOST_STEPS;
  return {
    steps: steps === undefined ? most : wholeNumber(steps, "--steps", 1, MOST_STEPS),
    ...(minutes === undefined ? {} : { minutes: realNumber(minutes, "--minutes", 0.01, 1e6) }),
  };
}

function variationNames(text: string | undefined): AugmentationName[] {
  if (text === undefined) return [];
  return text.split(",").map((name) => {
    const known = augmentationNames.find((entry) => entry === name.trim());
    if (known === undefined)
      throw new InputError(
        `--without names "${name}", which is no variation; give some of ${augmentationNames.join(", ")}.`,
      );
    return known;
  });
}
