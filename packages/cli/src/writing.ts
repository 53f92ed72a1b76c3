// Writing an image, labels or a DICOM segmentation, in the format that is asked for.
import { createHash, randomUUID } from "node:crypto";
import {
  anonymousSource,
  type IntegerVoxelArray,
  type LabelName,
  labelValues,
  type SourceSeries,
  traceContours,
  type Volume,
  type WritingContext,
  writeRtstruct,
  writeSeg,
} from "@lnsnet/core";
import { packageVersion } from "./version.js";

export const segmentationFormats = ["seg", "rtstruct"] as const;
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
  const context = writingContext();
  const whose =
    anonymizeSalt === null ? source : anonymousSource(source, (uid) => hashedUid(anonymizeSalt, uid));
  const when = anonymizeSalt === null ? context : { ...context, now: new Date(2000, 0, 1) };
  if (format === "seg") return writeSeg(labels, names, whose, when);
  const values = labelValues(labels.data).filter((value) => value !== 0);
  const rois = values.map((value) => ({
    name: names.find(({ label }) => label === value)?.name ?? `Lymph node ${value}`,
    contours: traceContours(labels.data, labels, value),
  }));
  return writeRtstruct(rois, whose, when);
}

function writingContext(): WritingContext {
  return {
    newUid: () => uidOf(randomUUID().replaceAll("-", "")),
    now: new Date(),
    algorithm: { name: "lnsnet", version: packageVersion() },
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
