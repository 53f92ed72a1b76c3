// A phantom patient small enough to be segmented within seconds.
import { generatePatient, type PhantomPatient } from "lnsnet";

/** Of the held-out part of the cohort that the shipped model was trained on. */
export function examplePatient(): PhantomPatient {
  return generatePatient(2026, 60, {
    fieldMm: [96, 96, 90],
    inPlaneSpacingMm: [1.5, 1.5],
    sliceSpacingMm: [3, 3],
    obliqueShare: 0,
    reversedShare: 0,
  });
}
