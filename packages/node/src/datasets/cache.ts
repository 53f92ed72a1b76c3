// Prepared cases kept in files, so that a further training does not read and resample the scans again.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { readSafetensors, type StoredTensor, writeSafetensors } from "@lnsnet/core/formats";
import type { PreparedCase } from "@lnsnet/core/sampling";
import type { Channel, IntensityWindow } from "@lnsnet/core/transforms";
import type { Vector3 } from "@lnsnet/core/volume";
import { z } from "zod";
import { isFile, readBytes, readJson, writeAtomically } from "../files/disk.js";
import { type FileState, fileState, fileStateSchema } from "./data-state.js";
import { type Case, imagePathsOf } from "./dataset.js";
import type { DatasetLabels } from "./foreground.js";
import { type LeftOutStructures, structureFiles } from "./structures.js";

/** What a prepared case depends on beside its files. */
export interface CacheSettings {
  /** Working spacing (x, y, z). */
  readonly spacingMm: Vector3;
  readonly window: IntensityWindow;
  /** Absent for CT alone. */
  readonly channels?: readonly Channel[] | undefined;
  /** Where single structures are numbered, for a promptable network: those that are not. Absent where labels become targets. */
  readonly leftOut?: LeftOutStructures | undefined;
}

/** Raised whenever the preparation gives other values for the same input. */
const VERSION = 1;
/** Kind of file of a prepared case. */
const KIND = "lnsnet-prepared-case";

const settingsSchema = z.object({
  kind: z.literal("lnsnet-cache", "must be a cache that lnsnet preprocess wrote"),
  version: z.literal(VERSION, `must be ${VERSION}; write the cache again with this version of lnsnet`),
  spacingMm: z.tuple([z.number(), z.number(), z.number()]),
  window: z.object({ lowHu: z.number(), highHu: z.number() }),
  leftOut: z.object({ classes: z.array(z.string()), organs: z.array(z.int()) }).optional(),
});

const sourcesSchema = z.array(fileStateSchema);

const gridSchema = z.object({
  size: z.tuple([z.int(), z.int(), z.int()]),
  spacingMm: z.tuple([z.number(), z.number(), z.number()]),
});

/** Writes what the cache was made with; a person can read it. */
export async function writeCacheSettings(folder: string, settings: CacheSettings): Promise<void> {
  const { spacingMm, window, leftOut } = settings;
  const content = { kind: "lnsnet-cache", version: VERSION, spacingMm, window, leftOut };
  await writeAtomically(settingsPath(folder), `${JSON.stringify(content, null, 2)}\n`);
}

/** @throws InputError where the folder is no cache, or one of another version */
export async function readCacheSettings(folder: string): Promise<CacheSettings> {
  const { spacingMm, window, leftOut } = await readJson(settingsPath(folder), settingsSchema);
  return { spacingMm, window, ...(leftOut === undefined ? {} : { leftOut }) };
}

/** Whether the folder holds the settings of a cache. */
export function isCache(folder: string): Promise<boolean> {
  return isFile(settingsPath(folder));
}

/** A hash of what a prepared case depends on beside its files. */
export function cacheKey(
  { spacingMm, window, channels, leftOut }: CacheSettings,
  { scheme: { kind, classes, ignored } }: DatasetLabels,
): string {
  const values = classes.flatMap((each) => each.values);
  const content: unknown[] = [VERSION, spacingMm, window.lowHu, window.highHu, values];
  if (classes.length > 1 || ignored !== null)
    content.push({ kind, ignored, classes: classes.map((each) => each.values) });
  if (channels !== undefined) content.push(channels);
  if (leftOut !== undefined) content.push({ leftOut });
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/**
 * The files that a case is prepared from, as they are.
 *
 * @param settings whether structures beside image and label count too
 * @param before as they were; what has the name, size and time of then is not read again
 * @throws InputError where a file is missing
 */
export async function sourcesOf(
  of: Case,
  { leftOut }: Pick<CacheSettings, "leftOut"> = {},
  before: readonly FileState[] = [],
): Promise<FileState[]> {
  const files = [...imagePathsOf(of), ...(of.labelPath === null ? [] : [of.labelPath])];
  if (leftOut !== undefined) files.push(...(await structureFiles(of)));
  else if (of.lookAlikesPath !== undefined) files.push(of.lookAlikesPath);
  return Promise.all(files.map((path, n) => fileState([path], before[n] ?? null)));
}

/** A case of the cache; its arrays only where it is fresh. */
export type CachedCase =
  | { readonly state: "absent" | "stale" }
  | { readonly state: "fresh"; readonly prepared: PreparedCase };

/**
 * A case of the cache. It is fresh where it was made with the same settings from files of the same content.
 *
 * @throws InputError where the case's file is damaged, or a file that it is made from is missing
 */
export async function readCached(
  folder: string,
  of: Case,
  key: string,
  settings: Pick<CacheSettings, "leftOut"> = {},
): Promise<CachedCase> {
  const { id } = of;
  const path = casePath(folder, id);
  if (!(await isFile(path))) return { state: "absent" };
  const { tensors, metadata } = readSafetensors(await readBytes(path), path);
  if (metadata.kind !== KIND)
    throw new InputError(
      `${path} is no prepared scan of ours, and would be overwritten by one; move it away, or choose another folder.`,
    );
  const before = sourcesSchema.safeParse(JSON.parse(metadata.sources ?? "null"));
  if (metadata.key !== key || !before.success) return { state: "stale" };
  const now = await sourcesOf(of, settings, before.data);
  const isSame = now.every(({ sha256 }, n) => sha256 === before.data[n]?.sha256);
  if (!isSame || now.length !== before.data.length) return { state: "stale" };
  const grid = gridSchema.safeParse(JSON.parse(metadata.grid ?? "null"));
  const [hu, label, foreground, componentOffsets] = caseArrays.map((name) => tensors.get(name)?.data);
  if (
    !grid.success ||
    !(hu instanceof Int16Array) ||
    !(label instanceof Uint8Array) ||
    !(foreground instanceof Int32Array) ||
    !(componentOffsets instanceof Int32Array)
  ) {
    throw new InputError(`${path} is damaged: an array of the case is missing; remove the file.`);
  }
  const further = [...tensors.keys()]
    .filter((name) => name.startsWith(furtherName("")))
    .sort()
    .flatMap((name) => {
      const data = tensors.get(name)?.data;
      return data instanceof Int16Array ? [data] : [];
    });
  const image = { hu, ...(further.length > 0 ? { further } : {}) };
  return { state: "fresh", prepared: { id, ...grid.data, ...image, label, foreground, componentOffsets } };
}

/** Writes a case as a safetensors file: its arrays, and in the metadata the grid, the key and its files as they were. */
export async function writeCached(
  folder: string,
  prepared: PreparedCase,
  key: string,
  sources: readonly FileState[],
): Promise<void> {
  const { id, size, spacingMm, hu, further = [], label, foreground, componentOffsets } = prepared;
  const shape = [size[2], size[1], size[0]];
  const tensors: Record<(typeof caseArrays)[number], StoredTensor> = {
    hu: { dtype: "I16", shape, data: hu },
    label: { dtype: "U8", shape, data: label },
    foreground: { dtype: "I32", shape: [foreground.length], data: foreground },
    body_offsets: { dtype: "I32", shape: [componentOffsets.length], data: componentOffsets },
  };
  const grid = JSON.stringify({ size, spacingMm });
  const metadata = { kind: KIND, key, grid, sources: JSON.stringify(sources) };
  const channels = further.map((data, at): [string, StoredTensor] => [
    furtherName(String(at + 1).padStart(4, "0")),
    { dtype: "I16", shape, data },
  ]);
  const content = new Map([...Object.entries(tensors), ...channels]);
  await writeAtomically(casePath(folder, id), writeSafetensors(content, metadata));
}

const caseArrays = ["hu", "label", "foreground", "body_offsets"] as const;

/** In four digits, so that names are in the order of the channels. */
const furtherName = (number: string): string => `channel_${number}`;

/** The names of a cache's files, for cases by their ids. */
export const cacheNames = (ids: readonly string[]): string[] => [
  settingsPath(""),
  ...ids.map((id) => casePath("", id)),
];

const settingsPath = (folder: string) => join(folder, "cache.json");
const casePath = (folder: string, id: string) => join(folder, `${id}.safetensors`);
