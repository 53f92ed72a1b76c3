// The modules that every SEG, RTSTRUCT, SR and secondary capture that we write has in common: patient, study, equipment, and the research-use statement.
import { InputError } from "../../errors.js";
import type { Item } from "./encode.js";
import type { SourceInstance, SourceSeries, WritingContext } from "./source-series.js";

/** Part of every object that we write. */
export const researchUseOnly = "RESEARCH USE ONLY";

/** Attributes of an object with its own UIDs, dates and modality filled in. */
export type DerivedModules = Item & { readonly SOPClassUID: string; readonly SOPInstanceUID: string };

/**
 * The modules patient, general study, series, frame of reference, general equipment and SOP common (PS3.3, C.7 and
 * C.12) of a new object in the study of its source. Text is UTF-8. Dates are in the host's time zone.
 *
 * @throws InputError where the source has no frame of reference, which all but pictures (OT) need to state positions
 */
export function derivedModules(
  source: SourceSeries,
  context: WritingContext,
  object: {
    modality: "SEG" | "RTSTRUCT" | "SR" | "OT";
    sopClassUid: string;
    seriesNumber: number;
    seriesDescription: string;
  },
): DerivedModules {
  if (source.frameOfReferenceUid === "" && object.modality !== "OT") {
    throw new InputError(
      `The series ${source.seriesInstanceUid} has no Frame of Reference UID, and a ${object.modality} needs it to state positions; write NIfTI or NRRD instead.`,
    );
  }
  const { study } = source;
  const { date, time } = dateAndTime(context.now);
  return {
    SpecificCharacterSet: "ISO_IR 192",
    PatientName: study.patientName,
    PatientID: study.patientId,
    PatientBirthDate: study.patientBirthDate,
    PatientSex: study.patientSex,
    ...(study.isAnonymous === true
      ? { PatientIdentityRemoved: "YES", DeidentificationMethod: "names, dates and UIDs replaced (PS3.15 E)" }
      : {}),
    StudyInstanceUID: study.studyInstanceUid,
    StudyDate: study.studyDate,
    StudyTime: study.studyTime,
    StudyID: study.studyId,
    AccessionNumber: study.accessionNumber,
    // Required, but may be empty: the referring physician has no part in what an algorithm drew.
    ReferringPhysicianName: "",
    Modality: object.modality,
    SeriesInstanceUID: context.newUid(),
    SeriesNumber: String(object.seriesNumber),
    SeriesDescription: `${object.seriesDescription}, ${researchUseOnly}`,
    SeriesDate: date,
    SeriesTime: time,
    FrameOfReferenceUID: source.frameOfReferenceUid,
    PositionReferenceIndicator: "",
    Manufacturer: context.algorithm.name,
    ManufacturerModelName: context.algorithm.name,
    DeviceSerialNumber: "none",
    SoftwareVersions: context.algorithm.version,
    SOPClassUID: object.sopClassUid,
    SOPInstanceUID: context.newUid(),
    InstanceNumber: "1",
    InstanceCreationDate: date,
    InstanceCreationTime: time,
  };
}

/**
 * Whether models drew the segmentation. How other labels were made is not known, so no algorithm is stated for them
 * (PS3.3, C.8.20.2).
 */
export function isDrawnByModels({ models }: WritingContext): boolean {
  return models.length > 0;
}

/** A sentence that says how an object was drawn. */
export function origin(context: WritingContext): string {
  return isDrawnByModels(context)
    ? `Drawn by ${provenance(context)}.`
    : `How it was drawn is not known; converted by ${provenance(context)}.`;
}

/** What wrote an object: the program, its models, their training data and weights. */
export function provenance({ algorithm, models }: WritingContext): string {
  const drawnBy = models.map(
    ({ name, trainedOn, sha256 }) => `model ${name}, trained on ${trainedOn}, weights SHA-256 ${sha256}`,
  );
  return [`${algorithm.name} ${algorithm.version}`, ...drawnBy].join("; ");
}

/** The training data of the models, in short; empty without a model. */
export function trainedOn({ models }: WritingContext): string {
  const data = [...new Set(models.map((model) => model.trainedOn))].join(" and ");
  return data === "" ? "" : `, model trained on ${data}`;
}

/** A sentence with the mean probability of a node; empty where it is not known. */
export function probabilityText(meanProbability: number | null | undefined): string {
  return meanProbability == null ? "" : ` Mean probability ${meanProbability.toFixed(3)}, not calibrated.`;
}

/** Date and time in DICOM's format (DA, TM), in the host's time zone. */
export function dateAndTime(now: Date): { date: string; time: string } {
  const two = (value: number) => String(value).padStart(2, "0");
  return {
    date: `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`,
    time: `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`,
  };
}

/** A reference to an image, and to its frame if it has several (SOP Instance Reference macro). */
export function referenceTo(instance: SourceInstance): Item {
  return {
    ReferencedSOPClassUID: instance.sopClassUid,
    ReferencedSOPInstanceUID: instance.sopInstanceUid,
    ...(instance.frame === null ? {} : { ReferencedFrameNumber: String(instance.frame) }),
  };
}

/** One reference for each file of a series. */
export function referencesToFiles(instances: readonly SourceInstance[]): Item[] {
  const files = new Map(instances.map((instance) => [instance.sopInstanceUid, instance]));
  return [...files.values()].map((instance) => referenceTo({ ...instance, frame: null }));
}

/** A coded term: value, coding scheme, meaning. */
export type Code = readonly [value: string, scheme: "SCT" | "DCM" | "UCUM" | "RFC5646", meaning: string];

export function codeItem([value, scheme, meaning]: Code): Item {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}

/** Terms of SNOMED CT in PS3.16: category from CID 7150, type from CID 7166 and 7192, region from CID 4031. */
export const lymphNodeTerms = {
  category: ["91723000", "SCT", "Anatomical Structure"],
  type: ["59441001", "SCT", "Lymph node"],
  region: ["774007", "SCT", "Head and Neck"],
} as const satisfies Record<string, Code>;

/** What an object shows, in words. */
interface Subject {
  readonly title: string;
  /** As CS: capitals, digits and underscores, 16 at most. */
  readonly label: string;
}

/** Lymph nodes, or the classes of the models. */
export const subjectOf = ({ classNames }: WritingContext): Subject =>
  classNames === undefined
    ? { title: "Lymph nodes", label: "LYMPH_NODES" }
    : { title: shortened(classNames.join(", "), 32), label: "SEGMENTATION" };

/** A finding as far as its codes depend on it. */
export interface CodedFinding {
  /** False where it is of another class, whose meaning is known by its name alone, so that the code says tissue. */
  readonly isLymphNode?: boolean;
}

/** The coded terms of a finding. */
export const termsOf = ({
  isLymphNode = true,
}: CodedFinding): { readonly category: Code; readonly type: Code } =>
  isLymphNode ? lymphNodeTerms : { category: tissue, type: tissue };

const tissue: Code = ["85756007", "SCT", "Tissue"];

/** A distinct colour for the n-th node, red, green and blue up to 255; consecutive numbers differ most. */
export function nodeColour(n: number): readonly [number, number, number] {
  // Rotating the hue by the golden angle keeps any number of colours distinct.
  const hue = (n * 137.508) % 360;
  const channel = (shift: number) => {
    const k = (shift + hue / 30) % 12;
    return Math.round(255 * (0.55 - 0.4 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Text shortened to the length that an attribute allows. */
export function shortened(text: string, characters: number): string {
  return [...text.replaceAll("\\", "/")].slice(0, characters).join("");
}
