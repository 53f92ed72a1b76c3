// The scans of a data set on the working grid, in files that trainings share.
import { InputError } from "@lnsnet/core/errors";
import {
  type CacheSettings,
  cacheNames,
  isCache,
  readCacheSettings,
  writeCacheSettings,
} from "../datasets/cache.js";
import type { Dataset } from "../datasets/dataset.js";
import { removeUnfinished } from "../files/disk.js";
import { whileWriting } from "../files/folder-lock.js";
import { requireFreeNames } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import { fillCache } from "./loading.js";

/**
 * Prepares the training scans of a data set once, for every training that is given the folder. Scans that the folder
 * holds as they are now stay.
 *
 * @param settings working spacing and intensity window, and whether single structures are kept
 * @returns how many scans were written
 * @throws InputError where a scan cannot be used, or the folder holds a cache of other settings or files that are no
 *   cache's; the signal's reason
 */
export async function preprocessDataset(
  dataset: Dataset,
  folder: string,
  settings: CacheSettings,
  { threads = 2 }: { readonly threads?: number } = {},
  job: Job = {},
): Promise<number> {
  const fill = async () => {
    await openCache(folder, dataset, settings);
    return fillCache(dataset, dataset.training, { ...settings, threads, cacheFolder: folder }, job);
  };
  return whileWriting(folder, "lnsnet preprocess", fill, job);
}

/** @throws InputError where the folder holds a cache of other settings, or files that are no cache's */
async function openCache(folder: string, { training }: Dataset, settings: CacheSettings): Promise<void> {
  await removeUnfinished(folder, { isOurs: true });
  if (!(await isCache(folder))) {
    await requireFreeNames(folder, cacheNames(training.map(({ id }) => id)));
    return writeCacheSettings(folder, settings);
  }
  const held = await readCacheSettings(folder);
  if (JSON.stringify(held.leftOut) !== JSON.stringify(settings.leftOut))
    throw new InputError(
      `${folder} holds a cache of ${structuresInWords(held)}, and one of ${structuresInWords(settings)} is requested; choose another folder.`,
    );
  if (JSON.stringify(held) !== JSON.stringify(settings))
    throw new InputError(
      `${folder} holds a cache of ${held.spacingMm.join("×")} mm and ${held.window.lowHu} to ${held.window.highHu} HU, and ${settings.spacingMm.join("×")} mm and ${settings.window.lowHu} to ${settings.window.highHu} HU are requested; choose another folder.`,
    );
}

function structuresInWords({ leftOut }: CacheSettings): string {
  if (leftOut === undefined) return "labels";
  const names = [...leftOut.classes, ...leftOut.organs.map((value) => `organs:${value}`)];
  return names.length === 0 ? "single structures" : `single structures without ${names.join(", ")}`;
}
