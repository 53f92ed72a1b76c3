// Writing an image, labels or a DICOM segmentation, in the format that is asked for.
import { createHash, randomUUID } from "node:crypto";
import {
  anonymousSource,
  type LabelName,
  type ModelIdentity,
  type SourceSeries,
  type WritingContext,
  writeRtstruct,
  writeSeg,
} from "@lnsnet/core/formats";
import {
  type CaptureOptions,
  nodeCaptures as capturesOf,
  type NodeObjects,
  nodeName,
  nodeObjects as objectsOf,
  type WrittenNode,
} from "@lnsnet/core/results";
import type { IntegerVoxelArray, Volume } from "@lnsnet/core/volume";
import { labelValues, traceContours } from "@lnsnet/core/voxels";
import { packageVersion } from "../work/version.js";

const segmentationFormats = ["seg", "rtstruct"] as const;
export type SegmentationFormat = (typeof segmentationFormats)[number];

export interface SegmentationOptions {
  readonly format: SegmentationFormat;
  /** Replaces what identifies the patient. Equal salts give equal UIDs; null keeps everything. */
  readonly anonymizeSalt: string | null;
}

/**
 * The bytes of a DICOM segmentation of instance labels on the grid of their series: one segment or ROI a label.
 *
 * @throws InputError where there is no voxel, the grid is another, or the series has no frame of reference
 */
export function segmentationBytes(
  labels: Volume<IntegerVoxelArray>,
  names: readonly LabelName[],
  source: SourceSeries,
  { format, anonymizeSalt }: SegmentationOptions,
): Uint8Array {
  const { whose, context } = writingFor(source, anonymizeSalt);
  if (format === "seg") return writeSeg(labels, names, whose, context);
  const values = labelValues(labels.data).filter((value) => value !== 0);
  const rois = values.map((value) => ({
    ...(names.find(({ label }) => label === value) ?? { name: nodeName({ id: value }) }),
    contours: traceContours(labels.data, labels, value),
  }));
  return writeRtstruct(rois, whose, context);
}

export interface NodeObjectOptions {
  /** Replaces what identifies the patient, as in {@link SegmentationOptions}. */
  readonly anonymizeSalt?: string | null;
  /** What drew the nodes; several are an ensemble. */
  readonly models?: readonly ModelIdentity[];
  /** The classes that the nodes are of, where there are several. */
  readonly classNames?: readonly string[] | undefined;
}

/**
 * The bytes of a SEG, an RTSTRUCT and a structured report of the nodes of a scan, in one study.
 *
 * @param instances - on the grid of the series, each node's voxels hold its id
 * @param nodes - at least one; as measured by the labels of `instances`, ids ascending
 * @throws InputError where the grid is another, or the series has no frame of reference
 */
export function nodeObjects(
  instances: Volume<IntegerVoxelArray>,
  nodes: readonly WrittenNode[],
  source: SourceSeries,
  { anonymizeSalt = null, models = [], classNames }: NodeObjectOptions = {},
): NodeObjects {
  const { whose, context } = writingFor(source, anonymizeSalt, models, classNames);
  return objectsOf(instances, nodes, whose, context);
}

/**
 * The bytes of secondary captures of the nodes of a scan: an overview, then each node, the largest first.
 *
 * @param scan - the CT
 * @param instances - on the grid of the series, each node's voxels hold its id
 * @param nodes - as measured by the labels of `instances`; without any, the overview alone is written
 * @param texts - what is written on the pictures; names no patient
 */
export function nodeCaptures(
  scan: Volume,
  instances: Volume<IntegerVoxelArray>,
  nodes: readonly WrittenNode[],
  source: SourceSeries,
  { anonymizeSalt = null, models = [], classNames }: NodeObjectOptions,
  texts: CaptureOptions,
): Uint8Array[] {
  const { whose, context } = writingFor(source, anonymizeSalt, models, classNames);
  return capturesOf(scan, instances, nodes, whose, context, texts);
}

/** Whose objects are written, and what a writer needs; anonymous with a salt. */
function writingFor(
  source: SourceSeries,
  anonymizeSalt: string | null,
  models: readonly ModelIdentity[] = [],
  classNames?: readonly string[],
) {
  const context = writingContext(models, classNames);
  if (anonymizeSalt === null) return { whose: source, context };
  return {
    whose: anonymousSource(source, (uid) => hashedUid(anonymizeSalt, uid)),
    context: { ...context, now: new Date(2000, 0, 1) },
  };
}

function writingContext(
  models: readonly ModelIdentity[],
  classNames: readonly string[] | undefined,
): WritingContext {
  return {
    newUid: () => uidOf(randomUUID().replaceAll("-", "")),
    now: new Date(),
    algorithm: { name: "lnsnet", version: packageVersion() },
    models,
    classNames,
  };
}

/** A UID that depends on the given one and the salt alone, and from which the given one cannot be found. */
function hashedUid(salt: string, uid: string): string {
  return uidOf(createHash("sha256").update(`${salt} ${uid}`).digest("hex").slice(0, 32));
}

/** 128 bits as a UID under 2.25 (PS3.5, B.2). */
function uidOf(hexadecimal: string): string {
  return `2.25.${BigInt(`0x${hexadecimal}`)}`;
}
