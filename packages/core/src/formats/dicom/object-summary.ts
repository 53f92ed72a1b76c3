// Summarises a DICOM object that is not an image: its segments, contours or measurements, and the series it refers to.
import { InputError } from "../../errors.js";
import { voxelCount } from "../../volume/volume.js";
import { type DicomDataset, itemsOf, numberOf, parseDataset, textOf } from "./dataset.js";
import type { Attribute } from "./dictionary.js";
import { readRtstruct } from "./rtstruct.js";
import { readSeg } from "./seg.js";

export interface ObjectSummary {
  readonly modality: "SEG" | "RTSTRUCT" | "SR";
  /** The object's own title or label. */
  readonly title: string;
  readonly regions: readonly RegionSummary[];
  readonly references: readonly { readonly seriesInstanceUid: string; readonly instances: number }[];
  /** What had to be decided while reading, as phrases. */
  readonly problems: readonly string[];
}

/** A segment, an ROI or a group of measurements; null for what this kind of object does not have. */
export interface RegionSummary {
  readonly label: string;
  readonly type: string;
  /** Null also where the object is so large that counting would take long. */
  readonly voxels: number | null;
  /** Null too where the depth of the object's voxels is a guess. */
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

/** Up to this many voxels, counting takes no noticeable time. */
const quickVoxelCount = 2 ** 27;

async function segSummary(dataset: DicomDataset, bytes: Uint8Array, name: string): Promise<ObjectSummary> {
  const { segments, geometry, depthGuess, type, problems } = await readSeg(bytes, name);
  const voxelMl = geometry.spacingMm.reduce((product, spacing) => product * spacing, 1e-3);
  const isCheap = voxelCount(geometry) * segments.length <= quickVoxelCount;
  return {
    modality: "SEG",
    title: `${type} ${textOf(dataset, "ContentLabel")}`.trim(),
    regions: segments.map(({ label, propertyType, mask }) => {
      const voxels = isCheap ? mask().reduce((sum, value) => sum + value, 0) : null;
      const volumeMl = voxels === null || depthGuess !== null ? null : voxels * voxelMl;
      return { ...noBody, label, type: propertyType, voxels, volumeMl };
    }),
    references: referencesIn(itemsOf(dataset, "ReferencedSeriesSequence"), "ReferencedInstanceSequence"),
    problems: [
      ...problems,
      ...(depthGuess === null ? [] : [`${depthGuess}, so that no volume is told without its scan`]),
    ],
  };
}

function rtstructSummary(dataset: DicomDataset, bytes: Uint8Array, name: string): ObjectSummary {
  const { label, rois, problems } = readRtstruct(bytes, name);
  const series = itemsOf(dataset, "ReferencedFrameOfReferenceSequence")
    .flatMap((frame) => itemsOf(frame, "RTReferencedStudySequence"))
    .flatMap((study) => itemsOf(study, "RTReferencedSeriesSequence"));
  return {
    modality: "RTSTRUCT",
    title: label,
    regions: rois.map((roi) => ({
      ...noBody,
      label: roi.name,
      type: roi.interpretedType,
      contours: roi.contours.length,
    })),
    references: referencesIn(series, "ContourImageSequence"),
    problems,
  };
}

function reportSummary(dataset: DicomDataset): ObjectSummary {
  if (itemsOf(dataset, "ContentSequence").length === 0) {
    throw new InputError(
      `${dataset.name} is a structured report without content (Content Sequence), and at least 1 item was expected; copy or export it again.`,
    );
  }
  const series = itemsOf(dataset, "CurrentRequestedProcedureEvidenceSequence").flatMap((study) =>
    itemsOf(study, "ReferencedSeriesSequence"),
  );
  return {
    modality: "SR",
    title: meaningOf(dataset, "ConceptNameCodeSequence"),
    regions: measuredGroups(dataset),
    references: referencesIn(series, "ReferencedSOPSequence"),
    problems: [],
  };
}

/** Content items, at any depth, that have numbers as direct children. */
function measuredGroups(item: DicomDataset): RegionSummary[] {
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

function meaningOf(item: DicomDataset, attribute: Attribute): string {
  const [code] = itemsOf(item, attribute);
  return code === undefined ? "" : textOf(code, "CodeMeaning");
}

function referencesIn(series: readonly DicomDataset[], instances: Attribute): ObjectSummary["references"] {
  return series.map((item) => ({
    seriesInstanceUid: textOf(item, "SeriesInstanceUID"),
    instances: itemsOf(item, instances).length,
  }));
}
