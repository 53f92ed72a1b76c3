// lnsnet predict: a scan, or a folder of scans, in; masks, node tables, pictures and DICOM objects out.

import { InputError } from "@lnsnet/core/errors";
import { type NodeJson, nodesText } from "@lnsnet/core/reports";
import { deviceChoices } from "@lnsnet/core/runtime";
import { counted } from "@lnsnet/core/text";
import { nodeHu } from "@lnsnet/core/voxels";
import { listed } from "@lnsnet/node/datasets";
import { loadModel, maskFormats, requirePath, type StoredModel } from "@lnsnet/node/files";
import {
  type DicomObject,
  dicomObjects,
  loadModels,
  type Manifest,
  type ModelRecord,
  type PredictedScan,
  type Predictions,
  predictScans,
  type ScanOrigin,
  shippedModelPath,
} from "@lnsnet/node/segmenting";
import { defineCommand } from "citty";
import { jsonArgument, seriesArgument, wholeNumber } from "../arguments.js";
import { clickArguments, clicksFrom } from "../clicks.js";
import { nodeArguments, segmentingArguments, segmentingOptions } from "../segmenting-arguments.js";
import { printJson, printNote, printText, terminalJob } from "../terminal/terminal.js";

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
    series: seriesArgument,
    channels: {
      type: "string",
      description:
        "for a model of several channels: the files of the other channels, separated by commas; by default NAME_0001, NAME_0002, … beside NAME_0000",
      valueHint: "FILES",
    },
    ...clickArguments,
    output: {
      type: "string",
      description: "folder for the results",
      default: "predictions",
      valueHint: "FOLDER",
    },
    format: {
      type: "enum",
      description:
        "file format of the mask; a finished scan in another format is segmented again and its earlier file removed",
      options: [...maskFormats],
      default: "nii.gz",
    },
    numbered: {
      type: "boolean",
      description: "write instance numbers instead of a mask of 1, or of the values of several classes",
    },
    dicom: {
      type: "string",
      description: `DICOM objects to write too, separated by commas: ${dicomObjects.join(", ")} (secondary captures: pictures with measures); for DICOM series only`,
      valueHint: "OBJECTS",
    },
    model: {
      type: "string",
      description:
        "model.safetensors of a training, or several separated by commas, or the folder of a cross-validation, whose folds are averaged; by default the shipped finder, and for points the shipped clicker",
      valueHint: "FILES",
    },
    proposer: {
      type: "string",
      description:
        "a model trained at a coarse spacing, such as 3 mm, which is run first on whole scans; the model then looks only where this one sees something, in a part of the time",
      valueHint: "FILE",
    },
    ...segmentingArguments,
    ...nodeArguments,
    pictures: {
      type: "boolean",
      description: "write a picture of each scan",
      default: true,
      negativeDescription: "write no pictures",
    },
    device: {
      type: "enum",
      description: "where the network runs; falls back to the CPU with a note",
      options: [...deviceChoices],
      default: "auto",
    },
    threads: {
      type: "string",
      description: "threads for the network; 0 uses every core that is idle at the start",
      default: "0",
      valueHint: "NUMBER",
    },
    anonymize: {
      type: "boolean",
      description: "remove the patient's identity from all results; names become numbers",
    },
    salt: {
      type: "string",
      description:
        "secret for the names and UIDs of --anonymize; the same secret gives the same names. By default it is kept in the output folder as .predict-salt: do not share that file",
      valueHint: "TEXT",
    },
    json: jsonArgument,
  },
  async run({ args }) {
    if (args.salt !== undefined && args.anonymize !== true)
      throw new InputError("--salt is for --anonymize; give both.");
    const segmenting = segmentingOptions(args);
    const form = {
      format: args.format,
      numbered: args.numbered === true,
      pictures: args.pictures,
      dicom: dicomNames(args.dicom),
    };
    const threads = wholeNumber(args.threads, "--threads", 0, 256);
    const clicksOf = await clicksFrom(args);
    if (args.class !== undefined && clicksOf === null)
      throw new InputError(
        "--class is for clicked points; give --at, --at-voxel or --points too, or leave it out.",
      );
    await requirePath(args.scan);
    const shipped = clicksOf === null ? "finder" : "clicker";
    const models = await loadModels(args.model ?? shippedModelPath(shipped));
    if (args.model === undefined)
      printNote(
        `no --model is named, so the shipped ${shipped} is used; it was trained on ${models[0].plan.dataLabel}. Research use only.`,
      );
    const { results, failures, areSeveral } = await predictScans(
      args.scan,
      {
        models,
        proposer: args.proposer === undefined ? null : await loadModel(args.proposer),
        output: args.output,
        form,
        segmenting,
        series: args.series,
        channels: args.channels?.split(","),
        clicksOf,
        clickedClass: args.class,
        anonymize: args.anonymize === true ? { salt: args.salt ?? null } : undefined,
        device: args.device,
        threads,
      },
      terminalJob(),
    );
    const rows = results.map(jsonOf);
    if (args.json !== true) for (const result of results) printText(resultText(result, models[0]));
    else if (areSeveral) printJson(rows);
    else if (rows.length > 0) printJson(rows[0]);
    requireAllDone(failures, results.length + failures.length);
  },
});

/** What `predict --json` prints of one scan. */
interface PredictedJson {
  readonly id: string;
  readonly mask: string;
  /** Where the scan lies; null with --anonymize. */
  readonly scan: ScanOrigin | null;
  readonly nodes: readonly NodeJson[];
  readonly nodes_with_hu_of_no_node: number;
  readonly components_outside_body: number;
  readonly components_with_hu_of_no_node: number;
  readonly nodes_of_little_confidence: number;
  readonly clicks: readonly Pick<
    Manifest["clicks"][number],
    "point_lps_mm" | "is_positive" | "node" | "remark"
  >[];
  readonly seconds: number;
  readonly model: ModelRecord;
  readonly remarks: readonly string[];
}

function jsonOf({
  scan,
  mask,
  manifest,
  isAnonymous,
  model,
  seconds,
  remarks,
}: PredictedScan): PredictedJson {
  return {
    id: scan.id,
    mask,
    scan: isAnonymous ? null : scan.origin,
    nodes: manifest.nodes,
    nodes_with_hu_of_no_node: manifest.nodes_with_hu_of_no_node,
    components_outside_body: manifest.whole_scan?.components_outside_body ?? 0,
    components_with_hu_of_no_node: manifest.whole_scan?.components_with_hu_of_no_node ?? 0,
    nodes_of_little_confidence: manifest.whole_scan?.nodes_of_little_confidence ?? 0,
    clicks: manifest.clicks.map(({ point_lps_mm, is_positive, node, remark }) => ({
      ...{ point_lps_mm, is_positive, node, remark },
    })),
    seconds,
    model,
    remarks,
  };
}

/** @throws InputError naming scans that failed; the error itself where there was one scan, or it is a fault of ours */
function requireAllDone(failures: Predictions["failures"], scans: number): void {
  if (failures.length === 0) return;
  const fault = failures.find(({ error }) => !(error instanceof InputError));
  if (fault !== undefined) throw fault.error;
  if (scans === 1) throw failures[0].error;
  const names = listed(failures.map(({ scan }) => scan.id));
  throw new InputError(
    failures.length === scans
      ? `None of ${counted(scans, "scan")} could be segmented; the reasons stand above.`
      : `${counted(failures.length, "scan")} of ${scans} could not be segmented (${names}); the others are done, and the reasons stand above.`,
  );
}

function dicomNames(text: string | undefined): DicomObject[] {
  return (text?.split(",") ?? []).map((name) => {
    const object = dicomObjects.find((entry) => entry === name);
    if (object === undefined)
      throw new InputError(
        `--dicom is "${text}"; give some of ${dicomObjects.join(", ")}, with commas between.`,
      );
    return object;
  });
}

/** What was found: of several classes, how many nodes of each. */
function foundInWords({ classes, nodes }: Manifest, foreground: string): string {
  if (classes === undefined) return foreground;
  const numberOf = (name: string) => nodes.filter((node) => node.class === name).length;
  return classes.map(({ name }) => `${name}: ${numberOf(name)}`).join(", ");
}

function resultText({ scan, mask, manifest, seconds }: PredictedScan, { plan }: StoredModel): string {
  const { nodes, nodes_with_hu_of_no_node: odd } = manifest;
  const { path, series } = scan.origin;
  const {
    components_outside_body: outside = 0,
    components_with_hu_of_no_node: implausible = 0,
    nodes_of_little_confidence: doubtful = 0,
  } = manifest.whole_scan ?? {};
  return [
    `${mask}: ${counted(nodes.length, "node")} (${foundInWords(manifest, plan.foreground)}) in ${seconds.toFixed(1)} s, by a model trained on ${plan.dataLabel}`,
    ...(series === null
      ? []
      : [`  of ${path}, series ${series.number ?? "without number"} "${series.description}"`]),
    ...(nodes.length > 0 ? [nodesText(nodes)] : []),
    ...(odd > 0
      ? [
          `${odd} of ${counted(nodes.length, "node")} ${odd === 1 ? "has" : "have"} HU that fit no lymph node; see the column "remark".`,
        ]
      : []),
    ...(outside > 0
      ? [
          `${counted(outside, "component")} ${outside === 1 ? "is left out: it lies" : "are left out: they lie"} outside the body.`,
        ]
      : []),
    ...(implausible > 0
      ? [
          `${counted(implausible, "component")} ${implausible === 1 ? "is left out: its HU fit" : "are left out: their HU fit"} no node (mean outside ${nodeHu.low} … ${nodeHu.high} HU, or more than a tenth bone or air); --keep-implausible keeps ${implausible === 1 ? "it" : "them"}.`,
        ]
      : []),
    ...(doubtful > 0
      ? [
          `${counted(doubtful, "node")} ${doubtful === 1 ? "is" : "are"} left out, of which the model is not sure enough; --least-confidence 0 keeps ${doubtful === 1 ? "it" : "them"}.`,
        ]
      : []),
  ].join("\n");
}
