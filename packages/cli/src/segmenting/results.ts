// The files that one segmented scan leaves, and the manifest that says whether they are all there.
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import {
  type NodeJson,
  nodeJson,
  nodeMask,
  nodesCsv,
  type Segmentation,
  segmentationPreviewPng,
  type Volume,
  writeVolume,
} from "@lnsnet/core";
import { z } from "zod";
import { isFile, readBytes, writeAtomically, writeJson } from "../files.js";
import type { ReadImage } from "../imaging.js";
import { packageVersion } from "../version.js";
import { nodeObjects } from "../writing.js";

/** DICOM objects that can be written of the nodes of a DICOM series. */
export const dicomObjects = ["seg", "rtstruct", "sr"] as const;
export type DicomObject = (typeof dicomObjects)[number];

/** Endings of mask files. */
export const maskFormats = ["nii.gz", "nrrd"] as const;

/** What a result depends on beside the scan, the same for all scans of a call. */
export interface Recipe {
  readonly version: string;
  readonly models: readonly ModelRecord[];
  /** Options as they were understood, by name. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ModelRecord {
  readonly path: string;
  readonly sha256: string;
  readonly trained_on: string;
  readonly network: string;
  readonly steps: number;
}

/** Which files are written. */
export interface Wanted {
  readonly folder: string;
  readonly format: (typeof maskFormats)[number];
  /** Each node by its number in the mask, in the place of 1. */
  readonly numbered: boolean;
  readonly pictures: boolean;
  readonly dicom: readonly DicomObject[];
}

const manifestSchema = z.object({
  scan: z.object({ path: z.string(), sha256: z.string() }),
  recipe: z.string(),
  files: z.array(z.string()),
  seconds: z.number(),
  nodes: z.array(z.unknown()),
});

/** What stands in an earlier manifest of the same scan and recipe; null where the scan is to be done (again). */
export async function finishedResult(
  id: string,
  scanHash: string,
  recipe: Recipe,
  { folder }: Wanted,
): Promise<{ readonly seconds: number; readonly nodes: readonly NodeJson[] } | null> {
  const path = manifestPath(folder, id);
  if (!(await isFile(path))) return null;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(await readBytes(path)));
  } catch {
    return null;
  }
  const { success, data } = manifestSchema.safeParse(value);
  if (!success || data.scan.sha256 !== scanHash || data.recipe !== hashOfRecipe(recipe)) return null;
  for (const file of data.files) if (!(await isFile(join(folder, file)))) return null;
  return { seconds: data.seconds, nodes: data.nodes as readonly NodeJson[] };
}

/** SHA-256 of a scan as it was read: its voxels and their place, whatever file they came from. */
export function hashOfScan({ data, size, spacingMm, originMm, direction }: Volume): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify({ size, spacingMm, originMm, direction, type: data.constructor.name }));
  hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest("hex");
}

/** The manifest's path; it is the result's table of nodes too. */
const manifestPath = (folder: string, id: string): string => join(folder, `${id}.json`);

export const maskPath = (wanted: Wanted, id: string): string => join(wanted.folder, maskName(wanted, id));

const maskName = ({ format }: Wanted, id: string): string => `${id}.${format}`;

/** What is known of a run when its files are written. */
export interface Run {
  readonly id: string;
  readonly scanPath: string;
  readonly scanHash: string;
  readonly image: ReadImage;
  readonly found: Segmentation;
  readonly recipe: Recipe;
  readonly device: string;
  /** ISO 8601. */
  readonly started: string;
  readonly seconds: number;
}

/**
 * Writes the mask, the table, and whatever else is wanted; the manifest last, so that it says that all are there.
 *
 * @returns the nodes as they are written
 * @throws InputError where a file cannot be written
 */
export async function writeResult(run: Run, wanted: Wanted): Promise<readonly NodeJson[]> {
  const { id, image, found, recipe } = run;
  const { instances, nodes } = found;
  const rows = nodes.map((node) => nodeJson(node, node));
  const files: string[] = [];
  const write = async (name: string, bytes: Uint8Array | string) => {
    await writeAtomically(join(wanted.folder, name), bytes);
    files.push(name);
  };
  const mask = wanted.numbered ? instances : nodeMask(instances);
  const name = maskName(wanted, id);
  await write(name, writeVolume(mask, name, { description: "lnsnet, research use only" }));
  await write(`${id}.csv`, nodesCsv(rows));
  if (wanted.pictures) {
    const trainedOn = [...new Set(recipe.models.map(({ trained_on }) => trained_on))].join(" and ");
    const caption = `${id} - model trained on ${trainedOn}`;
    await write(`${id}.png`, segmentationPreviewPng(image.volume, instances, nodes, { caption }));
  }
  if (image.source !== null && nodes.length > 0 && wanted.dicom.length > 0) {
    const models = recipe.models.map(({ path, trained_on, sha256 }) => ({
      name: basename(path),
      trainedOn: trained_on,
      sha256,
    }));
    const objects = nodeObjects(instances, nodes, image.source, { models });
    for (const object of wanted.dicom) await write(`${id}.${object}.dcm`, objects[object]);
  }
  await writeJson(manifestPath(wanted.folder, id), {
    use: "research use only",
    scan: { path: run.scanPath, sha256: run.scanHash },
    ...recipe,
    recipe: hashOfRecipe(recipe),
    node_version: process.versions.node,
    device: run.device,
    started: run.started,
    seconds: run.seconds,
    region: found.reasons,
    clicks: found.clicks,
    files,
    nodes: rows,
  });
  return rows;
}

/** Models count by what they hold, not by where they lie. */
function hashOfRecipe({ version, models, settings }: Recipe): string {
  const weights = models.map(({ sha256 }) => sha256);
  return createHash("sha256").update(JSON.stringify({ version, weights, settings })).digest("hex");
}

/** The recipe of this version. */
export const recipeOf = (models: readonly ModelRecord[], settings: Recipe["settings"]): Recipe => ({
  version: packageVersion(),
  models,
  settings,
});
