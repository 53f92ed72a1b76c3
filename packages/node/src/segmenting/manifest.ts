// The manifest of a segmented scan: what was computed, with which models and settings, and which files belong to it.
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "@lnsnet/core/errors";
import type { NodeJson } from "@lnsnet/core/reports";
import type { LabelScheme } from "@lnsnet/core/transforms";
import type { Volume } from "@lnsnet/core/volume";
import { z } from "zod";
import { hashOfFile, isFile, readBytes, writeJson } from "../files/disk.js";
import { maskFormats, resultsOfName, writtenClassSchema } from "../files/mask-origin.js";
import type { StoredModel } from "../files/model-file.js";
import { isAbsent, requireFreeNames } from "../files/outputs.js";
import { packageVersion } from "../work/version.js";

/** DICOM objects that can be written of the nodes of a DICOM series; "sc" are secondary captures, a file for each picture. */
export const dicomObjects = ["seg", "rtstruct", "sr", "sc"] as const;
export type DicomObject = (typeof dicomObjects)[number];

/** Everything that a result depends on apart from the scan: version, models and settings. */
export interface ResultInputs {
  readonly version: string;
  readonly models: readonly ModelRecord[];
  /** Options as they were understood, by name. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const modelSchema = z.object({
  path: z.string(),
  sha256: z.string(),
  trained_on: z.string(),
  network: z.string(),
  steps: z.number(),
});

export type ModelRecord = Readonly<z.infer<typeof modelSchema>>;

const formSchema = z.object({
  format: z.enum(maskFormats),
  /** Whether the mask holds instance numbers instead of 1. */
  numbered: z.boolean(),
  pictures: z.boolean(),
  dicom: z.array(z.enum(dicomObjects)),
});

/** Which files are written. */
export type Form = Readonly<z.infer<typeof formSchema>>;

/** How a part of a result was computed. */
const computed = {
  recipe: z.string(),
  version: z.string(),
  models: z.array(modelSchema),
  settings: z.record(z.string(), z.unknown()),
  device: z.string(),
  node_version: z.string(),
  /** ISO 8601. */
  started: z.string(),
  seconds: z.number(),
};

const wholeScanSchema = z.object({
  ...computed,
  /** How the searched part was found. */
  region: z.array(z.string()),
  /** The number of connected components that were left out because they lay outside the body. */
  components_outside_body: z.number(),
  /** The number of those that were left out because their HU fit no lymph node; none in results of earlier versions. */
  components_with_hu_of_no_node: z.number().default(0),
  /** The number of nodes that were left out because the model was not sure enough of them; none in earlier results. */
  nodes_of_little_confidence: z.number().default(0),
});

const clickSchema = z.object({
  point_lps_mm: z.tuple([z.number(), z.number(), z.number()]),
  /** False for a point beside the node, by which a promptable model is corrected. */
  is_positive: z.boolean().default(true),
  /** The node's number; null where there was none. */
  node: z.number().nullable(),
  remark: z.string().nullable(),
  ...computed,
});

const manifestSchema = z.object({
  use: z.literal("research use only"),
  kind: z.literal("lnsnet-segmentation"),
  scan: z.object({
    identity: z.string(),
    sha256: z.string(),
    path: z.string().nullable(),
    series: z
      .object({ instance_uid: z.string(), number: z.number().nullable(), description: z.string() })
      .nullable(),
  }),
  /** False while files are written; what a killed command leaves so is computed again. */
  finished: z.boolean(),
  form: formSchema,
  /** The classes of the mask with their values; absent where there is one. */
  classes: z.array(writtenClassSchema).optional(),
  whole_scan: wholeScanSchema.nullable(),
  clicks: z.array(clickSchema),
  /** SHA-256 by name; null while it is not known. */
  files: z.record(z.string(), z.string().nullable()),
  /** How many nodes were kept, because they were clicked or on request, although their HU fit no lymph node. */
  nodes_with_hu_of_no_node: z.number(),
  nodes: z.array(z.custom<NodeJson>((row) => typeof row === "object" && row !== null && "id" in row)),
});

export type Manifest = Readonly<z.infer<typeof manifestSchema>>;
export type WholeScanRecord = NonNullable<Manifest["whole_scan"]>;
export type ClickRecord = Manifest["clicks"][number];

/** The manifest of an id in a folder; null where there is none, or the file of that name is not ours. */
export async function readManifest(folder: string, id: string): Promise<Manifest | null> {
  const path = join(folder, manifestName(id));
  if (!(await isFile(path))) return null;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(await readBytes(path)));
  } catch {
    return null;
  }
  const { success, data } = manifestSchema.safeParse(value);
  if (!success) return null;
  // The files that it lists are replaced and removed, so they must be files of this result in the same folder.
  const isOfResult = (name: string) => name.startsWith(`${id}.`) && basename(name) === name;
  return Object.keys(data.files).every(isOfResult) ? data : null;
}

/** Whether a file was written as part of a result, as the manifest beside it says. */
export const isResult = async (path: string): Promise<boolean> => (await resultOfMask(path)) !== null;

/** The result that a mask belongs to; null where it belongs to none. */
export async function resultOfMask(
  path: string,
): Promise<{ readonly id: string; readonly manifest: Manifest } | null> {
  for (const { folder, id } of resultsOfName(path)) {
    const manifest = await readManifest(folder, id);
    if (manifest !== null && basename(path) in manifest.files) return { id, manifest };
  }
  return null;
}

/** @throws InputError where it cannot be written */
export function writeManifest(folder: string, id: string, manifest: Manifest): Promise<void> {
  return writeJson(join(folder, manifestName(id)), manifest);
}

/** It is the result's table of nodes too. */
export const manifestName = (id: string): string => `${id}.json`;

export const maskName = ({ format }: Form, id: string): string => `${id}.${format}`;

/** Every node by its number, where the mask does not tell touching nodes apart. */
export const numbersName = ({ format }: Form, id: string): string => `${id}.nodes.${format}`;

/** The n-th secondary capture: 0 shows all nodes, the others one each. */
export const captureName = (id: string, n: number): string => `${id}.sc-${n}.dcm`;

const isCaptureName = (id: string, name: string): boolean =>
  name.startsWith(`${id}.sc-`) && /^\d+\.dcm$/.test(name.slice(id.length + 4));

/** All names that a result may have; of captures the first, since only the result tells how many there are. */
function namesOf(form: Form, id: string): string[] {
  return [
    manifestName(id),
    maskName(form, id),
    numbersName(form, id),
    `${id}.csv`,
    ...(form.pictures ? [`${id}.png`] : []),
    ...form.dicom.map((object) => (object === "sc" ? captureName(id, 0) : `${id}.${object}.dcm`)),
  ];
}

/**
 * Checks, before any work, that the names of the results are free, or files of an earlier result of the same name.
 *
 * @throws InputError that tells the names which are taken
 */
export async function requireFreeResults(folder: string, ids: readonly string[], form: Form): Promise<void> {
  const ours = new Set<string>();
  for (const id of ids) {
    const manifest = await readManifest(folder, id);
    if (manifest === null) continue;
    for (const name of [manifestName(id), ...Object.keys(manifest.files)]) ours.add(name);
  }
  const standing = form.dicom.includes("sc") ? await readdir(folder) : [];
  const names = ids.flatMap((id) => [
    ...namesOf(form, id),
    ...standing.filter((name) => isCaptureName(id, name)),
  ]);
  await requireFreeNames(folder, names, (name) => ours.has(name));
}

/**
 * Checks, before a result is replaced, that it is one of the same scan, and that nobody has changed its files.
 *
 * @param adds whether nodes are added to it, which then must be of the same voxels and classes
 * @throws InputError where it is not, naming the file
 */
export async function requireReplaceable(
  folder: string,
  id: string,
  manifest: Manifest,
  scan: { readonly identity: string; readonly sha256: string },
  scheme: LabelScheme,
  adds: boolean,
): Promise<void> {
  const path = join(folder, manifestName(id));
  if (manifest.scan.identity !== scan.identity && manifest.scan.sha256 !== scan.sha256)
    throw new InputError(
      `${path} is the result of another scan${manifest.scan.path === null ? "" : ` (${manifest.scan.path})`} that has the same name; choose another output folder.`,
    );
  const { classes } = writtenClasses(scheme);
  if ((adds || manifest.clicks.length > 0) && !isDeepStrictEqual(classes, manifest.classes)) {
    const names = manifest.classes?.map(({ name }) => name) ?? ["one class"];
    throw new InputError(
      `${path} holds nodes of ${names.join(", ")}, which would be kept, and the model finds ${scheme.classes.map(({ name }) => name).join(", ")}; choose another output folder.`,
    );
  }
  if ((adds || manifest.clicks.length > 0) && manifest.scan.sha256 !== scan.sha256)
    throw new InputError(
      `The scan has changed since ${path} was written, and its nodes would be kept; choose another output folder, or move the files of ${id} away.`,
    );
  for (const [name, sha256] of Object.entries(manifest.files)) {
    const file = join(folder, name);
    if (sha256 === null || (await isAbsent(file)) || (await hashOfFile(file)) === sha256) continue;
    throw new InputError(
      `${file} was changed after lnsnet wrote it, and would be replaced; move it away or choose another output folder.`,
    );
  }
}

/** Whether all files of a finished result are there. */
export async function isWhole(folder: string, { finished, files }: Manifest): Promise<boolean> {
  if (!finished) return false;
  for (const name of Object.keys(files)) if (!(await isFile(join(folder, name)))) return false;
  return true;
}

/** SHA-256 of a scan's channels as they were read: voxels and their place, whatever files they came from. */
export function hashOfScan(channels: readonly Volume[]): string {
  const hash = createHash("sha256");
  for (const { data, size, spacingMm, originMm, direction } of channels) {
    hash.update(JSON.stringify({ size, spacingMm, originMm, direction, type: data.constructor.name }));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

/** The classes of a manifest: those of the models' plan, where there are several. */
export function writtenClasses({ classes }: LabelScheme): Pick<Manifest, "classes"> {
  if (classes.length === 1) return {};
  return { classes: classes.map(({ name, writtenAs }) => ({ name, value: writtenAs })) };
}

/** Models are compared by content, not by path. */
export function hashOfInputs({ version, models, settings }: ResultInputs): string {
  const weights = models.map(({ sha256 }) => sha256);
  return createHash("sha256").update(JSON.stringify({ version, weights, settings })).digest("hex");
}

/** The inputs of a result by this version. */
export const resultInputs = (
  models: readonly ModelRecord[],
  settings: ResultInputs["settings"],
): ResultInputs => ({
  version: packageVersion(),
  models,
  settings,
});

/** The entry of a model in a manifest. */
export async function modelRecord({ path, plan, steps }: StoredModel): Promise<ModelRecord> {
  return {
    path,
    sha256: await hashOfFile(path),
    trained_on: plan.dataLabel,
    network: plan.network.name,
    steps,
  };
}
