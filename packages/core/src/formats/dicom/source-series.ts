// What a segmentation must state about its CT series, so that every viewer shows it on that series.
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
  /** Set if the patient's identity was removed; a written object then states that. */
  readonly isAnonymous?: true;
}

/** A CT series as the source of a SEG or RTSTRUCT. */
export interface SourceSeries {
  readonly study: StudyIdentity;
  readonly seriesInstanceUid: string;
  readonly frameOfReferenceUid: string;
  readonly modality: string;
  /** The grid of the series' volume, as read. */
  readonly geometry: Geometry;
  /**
   * The image at each k of {@link geometry}. Null where the volume was resampled from uneven or tilted slices, so that
   * its slices are not images of the series; `instances` then lists the images in order of position.
   */
  readonly slices: readonly SourceInstance[] | null;
  readonly instances: readonly SourceInstance[];
  /** The position of each of `instances` along the third axis of {@link geometry}, from the first plane, mm. */
  readonly distancesMm: readonly number[];
}

/** An image of a series: the file of a slice, or a frame of a multi-frame file. */
export interface SourceInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** Counted from 1 in a multi-frame file; null where the file is a single slice. */
  readonly frame: number | null;
}

/**
 * What the host gives to a writer of DICOM, because the library has no clock and no randomness.
 */
export interface WritingContext {
  /** A new, globally unique UID at each call (2.25 and a UUID will do). */
  readonly newUid: () => string;
  readonly now: Date;
  /** The program that drew the segmentation, such as lnsnet and its version. */
  readonly algorithm: { readonly name: string; readonly version: string };
  /** The trained models that made the segmentation; empty where it has another origin. */
  readonly models: readonly ModelIdentity[];
  /** The classes that are drawn, where they are not lymph nodes alone. */
  readonly classNames?: readonly string[] | undefined;
}

/** A trained model, as every result names it. */
export interface ModelIdentity {
  readonly name: string;
  /** Its training data, such as "phantom". */
  readonly trainedOn: string;
  /** SHA-256 of the weights file, hexadecimal. */
  readonly sha256: string;
}
