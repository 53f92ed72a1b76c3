// lnsnet train: a data set in, a trained network out.
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { bestValidation, type PatientRule } from "@lnsnet/core/training";
import { type Dataset, openDataset, patientRule, readSplits, trainingPart } from "@lnsnet/node/datasets";
import { isFile } from "@lnsnet/node/files";
import { type TrainingRun, type TrainingStart, trainingFiles, trainNetwork } from "@lnsnet/node/training";
import { duration } from "@lnsnet/node/work";
import { defineCommand } from "citty";
import { datasetArgument, jsonArgument, splitsArgument, wholeNumber } from "../arguments.js";
import { clickTrainingArguments, leftOutOf, planArguments, planOf } from "../plan-arguments.js";
import { printJson, printNote, printText, terminalJob } from "../terminal/terminal.js";
import { regimeArguments, trainingOptions } from "../training-arguments.js";

export const trainCommand = defineCommand({
  meta: { name: "train", description: "Train a network on a data set in nnU-Net's layout" },
  args: {
    dataset: datasetArgument,
    output: {
      type: "string",
      description: "folder for the model, the state and the log",
      default: "runs/train",
      valueHint: "FOLDER",
    },
    ...planArguments,
    ...clickTrainingArguments,
    splits: splitsArgument,
    fold: {
      type: "string",
      description: "which fold of --splits to train; the first is 0",
      valueHint: "NUMBER",
    },
    ...regimeArguments,
    resume: {
      type: "boolean",
      description: "continue the training in --output, also a finished one with more --steps",
    },
    force: { type: "boolean", description: "start again and replace the training in --output" },
    json: jsonArgument,
  },
  async run({ args }) {
    const whole = await openDataset(args.dataset, args.foreground);
    const leftOut = leftOutOf(args, whole);
    const options = { ...trainingOptions(args), ...(leftOut === undefined ? {} : { leftOut }) };
    const patients = patientRule(whole, args["patient-pattern"]);
    const dataset = await foldOf(whole, args.splits, args.fold, patients);
    const plan = await planOf(args, dataset);
    const start = startOf(args.resume === true, args.force === true);
    const run: TrainingRun = {
      folder: args.output,
      start,
      cacheFolder: args.cache ?? null,
      weightsPath: args.weights ?? null,
      patients,
    };
    const job = terminalJob();
    const training = trainNetwork(dataset, plan, options, run, job);
    const { modelPath, bestPath, history, parameters, steps } = await training.catch(async (error) => {
      if (job.signal.aborted && (await isFile(trainingFiles(args.output).state)))
        printNote("the same command with --resume goes on with the training");
      throw error;
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

/** @throws InputError where both are given */
function startOf(resume: boolean, force: boolean): TrainingStart {
  if (resume && force)
    throw new InputError("--resume goes on with a training and --force begins anew; give one of the two.");
  return resume ? "resume" : force ? "replace" : "begin";
}

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
