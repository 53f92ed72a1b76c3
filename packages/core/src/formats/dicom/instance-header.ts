// What a receiver of DICOM must know of an instance before anyone reads its pixels: whose it is, and by what it is routed.
import { InputError } from "../../errors.js";
import { parseDataset, textOf, usableNumberOf } from "./dataset.js";
import type { Attribute } from "./dictionary.js";

/**
 * The attributes by which a series may be routed. Nothing here names a patient, so that they may be kept and shown.
 */
export const routingAttributes = [
  ...(["Modality", "BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName"] as const),
  ...(["SliceThickness", "SpacingBetweenSlices", "ConvolutionKernel", "ContrastBolusAgent"] as const),
  ...(["Manufacturer", "ManufacturerModelName", "StationName", "InstitutionName"] as const),
  ...(["ImageType", "StudyDate", "SeriesNumber", "AccessionNumber", "SOPClassUID"] as const),
] as const satisfies readonly Attribute[];

/** An instance as its file states it. */
export interface InstanceHeader {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  /** How many instances the series has, where the file says so (Number of Series Related Instances); else null. */
  readonly instancesInSeries: number | null;
  /** {@link routingAttributes} that the file has: all values of one, separated by backslashes. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * The header of a DICOM file.
 *
 * @param name The file, for messages.
 * @throws InputError where the bytes are no whole DICOM file, or state no instance or series
 */
export function instanceHeader(bytes: Uint8Array, name: string): InstanceHeader {
  const dataset = parseDataset(bytes, name);
  const required = (attribute: Attribute): string => {
    const uid = textOf(dataset, attribute);
    if (uidPattern.test(uid)) return uid;
    throw new InputError(
      `${name} has ${uid === "" ? `no ${attribute}` : `the ${attribute} "${uid}"`}, and a DICOM UID was expected; export it again.`,
    );
  };
  return {
    sopClassUid: required("SOPClassUID"),
    sopInstanceUid: required("SOPInstanceUID"),
    seriesInstanceUid: required("SeriesInstanceUID"),
    studyInstanceUid: required("StudyInstanceUID"),
    instancesInSeries: usableNumberOf(dataset, "NumberOfSeriesRelatedInstances"),
    attributes: Object.fromEntries(
      routingAttributes
        .map((attribute) => [attribute, textOf(dataset, attribute).trim()] as const)
        .filter(([, value]) => value !== ""),
    ),
  };
}

/** PS3.5, 9.1: digits and dots, at most 64. */
const uidPattern = /^[0-9.]{1,64}$/;
