// Removes what identifies the patient from a source series, for segmentations that leave the hospital.
import type { SourceInstance, SourceSeries } from "./source-series.js";

/**
 * An anonymous copy of the source that a SEG or RTSTRUCT refers to: of the attributes that we write, names, numbers and
 * dates are emptied, the patient is called "Anonymous", and every UID is replaced (basic profile of PS3.15, annex E).
 * The geometry stays. The references match the images only if those were given the same new UIDs.
 *
 * @param replaceUid must always give the same new UID for the same old UID
 */
export function anonymousSource(source: SourceSeries, replaceUid: (uid: string) => string): SourceSeries {
  const replace = (uid: string) => (uid === "" ? "" : replaceUid(uid));
  const instance = (original: SourceInstance): SourceInstance => ({
    ...original,
    sopInstanceUid: replace(original.sopInstanceUid),
  });
  return {
    ...source,
    study: {
      patientName: "Anonymous",
      patientId: "Anonymous",
      patientBirthDate: "",
      patientSex: "",
      studyInstanceUid: replace(source.study.studyInstanceUid),
      studyDate: "",
      studyTime: "",
      studyId: "",
      accessionNumber: "",
      isAnonymous: true,
    },
    seriesInstanceUid: replace(source.seriesInstanceUid),
    frameOfReferenceUid: replace(source.frameOfReferenceUid),
    slices: source.slices?.map(instance) ?? null,
    instances: source.instances.map(instance),
  };
}
