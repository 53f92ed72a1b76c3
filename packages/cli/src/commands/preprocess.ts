// lnsnet preprocess: the scans of a data set on the working grid, in files that trainings share.
import { InputError } from "@lnsnet/core";
import { defineCommand } from "citty";
import { datasetArgument, threadsArgument, wholeNumber } from "../arguments.js";
import { isCache, readCacheSettings, writeCacheSettings } from "../cache.js";
import { openDataset } from "../dataset.js";
import { ensureWritableFolder } from "../files.js";
import { interruptSignal } from "../interrupt.js";
import { fillCache } from "../loading.js";
import { printJson, printText } from "../output.js";
import { workingSettings } from "../plan-arguments.js";

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
      description: "working spacing in mm, x,y,z; by default the median of the scans",
      valueHint: "x,y,z",
    },
    window: {
      type: "string",
      description: "HU that are told apart: low,high; by default as lnsnet train has them",
      valueHint: "low,high",
    },
    threads: threadsArgument,
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    const threads = wholeNumber(args.threads, "--threads", 1, 64);
    const dataset = await openDataset(args.dataset);
    const settings = await workingSettings(dataset, args.spacing, args.window);
    await ensureWritableFolder(args.output);
    if (await isCache(args.output)) {
      const held = await readCacheSettings(args.output);
      if (JSON.stringify(held) !== JSON.stringify(settings))
        throw new InputError(
          `${args.output} holds a cache of ${held.spacingMm.join("×")} mm and ${held.window.lowHu} to ${held.window.highHu} HU, and ${settings.spacingMm.join("×")} mm and ${settings.window.lowHu} to ${settings.window.highHu} HU are asked for; name another folder.`,
        );
    } else await writeCacheSettings(args.output, settings);
    const signal = interruptSignal();
    const options = { ...settings, threads, cacheFolder: args.output, signal };
    const written = await fillCache(dataset, dataset.training, options);
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
