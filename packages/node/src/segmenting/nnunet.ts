// A model folder of nnU-Net v2 as models of ours, one for each fold.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { type Model, type NnunetFold, readNnunetModel } from "@lnsnet/core/models";
import { shown } from "@lnsnet/core/text";
import { z } from "zod";
import { ensureWritableFolder, isFile, readBytes, readJson, requirePath } from "../files/disk.js";
import { saveModel } from "../files/model-file.js";
import { requireFreeFile } from "../files/outputs.js";
import type { Job } from "../work/job.js";

export interface NnunetImportOptions {
  /** Folder for the models: `model.safetensors` of one fold, `fold_N/model.safetensors` of several. */
  readonly output: string;
  /** Names of the folds, such as "0" and "all"; every fold with a checkpoint by default. */
  readonly folds?: readonly string[] | undefined;
  /** Name of the checkpoint in a fold's folder; `checkpoint_final.pth` by default. */
  readonly checkpoint?: string;
  /** Whether the models average mirrored patches, as nnU-Net does by default. */
  readonly mirrored?: boolean;
  /** Whether models that stand there are replaced. */
  readonly force?: boolean;
}

export interface ImportedNnunet {
  readonly models: readonly { readonly fold: string; readonly path: string; readonly model: Model }[];
}

/**
 * Imports the folds of a folder that holds `plans.json`, `dataset.json` and `fold_*`. All are read before any is written.
 *
 * @throws InputError where a file is missing or damaged, or the model cannot be used exactly as nnU-Net would use it
 */
export async function importNnunet(
  folder: string,
  { output, folds, checkpoint = "checkpoint_final.pth", mirrored = true, force = false }: NnunetImportOptions,
  job: Job = {},
): Promise<ImportedNnunet> {
  await requirePath(folder);
  const named = await foldsOf(folder, checkpoint, folds);
  const pathOf = (fold: string) =>
    named.length === 1
      ? join(output, "model.safetensors")
      : join(output, `fold_${fold}`, "model.safetensors");
  for (const fold of named) await requireFreeFile(pathOf(fold), { inputs: [folder], force });
  const json = async (name: string) => {
    const path = join(folder, name);
    return { path, content: await readJson(path, z.unknown()) };
  };
  const shared = { plans: await json("plans.json"), dataset: await json("dataset.json"), mirrored };
  const models: { fold: string; path: string; model: Model }[] = [];
  for (const fold of named) {
    job.signal?.throwIfAborted();
    models.push({
      fold,
      path: pathOf(fold),
      model: await readFold(shared, join(folder, `fold_${fold}`, checkpoint), job),
    });
    job.onProgress?.({ stage: "reading", unit: "fold", done: models.length, total: named.length });
  }
  for (const { path, model } of models) {
    await ensureWritableFolder(join(path, ".."));
    await saveModel(path, model, false);
  }
  return { models };
}

async function readFold(shared: Omit<NnunetFold, "checkpoint">, path: string, job: Job): Promise<Model> {
  const { model, notes } = readNnunetModel({ ...shared, checkpoint: { path, bytes: await readBytes(path) } });
  for (const note of notes) job.log?.(note);
  return model;
}

/** @throws InputError where a fold that was asked for, or every fold, lacks the checkpoint */
async function foldsOf(
  folder: string,
  checkpoint: string,
  asked: readonly string[] | undefined,
): Promise<readonly string[]> {
  if (!(await isFile(join(folder, "plans.json"))))
    throw new InputError(
      `${folder} holds no plans.json, and the folder of a trained configuration is expected, such as nnUNetTrainer__nnUNetPlans__3d_fullres; choose that.`,
    );
  const strange = asked?.find((fold) => !foldName.test(fold));
  if (strange !== undefined)
    throw new InputError(`The fold "${shown(strange)}" is no number and not "all"; name folds such as 0,1.`);
  const entries =
    asked ?? (await readdir(folder)).flatMap((name) => /^fold_(\d+|all)$/.exec(name)?.[1] ?? []).sort();
  const isThere = await Promise.all(entries.map((fold) => isFile(join(folder, `fold_${fold}`, checkpoint))));
  const missing = entries.find((_, at) => !isThere[at]);
  if (asked !== undefined && missing !== undefined)
    throw new InputError(
      `${join(folder, `fold_${shown(missing)}`)} holds no ${checkpoint}; name folds that were trained, or another checkpoint.`,
    );
  // nnU-Net's own prediction takes the numbered folds, and "all" where it is asked for.
  const found = entries.filter((_, at) => isThere[at]);
  const numbered = found.filter((fold) => fold !== "all");
  const chosen = asked === undefined && numbered.length > 0 ? numbered : found;
  if (chosen.length === 0)
    throw new InputError(
      `${folder} holds no fold with ${checkpoint}; wait for the end of its training, or name another checkpoint, such as checkpoint_best.pth.`,
    );
  return chosen;
}

const foldName = /^(\d+|all)$/;
