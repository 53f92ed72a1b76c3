// Checks whether the voxels of an image can be the HU of a CT of a person.
import { InputError } from "../errors.js";
import type { Volume } from "../volume/volume.js";

/**
 * Refuses an image that is not a CT in HU: MR, PET, labels, normalised values, stored values without their intercept. See
 * {@link ctProblem}.
 *
 * @param name - of the file, for the message
 * @throws InputError
 */
export function requireCt(scan: Volume, name: string): void {
  const problem = ctProblem(scan);
  if (problem !== null) throw new InputError(`${name} is not a CT in HU: ${problem}.`);
}

/**
 * Why the voxels cannot be the HU of a CT of a person, and what to do, as a clause; null where they can.
 *
 * Only tissue is checked, because air may be cropped away and padding (−1024, −2000, −3024, −8192) tells nothing: of the
 * voxels above −500 HU, at least 0.5 % must be in the range of fat (−200 to −30 HU) and 30 % in the range of soft tissue
 * (−200 to 200 HU). So a tight crop of a neck passes, and a CT clipped to −160 … 240 HU; a CT clipped above fat does
 * not.
 */
export function ctProblem({ data }: Volume): string | null {
  if (looksLikeHu(data, 0)) return null;
  const [lowest, highest] = rangeOf(data);
  const range = `its values lie from ${short(lowest)} to ${short(highest)}`;
  if (highest - lowest < fatToMuscleHu) {
    return `${range}, as those of labels or of a normalised image do; give the image itself, in HU`;
  }
  if (lowest >= 0 && looksLikeHu(data, usualIntercept)) {
    return `${range}, as stored values do without the rescale intercept (${usualIntercept} as a rule); apply it, or give the DICOM series`;
  }
  return `${range}, and too few of them are those of fat and soft tissue (−200 to 200), so it may be MR, PET, a picture or a CT clipped above fat; give a CT of the neck`;
}

/** Difference between fat (about −100 HU) and muscle (about 50 HU). */
const fatToMuscleHu = 150;
const usualIntercept = -1024;
const bodyAboveHu = -500;
const fatHu = { low: -200, high: -30 };
const softTissueHu = { low: -200, high: 200 };
/** A neck has ten times this share of fat, and even a crop within muscles has more. */
const minFatShare = 0.005;
/** Even a head with all its bone has more than 60 % soft tissue. */
const minSoftShare = 0.3;

function looksLikeHu(data: ArrayLike<number>, intercept: number): boolean {
  let body = 0;
  let fat = 0;
  let soft = 0;
  for (let at = 0; at < data.length; at++) {
    const hu = data[at] + intercept;
    if (hu <= bodyAboveHu) continue;
    body++;
    if (hu < softTissueHu.low || hu > softTissueHu.high) continue;
    soft++;
    if (hu >= fatHu.low && hu <= fatHu.high) fat++;
  }
  return body > 0 && fat >= minFatShare * body && soft >= minSoftShare * body;
}

function rangeOf(data: ArrayLike<number>): readonly [number, number] {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < data.length; at++) {
    if (data[at] < lowest) lowest = data[at];
    if (data[at] > highest) highest = data[at];
  }
  return [lowest, highest];
}

/** A number with a few digits. */
function short(value: number): string {
  return Number.isInteger(value) ? `${value}` : value.toPrecision(3);
}
