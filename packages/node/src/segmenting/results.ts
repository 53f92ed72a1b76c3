// Writes the result files of a segmented scan, and reads them back.
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type ModelIdentity, readVolume, writeVolume } from "@lnsnet/core/formats";
import { classLabels, type Segmentation, type StandingNodes } from "@lnsnet/core/inference";
import { nodeJson, nodesCsv, pngOf, type Raster, segmentationPreview } from "@lnsnet/core/reports";
import type { LabelScheme } from "@lnsnet/core/transforms";
import type { IntegerVoxelArray, Volume } from "@lnsnet/core/volume";
import { labelValues, numberedComponents } from "@lnsnet/core/voxels";
import { readBytes, writeAtomically } from "../files/disk.js";
import { nodeCaptures, nodeObjects } from "../files/writing.js";
import {
  type ClickRecord,
  captureName,
  type Form,
  type Manifest,
  maskName,
  numbersName,
  type WholeScanRecord,
  writeManifest,
  writtenClasses,
} from "./manifest.js";
import type { ReadChannels } from "./read-worker.js";
import type { NamedScan } from "./scans.js";

/** The result of a scan that is to be written. */
export interface Result {
  readonly scan: NamedScan;
  readonly scanHash: string;
  readonly image: ReadChannels;
  readonly found: Pick<Segmentation, "instances" | "nodes">;
  readonly form: Form;
  readonly wholeScan: WholeScanRecord | null;
  readonly clicks: readonly ClickRecord[];
  /** What the models were trained to find, in words. */
  readonly className: string;
  readonly scheme: LabelScheme;
  /** Which channel pictures show; null where none is a CT, so that there is no picture. */
  readonly ct: number | null;
}

/**
 * Writes the mask, the table, and whatever else is wanted. The manifest comes first, to say which files are ours, and
 * last, to say that all are there. Files of an earlier result that this one has not are removed.
 *
 * @param before the manifest of the result that is replaced
 * @param salt by which the result tells nothing of the patient; null keeps patient and path
 * @throws InputError where a file cannot be written
 */
export async function writeResult(
  folder: string,
  result: Result,
  before: Manifest | null,
  salt: string | null,
): Promise<Manifest> {
  const { scan, found, form } = result;
  const rows = found.nodes.map((node) => nodeJson(node, node));
  const contents = contentsOf(result, salt);
  const unfinished: Manifest = {
    use: "research use only",
    kind: "lnsnet-segmentation",
    scan: {
      identity: scan.identity,
      sha256: result.scanHash,
      path: salt === null ? scan.origin.path : null,
      series: salt === null ? scan.origin.series : null,
    },
    finished: false,
    form,
    ...writtenClasses(result.scheme),
    whole_scan: result.wholeScan,
    clicks: [...result.clicks],
    files: { ...before?.files, ...Object.fromEntries([...contents.keys()].map((name) => [name, null])) },
    nodes_with_hu_of_no_node: found.nodes.filter(({ isImplausible }) => isImplausible).length,
    nodes: rows,
  };
  await writeManifest(folder, scan.id, unfinished);
  const files: Record<string, string> = {};
  for (const [name, make] of contents) {
    const bytes = make();
    await writeAtomically(join(folder, name), bytes);
    files[name] = createHash("sha256").update(bytes).digest("hex");
  }
  for (const name of Object.keys(before?.files ?? {}))
    if (!contents.has(name)) await rm(join(folder, name), { force: true });
  const manifest = { ...unfinished, finished: true, files };
  await writeManifest(folder, scan.id, manifest);
  return manifest;
}

/** What each file holds, made when it is asked for. */
function contentsOf(result: Result, salt: string | null): Map<string, () => Uint8Array | string> {
  const { scan, image, found, form, clicks, className, scheme, ct } = result;
  const areSeveral = scheme.classes.length > 1;
  const { instances, nodes } = found;
  const { id } = scan;
  const models = modelsOf(result);
  const contents = new Map<string, () => Uint8Array | string>();
  const addVolume = (name: string, volume: () => Volume) =>
    contents.set(name, () => writeVolume(volume(), name, { description: "lnsnet, research use only" }));
  addVolume(maskName(form, id), () => (form.numbered ? instances : classLabels(found, scheme)));
  if (!form.numbered && (clicks.length > 0 || doTouch(found, scheme)))
    addVolume(numbersName(form, id), () => instances);
  contents.set(`${id}.csv`, () =>
    nodesCsv(
      nodes.map((node) => nodeJson(node, node)),
      areSeveral,
    ),
  );
  const trainedOn = [...new Set(models.map(({ trainedOn }) => trainedOn))].join(" and ");
  const texts = { title: id, caption: `model trained on ${trainedOn}`, className };
  let drawn: Raster | null = null;
  const overview = (scan: Volume) => {
    drawn ??= segmentationPreview(scan, instances, nodes, texts);
    return drawn;
  };
  if (form.pictures && ct !== null) contents.set(`${id}.png`, () => pngOf(overview(image.channels[ct])));
  const { source } = image;
  if (source === null) return contents;
  const classNames = areSeveral ? scheme.classes.map(({ name }) => name) : undefined;
  const writing = { anonymizeSalt: salt, models, classNames };
  const described = form.dicom.filter((object) => object !== "sc");
  if (nodes.length > 0 && described.length > 0) {
    const objects = nodeObjects(instances, nodes, source, writing);
    for (const object of described) contents.set(`${id}.${object}.dcm`, () => objects[object]);
  }
  // Of a scan without nodes too, so that a station shows that it was searched.
  if (form.dicom.includes("sc") && ct !== null) {
    const scan = image.channels[ct];
    const pictures = { ...texts, overview: overview(scan) };
    const captures = nodeCaptures(scan, instances, nodes, source, writing, pictures);
    for (const [n, bytes] of captures.entries()) contents.set(captureName(id, n), () => bytes);
  }
  return contents;
}

/** Whether nodes touch, so that the mask does not tell them apart. */
function doTouch(found: Result["found"], scheme: LabelScheme): boolean {
  const numbers = labelValues(numberedComponents(classLabels(found, scheme)).data);
  return numbers.filter((number) => number > 0).length !== found.nodes.length;
}

/** All models that drew nodes of a result, each once. */
function modelsOf({ wholeScan, clicks }: Result): ModelIdentity[] {
  const records = [...(wholeScan?.models ?? []), ...clicks.flatMap(({ models }) => models)];
  const byHash = new Map(records.map((record) => [record.sha256, record]));
  return [...byHash.values()].map(({ path, trained_on, sha256 }) => ({
    name: basename(path),
    trainedOn: trained_on,
    sha256,
  }));
}

/** The nodes of a finished result, as its files hold them. @throws InputError where a file cannot be read */
export async function nodesOf(folder: string, id: string, manifest: Manifest): Promise<StandingNodes> {
  const { form, files } = manifest;
  const numbers = numbersName(form, id);
  const areNumbered = form.numbered || numbers in files;
  const path = join(folder, !form.numbered && numbers in files ? numbers : maskName(form, id));
  const stored = readVolume(await readBytes(path), path) as Volume<IntegerVoxelArray>;
  return {
    // Nodes that do not touch are the connected components of the mask, numbered as they were when they were found.
    instances: areNumbered ? stored : numberedComponents(stored),
    nodes: manifest.nodes.map(
      ({ id: number, class: className, mean_probability, confidence, ensemble_disagreement }) => ({
        id: number,
        ...(className === undefined ? {} : { className }),
        meanProbability: mean_probability ?? 0,
        // Tables of earlier versions have none.
        confidence: confidence ?? null,
        ensembleDisagreement: ensemble_disagreement,
      }),
    ),
  };
}

/** The nodes that were clicked, without those of the whole scan. */
export function clickedNodes(standing: StandingNodes, clicks: readonly ClickRecord[]): StandingNodes {
  const numbers = new Set(clicks.flatMap(({ node }) => (node === null ? [] : [node])));
  const { instances } = standing;
  const data = instances.data.map((number) => (numbers.has(number) ? number : 0));
  return {
    instances: { ...instances, data },
    nodes: standing.nodes.filter(({ id }) => numbers.has(id)),
  };
}
