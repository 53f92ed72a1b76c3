// Writes the measurements of segmented nodes as a structured report: a Comprehensive 3D SR of template TID 1500.
import {
  codeContent,
  container,
  imageContent,
  numberContent,
  rootContainer,
  textContent,
  uidContent,
} from "./content-items.js";
import { type DicomDataset, itemsOf, numberOf, parseDataset, textOf } from "./dataset.js";
import {
  type Code,
  type CodedFinding,
  dateAndTime,
  derivedModules,
  lymphNodeTerms,
  provenance,
  referencesToFiles,
  referenceTo,
  researchUseOnly,
  subjectOf,
  termsOf,
} from "./derived-object.js";
import { encodeFile, explicitLittleEndian, type Item } from "./encode.js";
import type { SourceSeries, WritingContext } from "./source-series.js";

/** What a report states about a node. */
export interface ReportedNode extends CodedFinding {
  readonly volumeMl: number;
  readonly shortAxisMm: number;
  readonly longAxisMm: number;
  /** Null where the node was measured without a scan. */
  readonly huMean: number | null;
  readonly huSd: number | null;
  /** Mean over the node's voxels of the models' probability, 0 … 1; left out where it is not known. */
  readonly meanProbability?: number;
  readonly side: "left" | "right" | "midline";
}

const comprehensive3dSrStorage = "1.2.840.10008.5.1.4.1.1.88.34";

/**
 * A Measurement Report (PS3.16, TID 1500) of the nodes in a Segmentation object: for each node a group (TID 1411) that
 * refers to its segment and repeats the segment's tracking identifiers, with volume, short and long axis, mean and
 * standard deviation of HU, finding site and side. The observer is the algorithm; the report is unverified, preliminary
 * and for research. A node of the midline has no laterality, because CID 244 has no term for it.
 *
 * The mean probability is reported as the device's certainty of the finding, in percent; it is not calibrated, as the
 * algorithm's parameters state.
 *
 * @param nodes - in the order of the segments
 * @param segmentation - the bytes of the Segmentation object ({@link writeSeg}) of the same source
 * @throws RangeError where the number of nodes differs from the number of segments
 */
export function writeMeasurementReport(
  nodes: readonly ReportedNode[],
  segmentation: Uint8Array,
  source: SourceSeries,
  context: WritingContext,
): Uint8Array {
  const seg = parseDataset(segmentation, "the segmentation");
  const segments = itemsOf(seg, "SegmentSequence");
  if (segments.length !== nodes.length) {
    throw new RangeError(
      `A report has ${nodes.length} nodes, but its segmentation has ${segments.length} segments.`,
    );
  }
  const {
    FrameOfReferenceUID: _frame,
    PositionReferenceIndicator: _indicator,
    ...modules
  } = derivedModules(source, context, {
    modality: "SR",
    sopClassUid: comprehensive3dSrStorage,
    seriesNumber: 9102,
    seriesDescription: `${subjectOf(context).title} (SR)`,
  });
  const { date, time } = dateAndTime(context.now);
  const content = rootContainer(
    terms.measurementReport,
    [
      codeContent("HAS CONCEPT MOD", terms.language, terms.english),
      ...observerItems(context),
      codeContent("HAS CONCEPT MOD", terms.procedureReported, terms.imagingProcedure),
      imageLibrary(source),
      container(
        terms.imagingMeasurements,
        nodes.map((node, n) => measurementGroup(node, seg, segments[n], source, context)),
      ),
    ],
    "1500",
  );
  const dataset = {
    ...modules,
    ReferencedPerformedProcedureStepSequence: [],
    CompletionFlag: "COMPLETE",
    VerificationFlag: "UNVERIFIED",
    PreliminaryFlag: "PRELIMINARY",
    ContentDate: date,
    ContentTime: time,
    PerformedProcedureCodeSequence: [],
    CurrentRequestedProcedureEvidenceSequence: [
      {
        StudyInstanceUID: source.study.studyInstanceUid,
        ReferencedSeriesSequence: [
          {
            SeriesInstanceUID: source.seriesInstanceUid,
            ReferencedSOPSequence: referencesToFiles(source.instances),
          },
          {
            SeriesInstanceUID: textOf(seg, "SeriesInstanceUID"),
            ReferencedSOPSequence: [referenceToSeg(seg)],
          },
        ],
      },
    ],
    ...content,
  };
  return encodeFile(dataset, explicitLittleEndian);
}

/** Coded terms of PS3.16: names of content items, values and units. */
const terms = {
  measurementReport: ["126000", "DCM", "Imaging Measurement Report"],
  language: ["121049", "DCM", "Language of Content Item and Descendants"],
  english: ["en", "RFC5646", "English"],
  observerType: ["121005", "DCM", "Observer Type"],
  device: ["121007", "DCM", "Device"],
  deviceUid: ["121012", "DCM", "Device Observer UID"],
  deviceName: ["121013", "DCM", "Device Observer Name"],
  deviceManufacturer: ["121014", "DCM", "Device Observer Manufacturer"],
  deviceModel: ["121015", "DCM", "Device Observer Model Name"],
  procedureReported: ["121058", "DCM", "Procedure reported"],
  imagingProcedure: ["363679005", "SCT", "Imaging procedure"],
  imageLibrary: ["111028", "DCM", "Image Library"],
  imageLibraryGroup: ["126200", "DCM", "Image Library Group"],
  modality: ["121139", "DCM", "Modality"],
  targetRegion: ["123014", "DCM", "Target Region"],
  imagingMeasurements: ["126010", "DCM", "Imaging Measurements"],
  measurementGroup: ["125007", "DCM", "Measurement Group"],
  trackingIdentifier: ["112039", "DCM", "Tracking Identifier"],
  trackingUid: ["112040", "DCM", "Tracking Unique Identifier"],
  finding: ["121071", "DCM", "Finding"],
  referencedSegment: ["121191", "DCM", "Referenced Segment"],
  sourceSeries: ["121232", "DCM", "Source series for segmentation"],
  algorithmName: ["111001", "DCM", "Algorithm Name"],
  algorithmParameters: ["111002", "DCM", "Algorithm Parameters"],
  certainty: ["111012", "DCM", "Certainty of Finding"],
  percent: ["%", "UCUM", "Percent"],
  algorithmVersion: ["111003", "DCM", "Algorithm Version"],
  findingSite: ["363698007", "SCT", "Finding Site"],
  laterality: ["272741003", "SCT", "Laterality"],
  left: ["7771000", "SCT", "Left"],
  right: ["24028007", "SCT", "Right"],
  volume: ["118565006", "SCT", "Volume"],
  longAxis: ["103339001", "SCT", "Long Axis"],
  shortAxis: ["103340004", "SCT", "Short Axis"],
  attenuation: ["112031", "DCM", "Attenuation Coefficient"],
  derivation: ["121401", "DCM", "Derivation"],
  mean: ["373098007", "SCT", "Mean"],
  standardDeviation: ["386136009", "SCT", "Standard Deviation"],
  cubicCentimetre: ["cm3", "UCUM", "cubic centimeter"],
  millimetre: ["mm", "UCUM", "millimeter"],
  hounsfieldUnit: ["[hnsf'U]", "UCUM", "Hounsfield unit"],
} as const satisfies Record<string, Code>;

/** The observer: the algorithm, as a device (TID 1001, 1002, 1004). */
function observerItems({ algorithm, newUid }: WritingContext): Item[] {
  return [
    codeContent("HAS OBS CONTEXT", terms.observerType, terms.device),
    uidContent("HAS OBS CONTEXT", terms.deviceUid, newUid()),
    textContent("HAS OBS CONTEXT", terms.deviceName, `${algorithm.name}, ${researchUseOnly}`),
    textContent("HAS OBS CONTEXT", terms.deviceManufacturer, algorithm.name),
    textContent("HAS OBS CONTEXT", terms.deviceModel, algorithm.name),
  ];
}

/** The images that were measured (TID 1600, 1602). */
function imageLibrary({ modality, instances }: SourceSeries): Item {
  const meaning = modality === "CT" ? "Computed Tomography" : modality;
  return container(terms.imageLibrary, [
    container(terms.imageLibraryGroup, [
      codeContent("HAS ACQ CONTEXT", terms.modality, [modality, "DCM", meaning]),
      codeContent("HAS ACQ CONTEXT", terms.targetRegion, lymphNodeTerms.region),
      ...referencesToFiles(instances).map((reference) => imageContent(null, reference)),
    ]),
  ]);
}

/** The measurements of a node (TID 1411). */
function measurementGroup(
  node: ReportedNode,
  seg: DicomDataset,
  segment: DicomDataset,
  source: SourceSeries,
  context: WritingContext,
): Item {
  const { algorithm } = context;
  const side =
    node.side === "midline" ? [] : [codeContent("HAS CONCEPT MOD", terms.laterality, terms[node.side])];
  return container(
    terms.measurementGroup,
    [
      textContent("HAS OBS CONTEXT", terms.trackingIdentifier, textOf(segment, "TrackingID")),
      uidContent("HAS OBS CONTEXT", terms.trackingUid, textOf(segment, "TrackingUID")),
      codeContent("CONTAINS", terms.finding, termsOf(node).type),
      imageContent(terms.referencedSegment, {
        ...referenceToSeg(seg),
        ReferencedSegmentNumber: numberOf(segment, "SegmentNumber") ?? 0,
      }),
      uidContent("CONTAINS", terms.sourceSeries, source.seriesInstanceUid),
      textContent("HAS CONCEPT MOD", terms.algorithmName, algorithm.name),
      textContent("HAS CONCEPT MOD", terms.algorithmVersion, algorithm.version),
      textContent(
        "HAS CONCEPT MOD",
        terms.algorithmParameters,
        `${provenance(context)}; ${researchUseOnly}; probabilities are not calibrated`,
      ),
      codeContent("HAS CONCEPT MOD", terms.findingSite, lymphNodeTerms.region, side),
      numberContent(terms.volume, node.volumeMl, terms.cubicCentimetre),
      numberContent(terms.shortAxis, node.shortAxisMm, terms.millimetre),
      numberContent(terms.longAxis, node.longAxisMm, terms.millimetre),
      ...densityItems(node),
      ...certaintyItems(node),
    ],
    "1411",
  );
}

function densityItems({ huMean, huSd }: ReportedNode): Item[] {
  const density = (value: number | null, derivation: Code) =>
    value === null
      ? []
      : [
          numberContent(terms.attenuation, value, terms.hounsfieldUnit, [
            codeContent("HAS CONCEPT MOD", terms.derivation, derivation),
          ]),
        ];
  return [...density(huMean, terms.mean), ...density(huSd, terms.standardDeviation)];
}

function certaintyItems({ meanProbability }: ReportedNode): Item[] {
  if (meanProbability === undefined) return [];
  const mean = codeContent("HAS CONCEPT MOD", terms.derivation, terms.mean);
  return [numberContent(terms.certainty, 100 * meanProbability, terms.percent, [mean])];
}

function referenceToSeg(seg: DicomDataset): Item {
  return referenceTo({
    sopClassUid: textOf(seg, "SOPClassUID"),
    sopInstanceUid: textOf(seg, "SOPInstanceUID"),
    frame: null,
  });
}
