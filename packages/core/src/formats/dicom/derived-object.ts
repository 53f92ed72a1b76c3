// What a SEG, an RTSTRUCT and an SR that we write have in common: whose they are, who made them, and that they are for research.
import { InputError } from "../../errors.js";
import type { Item } from "./encode.js";
import type { SourceInstance, SourceSeries, WritingContext } from "./source-series.js";

/** Stands in every object that we write. */
export const researchUseOnly = "RESEARCH USE ONLY";

/** Attributes of an object whose own UIDs, dates and modality are filled in. */
export type DerivedModules = Item & { readonly SOPClassUID: string; readonly SOPInstanceUID: string };

/**
 * The modules patient, general study, series, frame of reference, general equipment and SOP common (PS3.3, C.7 and
 * C.12) of a new object in the study of its source. Text is UTF-8. Dates are those of the host's time zone.
 *
 * @throws InputError where the source has no frame of reference, without which nothing can be placed
 */
export function derivedModules(
  source: SourceSeries,
  context: WritingContext,
  object: {
    modality: "SEG" | "RTSTRUCT" | "SR";
    sopClassUid: string;
    seriesNumber: number;
    seriesDescription: string;
  },
): DerivedModules {
  if (source.frameOfReferenceUid === "") {
    throw new InputError(
      `The series ${source.seriesInstanceUid} has no Frame of Reference UID, and a ${object.modality} needs one to lie at its place; write NIfTI or NRRD instead.`,
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
    // Must be there, and may be empty: whoever sent the patient has no part in what an algorithm drew.
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
 * Whether models drew what is written. Of other labels nobody knows how they were made, so that no algorithm is named as
 * theirs (PS3.3, C.8.20.2).
 */
export function isDrawnByModels({ models }: WritingContext): boolean {
  return models.length > 0;
}

/** How an object was drawn, as a sentence. */
export function origin(context: WritingContext): string {
  return isDrawnByModels(context)
    ? `Drawn by ${provenance(context)}.`
    : `Not known how it was drawn; converted by ${provenance(context)}.`;
}

/** What wrote an object, for a reader who wants to know: program, models, their data and weights. */
export function provenance({ algorithm, models }: WritingContext): string {
  const drawnBy = models.map(
    ({ name, trainedOn, sha256 }) => `model ${name}, trained on ${trainedOn}, weights SHA-256 ${sha256}`,
  );
  return [`${algorithm.name} ${algorithm.version}`, ...drawnBy].join("; ");
}

/** What the models were trained on, shortly; empty without a model. */
export function trainedOn({ models }: WritingContext): string {
  const data = [...new Set(models.map((model) => model.trainedOn))].join(" and ");
  return data === "" ? "" : `, model trained on ${data}`;
}

/** How sure the models were of a node, as a sentence; none where it is not known. */
export function probabilityText(meanProbability: number | null | undefined): string {
  return meanProbability == null ? "" : ` Mean probability ${meanProbability.toFixed(3)}, not calibrated.`;
}

/** A date and time as DICOM writes them (DA, TM), in the host's time zone. */
export function dateAndTime(now: Date): { date: string; time: string } {
  const two = (value: number) => String(value).padStart(2, "0");
  return {
    date: `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`,
    time: `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`,
  };
}

/** A reference to one image, and to its frame where it has several (SOP Instance Reference macro). */
export function referenceTo(instance: SourceInstance): Item {
  return {
    ReferencedSOPClassUID: instance.sopClassUid,
    ReferencedSOPInstanceUID: instance.sopInstanceUid,
    ...(instance.frame === null ? {} : { ReferencedFrameNumber: String(instance.frame) }),
  };
}

/** A reference to each file of a series, once. */
export function referencesToFiles(instances: readonly SourceInstance[]): Item[] {
  const files = new Map(instances.map((instance) => [instance.sopInstanceUid, instance]));
  return [...files.values()].map((instance) => referenceTo({ ...instance, frame: null }));
}

/** A coded term: value, coding scheme, meaning. */
export type Code = readonly [value: string, scheme: "SCT" | "DCM" | "UCUM" | "RFC5646", meaning: string];

export function codeItem([value, scheme, meaning]: Code): Item {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}

/** Terms of SNOMED CT in PS3.16: category of CID 7150, type of CID 7166 and 7192, region of CID 4031. */
export const lymphNodeTerms = {
  category: ["91723000", "SCT", "Anatomical Structure"],
  type: ["59441001", "SCT", "Lymph node"],
  region: ["774007", "SCT", "Head and Neck"],
} as const satisfies Record<string, Code>;

/** A colour of its own for the n-th node, red, green and blue up to 255; neighbours in number differ most. */
export function nodeColour(n: number): readonly [number, number, number] {
  // Turning the hue by the golden angle keeps any number of colours apart.
  const hue = (n * 137.508) % 360;
  const channel = (shift: number) => {
    const k = (shift + hue / 30) % 12;
    return Math.round(255 * (0.55 - 0.4 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Text that fits an attribute of limited length. */
export function shortened(text: string, characters: number): string {
  return [...text.replaceAll("\\", "/")].slice(0, characters).join("");
}
