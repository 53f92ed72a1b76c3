// lnsnet predict: a scan, or a folder of scans, in; masks, node tables, pictures and DICOM objects out.
import {
  type DeviceChoice,
  deviceChoices,
  InputError,
  type NodeJson,
  nodesText,
  openPredictor,
  type Predictor,
  type SegmentOptions,
  segment,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { defineCommand } from "citty";
import { realNumber, wholeNumber } from "../arguments.js";
import { ensureWritableFolder, removeUnfinished } from "../files.js";
import type { ReadImage } from "../imaging.js";
import { Interrupted, interruptSignal } from "../interrupt.js";
import type { StoredModel } from "../model.js";
import { counted, printJson, printProblems, printText } from "../output.js";
import { shippedModelPath } from "../prediction.js";
import { createProgress } from "../progress.js";
import { type ClicksOf, clickArguments, clicksFrom } from "../segmenting/clicks.js";
import { requireMemory } from "../segmenting/memory.js";
import { loadModels, modelRecord } from "../segmenting/models.js";
import {
  type DicomObject,
  dicomObjects,
  finishedResult,
  hashOfScan,
  maskFormats,
  maskPath,
  type Recipe,
  recipeOf,
  type Wanted,
  writeResult,
} from "../segmenting/results.js";
import { type NamedScan, type ReadAttempt, readAhead, scansAt } from "../segmenting/scans.js";

export const predictCommand = defineCommand({
  meta: {
    name: "predict",
    description:
      "Segment the lymph nodes of a scan, of every scan of a folder, or those at clicked points. Finished scans are left as they are",
  },
  args: {
    scan: {
      type: "positional",
      description: "a CT: a volume file, a DICOM series in a folder or zip archive; or a folder of several",
      required: true,
    },
    series: {
      type: "string",
      description: "of several DICOM series, the one: its number, UID or a part of its description",
      valueHint: "SERIES",
    },
    ...clickArguments,
    output: {
      type: "string",
      description: "folder for the results",
      default: "predictions",
      valueHint: "FOLDER",
    },
    format: { type: "enum", description: "of the mask", options: [...maskFormats], default: "nii.gz" },
    numbered: { type: "boolean", description: "each node by its number in the mask, in the place of 1" },
    dicom: {
      type: "string",
      description: `for DICOM series, objects to write too, with commas: ${dicomObjects.join(",")}`,
      valueHint: "OBJECTS",
    },
    model: {
      type: "string",
      description:
        "model.safetensors of a training, several with commas, or the folder of a cross-validation, whose folds are averaged; by default the shipped phantom model",
      valueHint: "FILES",
    },
    overlap: {
      type: "string",
      description: "share of a patch that the next one covers again",
      default: "0.5",
      valueHint: "SHARE",
    },
    mirrored: { type: "boolean", description: "average with the mirrored scan's answer; twice the time" },
    search: {
      type: "enum",
      description: "what is looked at: body and neck, or everything in the scan",
      options: ["neck", "everything"],
      default: "neck",
    },
    "minimum-volume": {
      type: "string",
      description: "bodies below this volume in mL are left out",
      default: "0.03",
      valueHint: "ML",
    },
    pictures: {
      type: "boolean",
      description: "write a picture of each scan",
      default: true,
      negativeDescription: "no picture",
    },
    device: {
      type: "enum",
      description: "what computes; what cannot be had is replaced by the CPU, and said",
      options: [...deviceChoices],
      default: "auto",
    },
    threads: {
      type: "string",
      description: "threads of the network; 0 for one a core",
      default: "0",
      valueHint: "NUMBER",
    },
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    const { scans, areSeveral } = await scansAt(args.scan, args.series);
    const clicksOf = await clicksFrom(args);
    if (clicksOf !== null && scans.length > 1)
      throw new InputError(
        `${args.scan} holds ${scans.length} scans, and points are of one; name one scan, or leave the points out.`,
      );
    const models = await loadModels(args.model ?? shippedModelPath);
    if (args.model === undefined)
      process.stderr.write(
        "lnsnet: no --model is named, so the shipped model is used; it was trained on the phantom (synthetic scans) alone. Research use only.\n",
      );
    const options: SegmentOptions = {
      overlap: realNumber(args.overlap, "--overlap", 0, 0.9),
      mirrored: args.mirrored === true,
      searched: args.search,
      cleanUp: {
        minimumVolumeMl: realNumber(args["minimum-volume"], "--minimum-volume", 0, 1000),
        fillsCavities: true,
      },
    };
    const form = {
      format: args.format,
      numbered: args.numbered === true,
      pictures: args.pictures,
      dicom: dicomNames(args.dicom),
    };
    const wanted: Wanted = { folder: args.output, ...form };
    await ensureWritableFolder(args.output);
    await removeUnfinished(args.output);
    const records = await Promise.all(models.map(modelRecord));
    const predictor = await openPredictor(models, nodeRuntime, {
      threads: wholeNumber(args.threads, "--threads", 0, 256),
      device: args.device as DeviceChoice,
    });
    if (args.device !== "auto") process.stderr.write(`lnsnet: ${predictor.deviceNote}\n`);
    const recipe = recipeOf(records, { ...options, ...form, device: predictor.deviceNote });
    const batch = await predictAll({ scans, predictor, models, options, wanted, recipe, clicksOf });
    if (args.json === true) printJson(areSeveral ? batch.results : batch.results[0]);
    else for (const result of batch.results) printText(resultText(result, models[0]));
    requireAllDone(batch.failures, scans.length);
  },
});

/** What `predict --json` prints of one scan. */
interface PredictedScan {
  readonly mask: string;
  readonly nodes: readonly NodeJson[];
  readonly seconds: number;
  readonly model: Recipe["models"][number];
  /** Clicks without a node, a sentence each. */
  readonly remarks: readonly string[];
}

interface Batch {
  readonly scans: readonly NamedScan[];
  readonly predictor: Predictor;
  readonly models: readonly StoredModel[];
  readonly options: SegmentOptions;
  readonly wanted: Wanted;
  readonly recipe: Recipe;
  readonly clicksOf: ClicksOf | null;
}

interface Failure {
  readonly scan: NamedScan;
  readonly error: unknown;
}

/** Does every scan; one that fails is reported and does not stop the others. */
async function predictAll(batch: Batch): Promise<{ results: PredictedScan[]; failures: Failure[] }> {
  const results: PredictedScan[] = [];
  const failures: Failure[] = [];
  try {
    for await (const attempt of readAhead(batch.scans)) {
      try {
        results.push(await predictOne(attempt, batch));
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        failures.push({ scan: attempt.scan, error });
        if (batch.scans.length > 1) printProblems([`${attempt.scan.id} failed: ${messageOf(error)}`]);
      }
    }
  } finally {
    await batch.predictor.release();
  }
  return { results, failures };
}

async function predictOne({ scan, image }: ReadAttempt, batch: Batch): Promise<PredictedScan> {
  const { predictor, models, options, wanted, clicksOf } = batch;
  const [start, started] = [performance.now(), new Date().toISOString()];
  const read: ReadImage = image();
  const { volume, problems } = read;
  const progress = createProgress(scan.id, clicksOf === null ? "patch" : "click");
  for (const problem of problems) progress.note(`lnsnet: ${problem}`);
  const at = clicksOf === null ? {} : { at: clicksOf(volume) };
  const recipe = { ...batch.recipe, settings: { ...batch.recipe.settings, ...at } };
  const scanHash = hashOfScan(volume);
  const result = (nodes: readonly NodeJson[], seconds: number, remarks: readonly string[]) => ({
    mask: maskPath(wanted, scan.id),
    nodes,
    seconds,
    model: recipe.models[0],
    remarks,
  });
  const finished = await finishedResult(scan.id, scanHash, recipe, wanted);
  if (finished !== null) {
    progress.note(`lnsnet: ${scan.id} is finished already and left as it is.`);
    return result(finished.nodes, finished.seconds, []);
  }
  requireMemory(scan.path, volume, models);
  const found = await segment(volume, predictor, {
    ...options,
    ...at,
    signal: interruptSignal(),
    onProgress: (done, total) => progress.update({ done, total }),
  }).catch((error: unknown) => {
    throw error instanceof InputError ? new InputError(`${scan.path}: ${error.message}`) : error;
  });
  const remarks = found.clicks.flatMap(({ remark }) => (remark === null ? [] : [remark]));
  if (found.clicks.length > 0 && found.nodes.length === 0)
    throw new InputError(`${scan.path}: ${remarks.join(" ")}`);
  const seconds = (performance.now() - start) / 1000;
  const nodes = await writeResult(
    {
      id: scan.id,
      scanPath: scan.path,
      scanHash,
      image: read,
      found,
      recipe,
      device: predictor.deviceNote,
      started,
      seconds,
    },
    wanted,
  );
  progress.finish();
  printProblems(remarks);
  return result(nodes, seconds, remarks);
}

/** @throws InputError naming every scan that failed; the error itself where there was one scan, or it is a fault of ours */
function requireAllDone(failures: readonly Failure[], scans: number): void {
  if (failures.length === 0) return;
  const fault = failures.find(({ error }) => !(error instanceof InputError));
  if (fault !== undefined) throw fault.error;
  if (scans === 1) throw failures[0].error;
  const named = failures.map(({ scan, error }) => `\n  ${scan.id}: ${messageOf(error)}`).join("");
  const found =
    failures.length === scans
      ? `None of ${scans} scans could be segmented`
      : `${counted(failures.length, "scan")} of ${scans} could not be segmented; the others are done`;
  throw new InputError(`${found}:${named}`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function dicomNames(text: string | undefined): DicomObject[] {
  return (text?.split(",") ?? []).map((name) => {
    const object = dicomObjects.find((one) => one === name);
    if (object === undefined)
      throw new InputError(
        `--dicom is "${text}"; give some of ${dicomObjects.join(", ")}, with commas between.`,
      );
    return object;
  });
}

function resultText({ mask, nodes, seconds, model }: PredictedScan, { plan }: StoredModel): string {
  const bodies = `${counted(nodes.length, "body", "bodies")} of ${plan.foreground}`;
  return `${mask}: ${bodies} in ${seconds.toFixed(1)} s, by a model trained on ${model.trained_on}\n${nodes.length > 0 ? nodesText(nodes) : ""}`;
}
