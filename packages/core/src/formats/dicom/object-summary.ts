// What a DICOM object beside the images holds: the segments, contours or measurements in it, and what it refers to.
import { InputError } from "../../errors.js";
import { voxelCount } from "../../volume/volume.js";
import { type Dataset, itemsOf, numberOf, parseDataset, textOf } from "./dataset.js";
import type { Attribute } from "./dictionary.js";
import { readRtstruct } from "./rtstruct.js";
import { readSeg } from "./seg.js";

export interface ObjectSummary {
  readonly modality: "SEG" | "RTSTRUCT" | "SR";
  /** What the object says that it is. */
  readonly title: string;
  readonly bodies: readonly BodySummary[];
  readonly references: readonly { readonly seriesInstanceUid: string; readonly instances: number }[];
  /** What was decided in reading, as phrases. */
  readonly problems: readonly string[];
}

/** A segment, an ROI or a group of measurements; null where its kind of object does not say it. */
export interface BodySummary {
  readonly label: string;
  readonly type: string;
  /** Null too where the object is so large that counting would take long. */
  readonly voxels: number | null;
  readonly volumeMl: number | null;
  readonly contours: number | null;
  readonly measurements: readonly { readonly name: string; readonly value: number; readonly unit: string }[];
}

/**
 * The summary of a SEG, an RTSTRUCT or an SR; null for every other object.
 *
 * @throws InputError where the object cannot be read
 */
export async function objectSummary(bytes: Uint8Array, name: string): Promise<ObjectSummary | null> {
  const dataset = parseDataset(bytes, name);
  switch (textOf(dataset, "Modality")) {
    case "SEG":
      return segSummary(dataset, bytes, name);
    case "RTSTRUCT":
      return rtstructSummary(dataset, bytes, name);
    case "SR":
      return reportSummary(dataset);
    default:
      return null;
  }
}

/** Voxels that are counted without a person having to wait. */
const fewVoxels = 2 ** 27;

async function segSummary(dataset: Dataset, bytes: Uint8Array, name: string): Promise<ObjectSummary> {
  const { segments, geometry, type, problems } = await readSeg(bytes, name);
  const voxelMl = geometry.spacingMm.reduce((product, spacing) => product * spacing, 1e-3);
  const isCheap = voxelCount(geometry) * segments.length <= fewVoxels;
  return {
    modality: "SEG",
    title: `${type} ${textOf(dataset, "ContentLabel")}`.trim(),
    bodies: segments.map(({ label, propertyType, mask }) => {
      const voxels = isCheap ? mask().reduce((sum, value) => sum + value, 0) : null;
      const volumeMl = voxels === null ? null : voxels * voxelMl;
      return { ...noBody, label, type: propertyType, voxels, volumeMl };
    }),
    references: referencesIn(itemsOf(dataset, "ReferencedSeriesSequence"), "ReferencedInstanceSequence"),
    problems,
  };
}

function rtstructSummary(dataset: Dataset, bytes: Uint8Array, name: string): ObjectSummary {
  const { label, rois, problems } = readRtstruct(bytes, name);
  const series = itemsOf(dataset, "ReferencedFrameOfReferenceSequence")
    .flatMap((frame) => itemsOf(frame, "RTReferencedStudySequence"))
    .flatMap((study) => itemsOf(study, "RTReferencedSeriesSequence"));
  return {
    modality: "RTSTRUCT",
    title: label,
    bodies: rois.map((roi) => ({
      ...noBody,
      label: roi.name,
      type: roi.interpretedType,
      contours: roi.contours.length,
    })),
    references: referencesIn(series, "ContourImageSequence"),
    problems,
  };
}

function reportSummary(dataset: Dataset): ObjectSummary {
  if (itemsOf(dataset, "ContentSequence").length === 0) {
    throw new InputError(
      `${dataset.name} is a structured report without content (Content Sequence), and at least one item was expected; copy or export it again.`,
    );
  }
  const series = itemsOf(dataset, "CurrentRequestedProcedureEvidenceSequence").flatMap((study) =>
    itemsOf(study, "ReferencedSeriesSequence"),
  );
  return {
    modality: "SR",
    title: meaningOf(dataset, "ConceptNameCodeSequence"),
    bodies: measuredGroups(dataset),
    references: referencesIn(series, "ReferencedSOPSequence"),
    problems: [],
  };
}

/** Content items that have numbers right below them, at any depth. */
function measuredGroups(item: Dataset): BodySummary[] {
  const content = itemsOf(item, "ContentSequence");
  const numbers = content.filter((child) => textOf(child, "ValueType") === "NUM");
  if (numbers.length === 0) return content.flatMap(measuredGroups);
  const tracking = content.find(
    (child) => meaningOf(child, "ConceptNameCodeSequence") === "Tracking Identifier",
  );
  return [
    {
      ...noBody,
      label: tracking === undefined ? "" : textOf(tracking, "TextValue"),
      type: meaningOf(item, "ConceptNameCodeSequence"),
      measurements: numbers.flatMap((child) => {
        const [measured] = itemsOf(child, "MeasuredValueSequence");
        const value = measured === undefined ? undefined : numberOf(measured, "NumericValue");
        if (measured === undefined || value === undefined) return [];
        const [unit] = itemsOf(measured, "MeasurementUnitsCodeSequence");
        return [
          {
            name: meaningOf(child, "ConceptNameCodeSequence"),
            value,
            unit: unit === undefined ? "" : textOf(unit, "CodeValue"),
          },
        ];
      }),
    },
  ];
}

const noBody = { voxels: null, volumeMl: null, contours: null, measurements: [] };

function meaningOf(item: Dataset, attribute: Attribute): string {
  const [code] = itemsOf(item, attribute);
  return code === undefined ? "" : textOf(code, "CodeMeaning");
}

function referencesIn(series: readonly Dataset[], instances: Attribute): ObjectSummary["references"] {
  return series.map((item) => ({
    seriesInstanceUid: textOf(item, "SeriesInstanceUID"),
    instances: itemsOf(item, instances).length,
  }));
}
