// A closed outline in a plane of the patient: what an RTSTRUCT stores of a body, slice by slice.
import type { Vector3 } from "./volume.js";

/** At least three points of one plane, LPS mm; the last joins the first. */
export interface PlanarContour {
  readonly pointsMm: readonly Vector3[];
}
