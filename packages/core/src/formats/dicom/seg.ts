// Reads and writes DICOM Segmentation objects: masks of named segments, stored as frames.
import { InputError } from "../../errors.js";
import { axisDirections } from "../../volume/vector.js";
import { pointOfIndex, sameGeometry, type Volume } from "../../volume/volume.js";
import type { DrawnObject } from "./belonging.js";
import { type DicomDataset, itemsOf, numberOf, parseDataset, textOf, textsOf } from "./dataset.js";
import {
  type Code,
  type CodedFinding,
  codeItem,
  dateAndTime,
  derivedModules,
  isDrawnByModels,
  lymphNodeTerms,
  origin,
  probabilityText,
  provenance,
  referencesToFiles,
  referenceTo,
  researchUseOnly,
  shortened,
  subjectOf,
  termsOf,
  trainedOn,
} from "./derived-object.js";
import { decimalString, encodeFile, explicitLittleEndian, type Item } from "./encode.js";
import { frameDecoder, pixelDescriptionOf } from "./pixel-data.js";
import {
  type FrameMask,
  type FrameStack,
  frameStackOf,
  type SeriesGrid,
  segmentMask,
  segmentMaskOnSeries,
} from "./seg-frames.js";
import type { SourceSeries, WritingContext } from "./source-series.js";

/** The segments of a Segmentation object, on the grid that its frames span. */
export interface SegmentationObject extends DrawnObject {
  /**
   * i along the frames' rows, j along their columns, k along the normal; from the first to the last stored frame,
   * including the empty slices in between that are not stored.
   */
  readonly geometry: FrameStack["geometry"];
  readonly type: "BINARY" | "FRACTIONAL" | "LABELMAP";
  /** Which distance of slices was taken for that grid, as a phrase; null where the file tells it. */
  readonly depthGuess: string | null;
  /** In the order of the file; the background (number 0, or the padding value of a labelmap) is left out. */
  readonly segments: readonly Segment[];
  /** What had to be decided while reading, as phrases. */
  readonly problems: readonly string[];
}

export interface Segment {
  readonly number: number;
  readonly label: string;
  /** Meaning of the coded property type, such as "Lymph node"; empty where it is not stated. */
  readonly propertyType: string;
  readonly algorithmType: string;
  /**
   * The segment's voxels on the object's grid, 1 and 0, i fastest. Decoded at every call, so that an object of a hundred
   * segments fits into memory. Segments may overlap.
   *
   * @throws InputError where a frame is damaged
   */
  readonly mask: () => Uint8Array;
  /**
   * The same on the grid on which a series is read, each frame at the position of the slice that it was drawn on, with
   * the volume of the slices' slabs; null where the frames do not lie on the slices of the series.
   *
   * @throws InputError where a frame is damaged
   */
  readonly maskOn: (series: SeriesGrid) => Uint8Array | null;
}

const segmentationStorage = "1.2.840.10008.5.1.4.1.1.66.4";
const labelMapSegmentationStorage = "1.2.840.10008.5.1.4.1.1.66.7";

/**
 * The Segmentation object in a DICOM file: BINARY, LABELMAP or FRACTIONAL (voxels of at least half of the maximum are
 * inside, which `problems` mentions), in any transfer syntax that can be decoded.
 *
 * @param name - the file, for messages
 * @throws InputError where the file is not a SEG, is damaged, or its frames do not lie in parallel planes
 */
export async function readSeg(bytes: Uint8Array, name: string): Promise<SegmentationObject> {
  const dataset = parseDataset(bytes, name);
  refuseOtherObjects(dataset);
  const type = textOf(dataset, "SegmentationType");
  if (type !== "BINARY" && type !== "FRACTIONAL" && type !== "LABELMAP") {
    throw new InputError(
      `${name} is a segmentation of type "${type}", and BINARY, FRACTIONAL or LABELMAP was expected; convert it to BINARY.`,
    );
  }
  const pixels = pixelDescriptionOf(dataset);
  const stack = frameStackOf(dataset, pixels, type !== "LABELMAP");
  const decode = await frameDecoder(dataset);
  const maximum = numberOf(dataset, "MaximumFractionalValue") ?? 255;
  const isInside = (value: number, segment: number) => {
    if (type === "LABELMAP") return value === segment;
    return type === "BINARY" ? value !== 0 : 2 * value >= maximum;
  };
  const drawn: FrameMask = (frame, segment) =>
    Uint8Array.from(decode(frame), (value) => (isInside(value, segment) ? 1 : 0));
  // The padding value of a labelmap is background, whatever its segment is called.
  const background = type === "LABELMAP" ? (numberOf(dataset, "PixelPaddingValue") ?? 0) : 0;
  const items = itemsOf(dataset, "SegmentSequence").filter((item) => {
    const number = numberOf(item, "SegmentNumber");
    return number !== 0 && number !== background;
  });
  if (items.length === 0) {
    throw new InputError(`${name} holds no segment, and at least 1 was expected; export it again.`);
  }
  return {
    name,
    frameOfReferenceUid: textOf(dataset, "FrameOfReferenceUID"),
    referencedSeriesUids: itemsOf(dataset, "ReferencedSeriesSequence").flatMap((series) =>
      textsOf(series, "SeriesInstanceUID"),
    ),
    geometry: stack.geometry,
    depthGuess: stack.depthGuess,
    type,
    segments: items.map((item) => segmentOf(item, stack, [pixels.columns, pixels.rows], drawn)),
    problems: [
      ...stack.problems,
      ...(type === "FRACTIONAL"
        ? [
            `fractional (${textOf(dataset, "SegmentationFractionalType").toLowerCase()}): voxels of at least ${maximum / 2} of ${maximum} are inside`,
          ]
        : []),
    ],
  };
}

function segmentOf(
  item: DicomDataset,
  stack: FrameStack,
  size: readonly [columns: number, rows: number],
  drawn: FrameMask,
): Segment {
  const number = numberOf(item, "SegmentNumber") ?? 0;
  const [propertyType] = itemsOf(item, "SegmentedPropertyTypeCodeSequence");
  return {
    number,
    label: textOf(item, "SegmentLabel"),
    propertyType: propertyType === undefined ? "" : textOf(propertyType, "CodeMeaning"),
    algorithmType: textOf(item, "SegmentAlgorithmType"),
    mask: () => segmentMask(stack, size, number, drawn),
    maskOn: (series) => segmentMaskOnSeries(stack, size, number, drawn, series),
  };
}

function refuseOtherObjects(dataset: DicomDataset): void {
  const sopClass = textOf(dataset, "SOPClassUID");
  if (sopClass === segmentationStorage || sopClass === labelMapSegmentationStorage) return;
  throw new InputError(
    `${dataset.name} is a DICOM object of modality ${textOf(dataset, "Modality") || "unknown"}, and a segmentation (SEG) was expected; choose the segmentation's file.`,
  );
}

/** The name of a label in a label volume. */
export interface LabelName extends CodedFinding {
  readonly label: number;
  readonly name: string;
  /** Mean over its voxels of the models' probability, 0 … 1; left out where it is not known. */
  readonly meanProbability?: number;
}

/**
 * A BINARY Segmentation object with a segment for each label, numbered from 1 in the order of the labels; empty frames
 * are left out. Segments are coded as lymph nodes of head and neck (SNOMED CT), or as tissue where a name says that they are not, for research only, and as drawn by an
 * algorithm if the context has models. Each frame refers to the slice of the source that it was derived from; if the
 * source was resampled, all frames together refer to every image.
 *
 * @param labels - on the grid of the source; 0 is background
 * @param names - names of labels; a label without a name is called "Lymph node" and its number
 * @throws InputError where no voxel has a label, the grid is not the source's, or the source has no frame of reference
 */
export function writeSeg(
  labels: Volume,
  names: readonly LabelName[],
  source: SourceSeries,
  context: WritingContext,
): Uint8Array {
  if (!sameGeometry(labels, source.geometry)) {
    throw new InputError(
      `The labels do not have the grid of the series ${source.seriesInstanceUid}, on which a SEG is written; resample them to it first.`,
    );
  }
  const frames = labelledSlices(labels);
  if (frames.length === 0) {
    throw new InputError("The segmentation is empty, and a SEG needs a voxel; nothing was written.");
  }
  const values = [...new Set(frames.map(({ label }) => label))].sort((a, b) => a - b);
  const numberOfLabel = new Map(values.map((label, n) => [label, n + 1]));
  const ordered = values.flatMap((label) => frames.filter((frame) => frame.label === label));
  const slices = [...new Set(ordered.map(({ k }) => k))].sort((a, b) => a - b);
  const subject = subjectOf(context);
  const modules = derivedModules(source, context, {
    modality: "SEG",
    sopClassUid: segmentationStorage,
    seriesNumber: 9100,
    seriesDescription: `${subject.title} (SEG)`,
  });
  const { date, time } = dateAndTime(context.now);
  const dimensionOrganizationUid = context.newUid();
  const dataset = {
    ...modules,
    ImageType: ["DERIVED", "PRIMARY"],
    ContentDate: date,
    ContentTime: time,
    ContentLabel: subject.label,
    ContentDescription: shortened(`${subject.title}, ${researchUseOnly}${trainedOn(context)}`, 64),
    ContentCreatorName: "",
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    NumberOfFrames: String(ordered.length),
    Rows: labels.size[1],
    Columns: labels.size[0],
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    LossyImageCompression: "00",
    SegmentationType: "BINARY",
    SegmentSequence: values.map((label, n) =>
      segmentItem(
        n + 1,
        names.find((entry) => entry.label === label) ?? { name: `Lymph node ${label}` },
        context,
      ),
    ),
    ReferencedSeriesSequence: [
      {
        SeriesInstanceUID: source.seriesInstanceUid,
        ReferencedInstanceSequence: referencesToFiles(source.instances),
      },
    ],
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: dimensionOrganizationUid }],
    DimensionIndexSequence: [
      dimension(dimensionOrganizationUid, "ReferencedSegmentNumber", "SegmentIdentificationSequence"),
      dimension(dimensionOrganizationUid, "ImagePositionPatient", "PlanePositionSequence"),
    ],
    SharedFunctionalGroupsSequence: [sharedGroups(labels, source)],
    PerFrameFunctionalGroupsSequence: ordered.map(({ label, k }): Item => {
      const segment = numberOfLabel.get(label) ?? 0;
      return {
        FrameContentSequence: [{ DimensionIndexValues: [segment, slices.indexOf(k) + 1] }],
        PlanePositionSequence: [{ ImagePositionPatient: pointOfIndex(labels, [0, 0, k]).map(decimalString) }],
        SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment }],
        ...(source.slices === null
          ? {}
          : { DerivationImageSequence: [derivation([referenceTo(source.slices[k])], "YES")] }),
      };
    }),
    PixelData: packedFrames(labels, ordered),
  };
  return encodeFile(dataset, explicitLittleEndian);
}

interface LabelledSlice {
  readonly k: number;
  readonly label: number;
}

/** The labels that occur in each slice, slices ascending. */
function labelledSlices(labels: Volume): LabelledSlice[] {
  const sliceVoxels = labels.size[0] * labels.size[1];
  return Array.from({ length: labels.size[2] }, (_, k) => {
    const slice = labels.data.subarray(k * sliceVoxels, (k + 1) * sliceVoxels);
    const found = new Set<number>();
    for (let n = 0; n < slice.length; n++) if (slice[n] !== 0) found.add(slice[n]);
    return [...found].map((label) => ({ k, label }));
  }).flat();
}

/** One bit per voxel, the lowest first, frame after frame without gaps (PS3.5, 8.1.1). */
function packedFrames(labels: Volume, frames: readonly LabelledSlice[]): Uint8Array {
  const sliceVoxels = labels.size[0] * labels.size[1];
  const bytes = new Uint8Array(Math.ceil((frames.length * sliceVoxels) / 8));
  frames.forEach(({ k, label }, frame) => {
    for (let n = 0; n < sliceVoxels; n++) {
      if (labels.data[k * sliceVoxels + n] !== label) continue;
      const bit = frame * sliceVoxels + n;
      bytes[bit >>> 3] |= 1 << (bit & 7);
    }
  });
  return bytes;
}

function segmentItem(
  number: number,
  { name, meanProbability, ...finding }: Omit<LabelName, "label">,
  context: WritingContext,
): Item {
  const { algorithm, newUid } = context;
  const { category, type } = termsOf(finding);
  return {
    SegmentNumber: number,
    SegmentLabel: shortened(name, 64),
    SegmentDescription: shortened(
      `${researchUseOnly}.${probabilityText(meanProbability)} ${origin(context)}`,
      1024,
    ),
    ...(isDrawnByModels(context)
      ? {
          SegmentationAlgorithmIdentificationSequence: [
            {
              AlgorithmFamilyCodeSequence: [codeItem(artificialIntelligence)],
              AlgorithmName: shortened(algorithm.name, 64),
              AlgorithmVersion: shortened(algorithm.version, 64),
              AlgorithmParameters: shortened(provenance(context), 10240),
            },
          ],
          SegmentAlgorithmType: "AUTOMATIC",
          SegmentAlgorithmName: shortened(`${algorithm.name} ${algorithm.version}`, 64),
        }
      : // A required attribute; MANUAL is the only value that needs no algorithm name.
        { SegmentAlgorithmType: "MANUAL" }),
    SegmentedPropertyCategoryCodeSequence: [codeItem(category)],
    SegmentedPropertyTypeCodeSequence: [codeItem(type)],
    AnatomicRegionSequence: [codeItem(lymphNodeTerms.region)],
    // A structured report refers to the node by these.
    TrackingID: shortened(name, 64),
    TrackingUID: newUid(),
  };
}

function dimension(
  organizationUid: string,
  pointer: "ReferencedSegmentNumber" | "ImagePositionPatient",
  group: "SegmentIdentificationSequence" | "PlanePositionSequence",
): Item {
  return {
    DimensionOrganizationUID: organizationUid,
    DimensionIndexPointer: pointer,
    FunctionalGroupPointer: group,
    DimensionDescriptionLabel: pointer,
  };
}

/** If the source was resampled, every frame is derived from all images. */
function sharedGroups(labels: Volume, { slices, instances }: SourceSeries): Item {
  const [i, j] = axisDirections(labels);
  const [across, down, between] = labels.spacingMm;
  return {
    PlaneOrientationSequence: [{ ImageOrientationPatient: [...i, ...j].map(decimalString) }],
    PixelMeasuresSequence: [
      {
        SliceThickness: decimalString(between),
        SpacingBetweenSlices: decimalString(between),
        // Between rows first, then between columns.
        PixelSpacing: [decimalString(down), decimalString(across)],
      },
    ],
    ...(slices === null ? { DerivationImageSequence: [derivation(referencesToFiles(instances), "NO")] } : {}),
  };
}

/** Terms of the DICOM controlled terminology (PS3.16, annex D). */
const artificialIntelligence: Code = ["123110", "DCM", "Artificial Intelligence"];
const segmentationStep: Code = ["113076", "DCM", "Segmentation"];
const sourceImagePurpose: Code = ["121322", "DCM", "Source image for image processing operation"];

/** The images that a frame was derived from, and whether its pixels coincide with theirs. */
function derivation(images: readonly Item[], isInPlace: "YES" | "NO"): Item {
  return {
    DerivationCodeSequence: [codeItem(segmentationStep)],
    SourceImageSequence: images.map((image) => ({
      ...image,
      PurposeOfReferenceCodeSequence: [codeItem(sourceImagePurpose)],
      SpatialLocationsPreserved: isInPlace,
    })),
  };
}
