// Whether a SEG or RTSTRUCT was drawn on the series it is to be used with.
import { InputError } from "../../errors.js";
import type { SourceSeries } from "./source-series.js";

/** What an object says of the images it was drawn on; empty where it says nothing. */
export interface DrawnObject {
  /** The file, for messages. */
  readonly name: string;
  readonly frameOfReferenceUid: string;
  /** The series whose images it names, such as a CT and the PET beside it. */
  readonly referencedSeriesUids: readonly string[];
}

/**
 * Refuses an object of another patient position or another series: put on this one, its bodies would lie somewhere
 * else. An object may name several series, of
 * which this must be one; one that names none is taken by its frame of reference alone.
 *
 * @throws InputError where the frame of reference or the series differs, or the object names neither
 */
export function requireDrawnOn(object: DrawnObject, source: SourceSeries): void {
  const { name, frameOfReferenceUid, referencedSeriesUids } = object;
  if (frameOfReferenceUid === "" && referencedSeriesUids.length === 0) {
    throw new InputError(
      `${name} names neither a frame of reference nor a series, so that its place on the series ${source.seriesInstanceUid} is unknown; export it again together with its images.`,
    );
  }
  if (frameOfReferenceUid !== "" && frameOfReferenceUid !== source.frameOfReferenceUid) {
    throw new InputError(
      `${name} lies in the frame of reference ${frameOfReferenceUid}, and the series ${source.seriesInstanceUid} in ${source.frameOfReferenceUid || "none"}; name the series that it was drawn on.`,
    );
  }
  if (referencedSeriesUids.length > 0 && !referencedSeriesUids.includes(source.seriesInstanceUid)) {
    throw new InputError(
      `${name} was drawn on the series ${referencedSeriesUids.join(", ")}, and the series ${source.seriesInstanceUid} was given; name the series that it was drawn on.`,
    );
  }
}
