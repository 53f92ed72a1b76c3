// Reads the slices of a DICOM image file without their pixels: position, orientation, spacing and rescaling to HU.

import { InputError } from "../../errors.js";
import { counted } from "../../text.js";
import type { Vector3 } from "../../volume/volume.js";
import { contentLimitBytes } from "../gzip.js";
import {
  type DicomDataset,
  has,
  itemsOf,
  numberOf,
  numbersOf,
  textOf,
  textsOf,
  usableNumberOf,
} from "./dataset.js";
import type { Attribute } from "./dictionary.js";
import { frameCountOf } from "./pixel-data.js";

/** A file that is read on demand, so that a series need not be in memory. */
export interface NamedFile {
  /** For messages. */
  readonly name: string;
  read(): Promise<Uint8Array>;
}

/** A slice of a series: a file, or a frame of a multi-frame file. */
export interface Slice {
  readonly file: NamedFile;
  /** Counted from 1 in a multi-frame file; null where the file is a single slice. */
  readonly frame: number | null;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly frameOfReferenceUid: string;
  readonly instanceNumber: number | null;
  readonly imageType: readonly string[];
  readonly columns: number;
  readonly rows: number;
  /** Between columns, then between rows: along i, then along j. Null where the file does not state it. */
  readonly spacingMm: readonly [number, number] | null;
  /** Directions of growing column and row number (i and j) in LPS, as stated. Null where the file does not state them. */
  readonly axes: readonly [Vector3, Vector3] | null;
  /** Centre of the first pixel, LPS mm. Null where the file does not state it. */
  readonly positionMm: Vector3 | null;
  readonly thicknessMm: number | null;
  /** HU = slope · stored + intercept. Null where the file states neither. */
  readonly rescale: Rescale | null;
}

export interface Rescale {
  readonly slope: number;
  readonly intercept: number;
  /** Which of the two the file does not state and is assumed (slope 1, intercept 0); null where it states both. */
  readonly assumed: "slope" | "intercept" | null;
  /** The unit of the rescaled values; HU where the file does not state it. */
  readonly unit: string;
}

/**
 * The slices of an image file. In a multi-frame file, an attribute is taken from the frame's own functional groups if it
 * is there, else from the shared groups, else from the file itself (PS3.3, C.7.6.16).
 *
 * @throws InputError where a needed attribute is not of its type, frames have no functional groups of their own, there
 * are no pixels, or the file promises far more pixels than it has bytes
 */
export function slicesOf(dataset: DicomDataset, file: NamedFile): Slice[] {
  const frameCount = frameCountOf(dataset);
  const [columns, rows] = [numberOf(dataset, "Columns") ?? 0, numberOf(dataset, "Rows") ?? 0];
  if (!(columns > 0 && rows > 0)) {
    throw new InputError(
      `${file.name} is an image of ${columns} columns and ${rows} rows, and numbers above 0 were expected; export it again.`,
    );
  }
  if (!has(dataset, "PixelData")) {
    throw new InputError(`${file.name} has no pixel data, and an image was expected; export it again.`);
  }
  const fileBytes = dataset.content.byteArray.length;
  if (2 * columns * rows * frameCount > contentLimitBytes(fileBytes)) {
    throw new InputError(
      `${file.name} promises ${frameCount} × ${columns} × ${rows} pixels and has ${fileBytes} bytes; copy or export it again.`,
    );
  }
  if (has(dataset, "ModalityLUTSequence")) {
    throw new InputError(
      `${file.name} maps its values to HU with a table (Modality LUT Sequence), and Rescale Slope and Intercept were expected; convert it first.`,
    );
  }
  const isMultiFrame = frameCount > 1 || has(dataset, "PerFrameFunctionalGroupsSequence");
  if (!isMultiFrame) return [sliceOf([dataset], dataset, file, null)];
  const shared = itemsOf(dataset, "SharedFunctionalGroupsSequence");
  const perFrame = itemsOf(dataset, "PerFrameFunctionalGroupsSequence");
  if (perFrame.length !== frameCount) {
    throw new InputError(
      `${file.name} has ${counted(frameCount, "frame")} and states the positions of ${perFrame.length} (Per-frame Functional Groups), and a position for each was expected; export it again.`,
    );
  }
  return perFrame.map((own, n) => sliceOf([own, ...shared, dataset], dataset, file, n + 1));
}

/** @param sources Where to look for the slice's attributes, in this order. */
function sliceOf(
  sources: readonly DicomDataset[],
  dataset: DicomDataset,
  file: NamedFile,
  frame: number | null,
): Slice {
  const macro = (sequence: Attribute, ...attributes: Attribute[]) =>
    withAttribute(sources, sequence, attributes);
  const position = macro("PlanePositionSequence", "ImagePositionPatient");
  const orientation = macro("PlaneOrientationSequence", "ImageOrientationPatient");
  const spacing = macro("PixelMeasuresSequence", "PixelSpacing");
  const thickness = macro("PixelMeasuresSequence", "SliceThickness");
  const frameType = macro("CTImageFrameTypeSequence", "FrameType");
  return {
    file,
    frame,
    sopClassUid: textOf(dataset, "SOPClassUID"),
    sopInstanceUid: textOf(dataset, "SOPInstanceUID"),
    frameOfReferenceUid: textOf(dataset, "FrameOfReferenceUID"),
    instanceNumber: frame ?? usableNumberOf(dataset, "InstanceNumber"),
    imageType: frameType === null ? textsOf(dataset, "ImageType") : textsOf(frameType, "FrameType"),
    columns: numberOf(dataset, "Columns") ?? 0,
    rows: numberOf(dataset, "Rows") ?? 0,
    // PixelSpacing states the distance between rows first.
    spacingMm: spacing === null ? null : pairOf(numbersOf(spacing, "PixelSpacing").reverse()),
    axes: orientation === null ? null : axesOf(numbersOf(orientation, "ImageOrientationPatient")),
    positionMm: position === null ? null : vectorOf(numbersOf(position, "ImagePositionPatient")),
    thicknessMm: thickness === null ? null : usableNumberOf(thickness, "SliceThickness"),
    rescale: rescaleOf(macro("PixelValueTransformationSequence", "RescaleSlope", "RescaleIntercept")),
  };
}

function withAttribute(
  sources: readonly DicomDataset[],
  sequence: Attribute,
  attributes: readonly Attribute[],
): DicomDataset | null {
  const hasOne = (dataset: DicomDataset) => attributes.some((attribute) => has(dataset, attribute));
  for (const source of sources) {
    const [item] = itemsOf(source, sequence);
    if (item !== undefined && hasOne(item)) return item;
    if (hasOne(source)) return source;
  }
  return null;
}

function rescaleOf(source: DicomDataset | null): Rescale | null {
  if (source === null) return null;
  const slope = numberOf(source, "RescaleSlope");
  const intercept = numberOf(source, "RescaleIntercept");
  if (slope === 0) {
    throw new InputError(
      `${source.name} has a Rescale Slope of 0, which would make all voxels equal, and another number was expected; correct its header.`,
    );
  }
  return {
    slope: slope ?? 1,
    intercept: intercept ?? 0,
    assumed: slope === undefined ? "slope" : intercept === undefined ? "intercept" : null,
    unit: textOf(source, "RescaleType") || "HU",
  };
}

function axesOf(values: readonly number[]): readonly [Vector3, Vector3] | null {
  const row = vectorOf(values.slice(0, 3));
  const column = vectorOf(values.slice(3));
  return row === null || column === null ? null : [row, column];
}

function vectorOf(values: readonly number[]): Vector3 | null {
  return values.length === 3 ? [values[0], values[1], values[2]] : null;
}

function pairOf(values: readonly number[]): readonly [number, number] | null {
  return values.length === 2 ? [values[0], values[1]] : null;
}
