// A source series without what identifies its patient, for segmentations that leave the house.
import type { SourceInstance, SourceSeries } from "./source-series.js";

/**
 * The series as a SEG or RTSTRUCT may name it: patient and study attributes by the basic profile of PS3.15, annex E, for
 * those that we write (names, numbers and dates empty, the patient called "Anonymous"), every UID replaced. The geometry
 * stays. The images themselves are found again only where they were given the same new UIDs.
 *
 * @param replaceUid gives the same new UID for the same old one, always
 */
export function anonymousSource(source: SourceSeries, replaceUid: (uid: string) => string): SourceSeries {
  const replace = (uid: string) => (uid === "" ? "" : replaceUid(uid));
  const instance = (one: SourceInstance): SourceInstance => ({
    ...one,
    sopInstanceUid: replace(one.sopInstanceUid),
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
