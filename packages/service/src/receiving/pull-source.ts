// What a PACS that is asked for studies offers, whichever way it is asked.
import type { Received } from "./reception.js";

/** Which studies: that of an accession number, that of a UID, or those of some days (as DICOM writes a range of dates). */
export type WantedStudies =
  | { readonly accession: string }
  | { readonly study: string }
  | { readonly dates: string };

/** What a source states of a series beside its UIDs, and by what rules may choose. */
export const listedAttributes = [
  ...(["StudyDate", "StudyDescription", "AccessionNumber"] as const),
  ...(["Modality", "SeriesDescription", "BodyPartExamined", "SeriesNumber"] as const),
] as const;

/** A CT series, as a source lists it. */
export interface ListedSeries {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  /** How many instances the source has of it; null where it does not say. */
  readonly instances: number | null;
  /** {@link listedAttributes} that the source states. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A PACS that is asked for studies. */
export interface PullSource {
  /** The CT series of the studies. @throws InputError where it does not answer; the signal's reason */
  list(wanted: WantedStudies, signal: AbortSignal): Promise<ListedSeries[]>;
  /** Takes in a series. @throws InputError where not all of it came, and what came before stays; the signal's reason */
  fetch(series: ListedSeries, signal: AbortSignal): Promise<Received>;
}

/** What a source needs of the service. */
export interface PullHost {
  /** Takes an instance in. */
  readonly take: (bytes: Uint8Array, name: string) => Promise<Received>;
  /** The AE title of our receiver, to which a PACS sends what is asked for by C-MOVE; null where there is none. */
  readonly receiverTitle: string | null;
}

export type ListedAttribute =
  | (typeof listedAttributes)[number]
  | "SeriesInstanceUID"
  | "NumberOfSeriesRelatedInstances";

/**
 * The series of an answer; none where it has no usable UID.
 *
 * @param textOf the text of an attribute in the answer; empty where it has none
 */
export function listedSeries(
  studyInstanceUid: string,
  textOf: (attribute: ListedAttribute) => string,
): ListedSeries[] {
  const seriesInstanceUid = textOf("SeriesInstanceUID");
  if (!uidPattern.test(seriesInstanceUid)) return [];
  const stated = listedAttributes.map((attribute) => [attribute, textOf(attribute)]);
  const attributes = Object.fromEntries(stated.filter(([, value]) => value !== ""));
  const instances = Number(textOf("NumberOfSeriesRelatedInstances")) || null;
  return [{ studyInstanceUid, seriesInstanceUid, instances, attributes }];
}

/** PS3.5, 9.1: digits and dots, at most 64. */
export const uidPattern = /^[0-9.]{1,64}$/;
