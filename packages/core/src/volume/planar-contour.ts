// A closed contour in a plane of the patient, as an RTSTRUCT stores for each ROI and slice.
import type { Vector3 } from "./volume.js";

/** At least three points in a plane, LPS mm; the last is joined to the first. */
export interface PlanarContour {
  readonly pointsMm: readonly Vector3[];
}
