// lnsnet preprocess: the scans of a data set on the working grid, in files that trainings share.
import { InputError } from "@lnsnet/core";
import {
  type CacheSettings,
  cacheNames,
  type Dataset,
  ensureWritableFolder,
  fillCache,
  isCache,
  openDataset,
  readCacheSettings,
  removeUnfinished,
  requireFreeNames,
  whileHolding,
  writeCacheSettings,
} from "@lnsnet/node";
import { defineCommand } from "citty";
import { datasetArgument, foregroundArgument, threadsArgument, wholeNumber } from "../arguments.js";
import { workingSettings } from "../plan-arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const preprocessCommand = defineCommand({
  meta: {
    name: "preprocess",
    description: "Prepare a data set's training scans once, for every training with --cache",
  },
  args: {
    dataset: datasetArgument,
    output: {
      type: "string",
      description: "folder for the prepared scans; those that are already there and up to date are kept",
      valueHint: "FOLDER",
      required: true,
    },
    spacing: {
      type: "string",
      description: "spacing in mm to which scans are resampled; by default their median",
      valueHint: "X,Y,Z",
    },
    window: {
      type: "string",
      description: "intensity window in HU; values outside are clipped; by default that of lnsnet train",
      valueHint: "LOW,HIGH",
    },
    foreground: foregroundArgument,
    threads: threadsArgument,
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    const threads = wholeNumber(args.threads, "--threads", 1, 64);
    const dataset = await openDataset(args.dataset, args.foreground);
    const settings = await workingSettings(dataset, args.spacing, args.window);
    await ensureWritableFolder(args.output);
    const job = terminalJob();
    const fill = async () => {
      await openCache(args.output, dataset, settings);
      const options = { ...settings, threads, cacheFolder: args.output };
      return fillCache(dataset, dataset.training, options, job);
    };
    const written = await whileHolding(args.output, "lnsnet preprocess", fill, job);
    const cases = dataset.training.length;
    if (args.json === true)
      printJson({
        output: args.output,
        cases,
        written,
        spacing_mm: settings.spacingMm,
        window_hu: [settings.window.lowHu, settings.window.highHu],
      });
    else
      printText(
        `${args.output}: ${cases} prepared scans of ${settings.spacingMm.join("×")} mm, ${written} of them new.\nTrain on them with lnsnet train ${args.dataset} --cache ${args.output}`,
      );
  },
});

/** @throws InputError where the folder holds a cache of other settings, or files that are no cache's */
async function openCache(folder: string, { training }: Dataset, settings: CacheSettings): Promise<void> {
  await removeUnfinished(folder);
  if (!(await isCache(folder))) {
    await requireFreeNames(folder, cacheNames(training.map(({ id }) => id)));
    return writeCacheSettings(folder, settings);
  }
  const held = await readCacheSettings(folder);
  if (JSON.stringify(held) !== JSON.stringify(settings))
    throw new InputError(
      `${folder} holds a cache of ${held.spacingMm.join("×")} mm and ${held.window.lowHu} to ${held.window.highHu} HU, and ${settings.spacingMm.join("×")} mm and ${settings.window.lowHu} to ${settings.window.highHu} HU are asked for; name another folder.`,
    );
}
