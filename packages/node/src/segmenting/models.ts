// The networks of a prediction: one model, several, or the folds of an experiment.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { isFile, isFolder } from "../files/disk.js";
import { loadModel, type StoredModel } from "../files/model-file.js";

/**
 * The models that --model names: files with commas between, or the folder of a cross-validation, whose folds are an
 * ensemble.
 *
 * @throws InputError where one cannot be used, or a folder holds none
 */
export async function loadModels(named: string): Promise<StoredModel[]> {
  const paths = (await isFolder(named)) ? await modelsOfExperiment(named) : named.split(",");
  return Promise.all(paths.map(loadModel));
}

async function modelsOfExperiment(folder: string): Promise<string[]> {
  const own = join(folder, "model.safetensors");
  if (await isFile(own)) return [own];
  const names = (await readdir(folder)).filter((name) => /^fold_\d+$/.test(name));
  const folds = names.map((name) => Number(name.slice("fold_".length))).sort((a, b) => a - b);
  if (folds.length === 0)
    throw new InputError(
      `${folder} holds no model.safetensors and no fold_0 of a cross-validation; choose a model, or such a folder.`,
    );
  return folds.map((fold) => join(folder, `fold_${fold}`, "model.safetensors"));
}
