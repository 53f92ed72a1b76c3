// Checks that a SEG or RTSTRUCT was drawn on the series that it is used with.
import { InputError } from "../../errors.js";
import type { SourceSeries } from "./source-series.js";

/** What an object states about the images it was drawn on; empty where it states nothing. */
export interface DrawnObject {
  /** The file, for messages. */
  readonly name: string;
  readonly frameOfReferenceUid: string;
  /** The series whose images it refers to, such as a CT and the PET of the same examination. */
  readonly referencedSeriesUids: readonly string[];
}

/**
 * Refuses an object that was drawn in another frame of reference or on another series, because its contours would lie
 * at wrong positions. If the object refers to several series, this series must be among them; if it refers to none,
 * only the frame of reference is compared.
 *
 * @throws InputError where the frame of reference or the series differs, or the object states neither
 */
export function requireDrawnOn(object: DrawnObject, source: SourceSeries): void {
  const { name, frameOfReferenceUid, referencedSeriesUids } = object;
  if (frameOfReferenceUid === "" && referencedSeriesUids.length === 0) {
    throw new InputError(
      `${name} states neither a frame of reference nor a series, so its place on the series ${source.seriesInstanceUid} is unknown; export it again together with its images.`,
    );
  }
  if (frameOfReferenceUid !== "" && frameOfReferenceUid !== source.frameOfReferenceUid) {
    throw new InputError(
      `${name} lies in the frame of reference ${frameOfReferenceUid}, and the series ${source.seriesInstanceUid} in ${source.frameOfReferenceUid || "none"}; choose the series that it was drawn on.`,
    );
  }
  if (referencedSeriesUids.length > 0 && !referencedSeriesUids.includes(source.seriesInstanceUid)) {
    throw new InputError(
      `${name} was drawn on the series ${referencedSeriesUids.join(", ")}, and the series ${source.seriesInstanceUid} was given; choose the series that it was drawn on.`,
    );
  }
}
