// Reads and writes RT Structure Sets: closed contours of named regions of interest (ROIs).
import { InputError } from "../../errors.js";
import type { PlanarContour } from "../../volume/planar-contour.js";
import { axisDirections } from "../../volume/vector.js";
import { indexOfPoint, type Vector3 } from "../../volume/volume.js";
import type { DrawnObject } from "./belonging.js";
import {
  type DicomDataset,
  elementOf,
  itemsOf,
  numberOf,
  numbersOf,
  parseDataset,
  textOf,
  textsOf,
} from "./dataset.js";
import {
  type CodedFinding,
  codeItem,
  dateAndTime,
  derivedModules,
  isDrawnByModels,
  nodeColour,
  origin,
  probabilityText,
  referencesToFiles,
  referenceTo,
  researchUseOnly,
  shortened,
  subjectOf,
  termsOf,
  trainedOn,
} from "./derived-object.js";
import { decimalString, encodeFile, type Item, implicitLittleEndian } from "./encode.js";
import type { SourceSeries, WritingContext } from "./source-series.js";

/** The ROIs drawn on a series. */
export interface StructureSet extends DrawnObject {
  readonly label: string;
  /** In the order of the file. */
  readonly rois: readonly StructureSetRoi[];
  /** What was left out or corrected, as phrases. */
  readonly problems: readonly string[];
}

export interface StructureSetRoi {
  readonly number: number;
  readonly name: string;
  /** GTV, ORGAN, EXTERNAL, …; empty where the file does not state it. */
  readonly interpretedType: string;
  /** Red, green and blue up to 255. */
  readonly colour: readonly [number, number, number] | null;
  /** Closed contours only; LPS mm. */
  readonly contours: readonly PlanarContour[];
  /**
   * Distance between the planes of the regular grid that the contours were drawn on, if the file states it; null means
   * that they were drawn on the slices of the series.
   */
  readonly drawnEveryMm: number | null;
}

const rtStructureSetStorage = "1.2.840.10008.5.1.4.1.1.481.3";
const detachedStudyManagement = "1.2.840.10008.3.1.2.3.1";

/**
 * The structure set in a DICOM file of any transfer syntax. Points and open contours enclose no area: they are left
 * out and counted in `problems`.
 *
 * @param name - the file, for messages
 * @throws InputError where the file is not an RTSTRUCT, is damaged or cut short, holds no ROI, or lies in several frames of reference
 */
export function readRtstruct(bytes: Uint8Array, name: string): StructureSet {
  const dataset = parseDataset(bytes, name);
  refuseOtherObjects(dataset);
  const definitions = itemsOf(dataset, "StructureSetROISequence");
  if (definitions.length === 0) {
    throw new InputError(`${name} holds no ROI, and at least 1 was expected; export it again.`);
  }
  const frameOfReferenceUid = frameOfReferenceOf(dataset, definitions);
  // An ROI may have no contours, but a file without the sequence is cut short.
  if (elementOf(dataset, "ROIContourSequence") === undefined) {
    throw new InputError(
      `${name} names ${definitions.length} ROIs and ends before their contours (ROI Contour Sequence); copy or export it again.`,
    );
  }
  const contourItems = itemsOf(dataset, "ROIContourSequence");
  const observations = itemsOf(dataset, "RTROIObservationsSequence");
  const problems: string[] = [];
  if (observations.length === 0)
    problems.push("no RT ROI Observations Sequence, which every structure set has: its end may be missing");
  const rois = definitions.map((definition): StructureSetRoi => {
    const number = numberOf(definition, "ROINumber") ?? 0;
    const roiName = textOf(definition, "ROIName");
    // Usually a single item, but a writer may split the contours of an ROI.
    const drawn = contourItems.filter((item) => refersTo(item, number));
    const { contours, open } = closedContours(
      drawn.flatMap((item) => itemsOf(item, "ContourSequence")),
      roiName,
    );
    if (open > 0) problems.push(`"${roiName}": ${open} points or open contours left out`);
    const observation = observations.find((item) => refersTo(item, number));
    return {
      number,
      name: roiName,
      interpretedType: observation === undefined ? "" : textOf(observation, "RTROIInterpretedType"),
      colour: drawn.length === 0 ? null : colourOf(drawn[0]),
      contours,
      drawnEveryMm: drawn.length === 0 ? null : planeSpacingOf(drawn[0]),
    };
  });
  return {
    name,
    label: textOf(dataset, "StructureSetLabel"),
    frameOfReferenceUid,
    referencedSeriesUids: referencedSeriesOf(dataset),
    rois,
    problems,
  };
}

/** An ROI to write, with its contours in LPS mm. */
export interface DrawnRoi extends CodedFinding {
  readonly name: string;
  readonly contours: readonly PlanarContour[];
  /** Mean over its voxels of the models' probability, 0 … 1; left out where it is not known. */
  readonly meanProbability?: number;
}

/**
 * An RT Structure Set of the ROIs, numbered from 1 in the given order: closed planar contours, each with a reference to
 * the slice of the source that it lies on, interpreted as organs of the type lymph node, unapproved, for research only.
 * Coordinates are rounded to 0.1 µm. Implicit VR, because in explicit VR a contour of a few thousand points is too long.
 *
 * A hole is a separate contour inside the outer contour, to be combined by exclusive or.
 *
 * Contours on a source that was resampled lie on the planes of its grid, which are not images: the object then states
 * these planes, so that a reader does not assign a contour to a slice that happens to lie near it.
 *
 * @throws InputError where there is no ROI or an ROI has no contour, or the source has no frame of reference
 */
export function writeRtstruct(
  rois: readonly DrawnRoi[],
  source: SourceSeries,
  context: WritingContext,
): Uint8Array {
  const empty = rois.find(({ contours }) => contours.length === 0);
  if (rois.length === 0 || empty !== undefined) {
    const subject = empty === undefined ? "The segmentation" : `The ROI "${empty.name}"`;
    throw new InputError(`${subject} is empty, and an RTSTRUCT needs a contour; nothing was written.`);
  }
  const subject = subjectOf(context);
  const modules = derivedModules(source, context, {
    modality: "RTSTRUCT",
    sopClassUid: rtStructureSetStorage,
    seriesNumber: 9101,
    seriesDescription: `${subject.title} (RTSTRUCT)`,
  });
  const { date, time } = dateAndTime(context.now);
  const dataset = {
    ...modules,
    OperatorsName: "",
    ApprovalStatus: "UNAPPROVED",
    // SH allows 16 characters, one too few for the whole sentence.
    StructureSetLabel: "RESEARCH ONLY",
    StructureSetName: `${subject.title}, ${researchUseOnly}`,
    StructureSetDescription: shortened(
      `${researchUseOnly}: not approved for diagnosis or treatment. ${origin(context)}`,
      1024,
    ),
    StructureSetDate: date,
    StructureSetTime: time,
    ReferencedFrameOfReferenceSequence: [
      {
        FrameOfReferenceUID: source.frameOfReferenceUid,
        RTReferencedStudySequence: [
          {
            ReferencedSOPClassUID: detachedStudyManagement,
            ReferencedSOPInstanceUID: source.study.studyInstanceUid,
            RTReferencedSeriesSequence: [
              {
                SeriesInstanceUID: source.seriesInstanceUid,
                ContourImageSequence: referencesToFiles(source.instances),
              },
            ],
          },
        ],
      },
    ],
    StructureSetROISequence: rois.map(({ name, meanProbability }, n) => ({
      ROINumber: String(n + 1),
      ReferencedFrameOfReferenceUID: source.frameOfReferenceUid,
      ROIName: shortened(name, 64),
      ROIDescription: `${researchUseOnly}.${probabilityText(meanProbability)}`,
      // May be empty, which means unknown.
      ROIGenerationAlgorithm: isDrawnByModels(context) ? "AUTOMATIC" : "",
      ROIGenerationDescription: shortened(
        isDrawnByModels(context)
          ? `${context.algorithm.name} ${context.algorithm.version}${trainedOn(context)}`
          : origin(context),
        64,
      ),
    })),
    ROIContourSequence: rois.map(({ contours }, n) => ({
      ROIDisplayColor: nodeColour(n).map(String),
      ReferencedROINumber: String(n + 1),
      ...(source.slices === null ? { SourcePixelPlanesCharacteristicsSequence: [planesOf(source)] } : {}),
      ContourSequence: contours.map((contour) => contourItem(contour, source)),
    })),
    RTROIObservationsSequence: rois.map((roi, n) => ({
      ObservationNumber: String(n + 1),
      ReferencedROINumber: String(n + 1),
      RTROIIdentificationCodeSequence: [codeItem(termsOf(roi).type)],
      RTROIInterpretedType: "ORGAN",
      ROIInterpreter: "",
    })),
  };
  return encodeFile(dataset, implicitLittleEndian);
}

/** The planes of a resampled source, which are not images that contours could refer to (PS3.3, C.8.8.6). */
function planesOf({ geometry }: SourceSeries): Item {
  const [i, j] = axisDirections(geometry);
  const [across, down, between] = geometry.spacingMm;
  return {
    // Between rows first, then between columns.
    PixelSpacing: [decimalString(down), decimalString(across)],
    SpacingBetweenSlices: decimalString(between),
    ImageOrientationPatient: [...i, ...j].map(decimalString),
    ImagePositionPatient: geometry.originMm.map(decimalString),
    NumberOfFrames: String(geometry.size[2]),
    Rows: geometry.size[1],
    Columns: geometry.size[0],
  };
}

function planeSpacingOf(roiContour: DicomDataset): number | null {
  const [planes] = itemsOf(roiContour, "SourcePixelPlanesCharacteristicsSequence");
  return planes === undefined ? null : (numberOf(planes, "SpacingBetweenSlices") ?? null);
}

function contourItem({ pointsMm }: PlanarContour, source: SourceSeries): Item {
  const slice = source.slices?.[Math.round(indexOfPoint(source.geometry, pointsMm[0])[2])];
  return {
    ...(slice === undefined ? {} : { ContourImageSequence: [referenceTo(slice)] }),
    ContourGeometricType: "CLOSED_PLANAR",
    NumberOfContourPoints: String(pointsMm.length),
    ContourData: pointsMm.flatMap((point) =>
      point.map((value) => decimalString(Math.round(value * 1e4) / 1e4)),
    ),
  };
}

function refuseOtherObjects(dataset: DicomDataset): void {
  if (textOf(dataset, "SOPClassUID") === rtStructureSetStorage || textOf(dataset, "Modality") === "RTSTRUCT")
    return;
  throw new InputError(
    `${dataset.name} is a DICOM object of modality ${textOf(dataset, "Modality") || "unknown"}, and an RTSTRUCT was expected; choose the structure set's file.`,
  );
}

function refersTo(item: DicomDataset, roiNumber: number): boolean {
  return (numberOf(item, "ReferencedROINumber") ?? 0) === roiNumber;
}

const closedTypes: ReadonlySet<string> = new Set(["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"]);

function closedContours(
  items: readonly DicomDataset[],
  roiName: string,
): { contours: PlanarContour[]; open: number } {
  const closed = items.filter((item) => closedTypes.has(textOf(item, "ContourGeometricType")));
  return { contours: closed.map((item) => contourOf(item, roiName)), open: items.length - closed.length };
}

function contourOf(item: DicomDataset, roiName: string): PlanarContour {
  const values = numbersOf(item, "ContourData");
  if (values.length % 3 !== 0) {
    throw new InputError(
      `${item.name} has a contour of "${roiName}" with ${values.length} numbers, and 3 per point were expected; export it again.`,
    );
  }
  const pointsMm = Array.from(
    { length: values.length / 3 },
    (_, n): Vector3 => [values[3 * n], values[3 * n + 1], values[3 * n + 2]],
  );
  return { pointsMm };
}

function colourOf(item: DicomDataset): StructureSetRoi["colour"] {
  const values = numbersOf(item, "ROIDisplayColor");
  return values.length === 3 ? [values[0], values[1], values[2]] : null;
}

function frameOfReferenceOf(dataset: DicomDataset, definitions: readonly DicomDataset[]): string {
  const stated = new Set(definitions.map((item) => textOf(item, "ReferencedFrameOfReferenceUID")));
  stated.delete("");
  if (stated.size > 1) {
    throw new InputError(
      `${dataset.name} has ROIs in ${stated.size} frames of reference, and 1 was expected; export only the ROIs of one series.`,
    );
  }
  const [ofRois] = stated;
  const [referenced] = itemsOf(dataset, "ReferencedFrameOfReferenceSequence");
  return (
    ofRois ??
    (referenced === undefined
      ? textOf(dataset, "FrameOfReferenceUID")
      : textOf(referenced, "FrameOfReferenceUID"))
  );
}

function referencedSeriesOf(dataset: DicomDataset): string[] {
  return itemsOf(dataset, "ReferencedFrameOfReferenceSequence")
    .flatMap((frame) => itemsOf(frame, "RTReferencedStudySequence"))
    .flatMap((study) => itemsOf(study, "RTReferencedSeriesSequence"))
    .flatMap((series) => textsOf(series, "SeriesInstanceUID"));
}
