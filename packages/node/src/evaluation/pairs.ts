// Pairs masks (and scans) of the same case: two files, or the files of two folders by their names.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { volumeFormatOf } from "@lnsnet/core/formats";
import { counted } from "@lnsnet/core/text";
import { caseId, listed } from "../datasets/dataset.js";
import { fileError, isFolder, requirePath } from "../files/disk.js";
import { numbersBeside } from "../files/mask-origin.js";
import type { MaskPair } from "./masks.js";

/**
 * The masks that belong together: the two files, or the files of two folders by case name.
 *
 * @throws InputError where a path is missing, one is a file and the other a folder, or masks have no counterpart
 */
export async function pairMasks(truth: string, prediction: string): Promise<MaskPair[]> {
  await requirePath(truth);
  await requirePath(prediction);
  const [truthIsFolder, predictionIsFolder] = [await isFolder(truth), await isFolder(prediction)];
  if (truthIsFolder !== predictionIsFolder) {
    const [folder, file] = truthIsFolder ? [truth, prediction] : [prediction, truth];
    throw new InputError(`${folder} is a folder and ${file} is a file; give two files or two folders.`);
  }
  if (!truthIsFolder) return [{ case: caseId(truth), truthPath: truth, predictionPath: prediction }];
  const truths = await masksIn(truth);
  const predictions = await masksIn(prediction);
  if (truths.size === 0)
    throw new InputError(
      `${truth} holds no mask, and volume files, such as .nii.gz, are expected; choose another folder.`,
    );
  const missing = [...truths.keys()].filter((id) => !predictions.has(id));
  if (missing.length > 0) {
    throw new InputError(
      `${prediction} has no mask for ${missing.length} of the ${counted(truths.size, "case")} of ${truth}: ${listed(missing)}; predict them, or leave their truth out.`,
    );
  }
  const extra = [...predictions.keys()].filter((id) => !truths.has(id));
  if (extra.length > 0) {
    throw new InputError(
      `${truth} has no mask for ${extra.length} of the ${counted(predictions.size, "case")} of ${prediction}: ${listed(extra)}; add their truth, or leave them out.`,
    );
  }
  return [...truths].map(([id, truthPath]) => ({
    case: id,
    truthPath,
    predictionPath: predictions.get(id) ?? truthPath,
  }));
}

/**
 * The path of the scan of each case.
 *
 * @param path a scan, or a folder of scans
 * @throws InputError where a case has none
 */
export async function scansByCase(path: string, pairs: readonly MaskPair[]): Promise<Map<string, string>> {
  await requirePath(path);
  const scans = (await isFolder(path)) ? await masksIn(path) : new Map([[caseId(path), path]]);
  const missing = pairs.filter((pair) => !scans.has(pair.case)).map((pair) => pair.case);
  if (missing.length > 0)
    throw new InputError(
      `${path} has no scan of ${listed(missing)}; choose the folder that holds NAME_0000.nii.gz of each case.`,
    );
  return scans;
}

async function masksIn(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, folder, "read");
  });
  const masks = new Map<string, string>();
  const volumes = names.filter((name) => !name.startsWith(".") && volumeFormatOf(name) !== null).sort();
  const numbers = new Set(await Promise.all(volumes.map((name) => numbersBeside(join(folder, name)))));
  for (const name of volumes) {
    // They belong to the mask of another file.
    if (numbers.has(join(folder, name))) continue;
    const id = caseId(name);
    const other = masks.get(id);
    if (other !== undefined)
      throw new InputError(`${other} and ${name} are both of case ${id}; keep one of them.`);
    masks.set(id, join(folder, name));
  }
  return masks;
}
