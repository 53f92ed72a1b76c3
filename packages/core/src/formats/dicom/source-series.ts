// What a segmentation must say of the CT series it was drawn on, so that every viewer puts it there.
import type { Geometry } from "../../volume/volume.js";

/** The patient and study attributes that a derived object copies from its source, as DICOM strings; empty where unknown. */
export interface StudyIdentity {
  readonly patientName: string;
  readonly patientId: string;
  readonly patientBirthDate: string;
  readonly patientSex: string;
  readonly studyInstanceUid: string;
  readonly studyDate: string;
  readonly studyTime: string;
  readonly studyId: string;
  readonly accessionNumber: string;
  /** Whether what identifies the patient was replaced; an object then says so. */
  readonly isAnonymous?: true;
}

/** A CT series as the source of a SEG or RTSTRUCT. */
export interface SourceSeries {
  readonly study: StudyIdentity;
  readonly seriesInstanceUid: string;
  readonly frameOfReferenceUid: string;
  readonly modality: string;
  /** The grid of the series' volume, as it was read. */
  readonly geometry: Geometry;
  /**
   * For each k of {@link geometry}: the image that lies there. Null where the volume was resampled from uneven or
   * tilted slices, so that no slice of it is an image of the series; `instances` then lists them in order of position.
   */
  readonly slices: readonly SourceInstance[] | null;
  readonly instances: readonly SourceInstance[];
  /** For each of `instances`: where it lies along the third axis of {@link geometry}, from the first plane, mm. */
  readonly distancesMm: readonly number[];
}

/** One image of a series: a slice's file, or a frame of a multi-frame file. */
export interface SourceInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** From 1, in a multi-frame file; null where the file is one slice. */
  readonly frame: number | null;
}

/**
 * What the host gives to a writer of DICOM, since the library has no clock and no randomness.
 */
export interface WritingContext {
  /** A UID that nobody else has, each time anew (2.25 and a UUID will do). */
  readonly newUid: () => string;
  readonly now: Date;
  /** What drew the segmentation, such as lnsnet and its version. */
  readonly algorithm: { readonly name: string; readonly version: string };
  /** The trained models whose segmentation it is; none where it comes from somewhere else. */
  readonly models: readonly ModelIdentity[];
}

/** A trained model, as every result names it. */
export interface ModelIdentity {
  readonly name: string;
  /** The data that it was trained on, such as "phantom". */
  readonly trainedOn: string;
  /** Of the file of weights, hexadecimal. */
  readonly sha256: string;
}
