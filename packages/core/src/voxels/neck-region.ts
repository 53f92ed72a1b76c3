// Where lymph nodes of the head and neck can lie in a scan, so that air, chest and vault of the skull are not computed.
import { type LpsBox, lpsBounds } from "../volume/bounds.js";
import { cropGeometry } from "../volume/crop.js";
import { type Geometry, type Vector3, type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { bodyMask } from "./body-mask.js";
import { coarseScan } from "./coarse-scan.js";
import { labelRuns } from "./components.js";
import { fillHoles } from "./fill-holes.js";
import { dilate, erode, foregroundBox, type IndexBox } from "./morphology.js";

/** The body between two heights. The box holds all of it. */
export interface NeckRegion extends LpsBox {
  /** "neck" where lungs or skull were found, which limit it; "whole" where neither was, and all of the scan counts. */
  readonly found: "neck" | "whole";
  /** What was found and what follows, a sentence each. */
  readonly reasons: readonly string[];
  /** 0 or 1 on a grid of about 4 mm along L, P, S; a voxel more on every side than what shows as body. */
  readonly body: Volume<Uint8Array>;
}

/** A scan without any of the neck. */
export interface NoNeck {
  readonly found: "none";
  /** What was found instead, a clause to follow "no neck was found: ". */
  readonly reason: string;
}

/**
 * Finds the neck by the lungs and the skull, on a coarse copy of the scan. Whatever is in doubt belongs to the region:
 * a landmark that is not seen clearly limits nothing.
 *
 * - **Downward** to 80 mm below the highest lung section of 10 cm². Levels IV, V and VI end at clavicles and manubrium,
 *   VII at the brachiocephalic trunk (Grégoire et al., Radiother Oncol 110, 2014; AJCC 8). The apices stand some 30 mm
 *   above the manubrium, the trunk lies some 40 mm below its upper edge.
 * - **Upward** to 60 mm above the lowest section of 60 mm and more in which bone encloses 30 cm² of soft tissue, which
 *   is the posterior fossa just above the foramen magnum. The highest nodes, parotid, retroauricular, occipital and
 *   retropharyngeal, end at ear canal, occipital protuberance and skull base, 20 to 30 mm above the foramen;
 *   the rest is for a head that is tilted.
 *
 * Lungs that reach the scan's highest section mean a chest or an abdomen, without a neck.
 *
 * @param scan - HU, in any orientation
 */
export function findNeckRegion(scan: Volume): NeckRegion | NoNeck {
  const coarse = coarseScan(scan);
  const body = bodyMask(coarse);
  const bodyBox = foregroundBox(body, coarse.size);
  if (bodyBox === null) return { found: "none", reason: "nothing in it is denser than air" };
  const heightMm = (k: number) => coarse.originMm[2] + (k - 0.5) * coarse.spacingMm[2];
  const topSlice = bodyBox.start[2] + bodyBox.size[2] - 1;
  const lungAreasMm2 = lungAreas(coarse, body);
  const lungTop = lungAreasMm2.findLastIndex((area) => area >= leastLungMm2);
  const skullBase = lowestOfSkull(coarse, body, lungTop);

  const reasons: string[] = [];
  let lowMm = Number.NEGATIVE_INFINITY;
  let highMm = Number.POSITIVE_INFINITY;
  if (lungTop >= 0 && skullBase >= 0 && lungTop >= skullBase) {
    reasons.push("Lungs seem to lie above the skull, so neither limits the region.");
  } else {
    if (lungTop === topSlice) {
      const areaCm2 = Math.round(lungAreasMm2[topSlice] / 100);
      return {
        found: "none",
        reason: `lungs of ${areaCm2} cm² reach its highest slice, so it ends below the neck`,
      };
    }
    if (lungTop < 0) reasons.push("No lungs were found: the region reaches down to the scan's end.");
    else {
      lowMm = heightMm(lungTop + 1) - belowLungTopMm;
      reasons.push(
        `Lungs reach up to z = ${heightMm(lungTop + 1).toFixed(0)} mm: the region begins ${belowLungTopMm} mm below.`,
      );
    }
    if (skullBase < 0) reasons.push("No skull was found: the region reaches up to the scan's end.");
    else {
      highMm = heightMm(skullBase) + aboveSkullBaseMm;
      reasons.push(
        `The skull encloses the brain from z = ${heightMm(skullBase).toFixed(0)} mm: the region ends ${aboveSkullBaseMm} mm above.`,
      );
    }
  }
  const grown = dilate(body, coarse.size);
  const sliceVoxels = coarse.size[0] * coarse.size[1];
  for (let k = 0; k < coarse.size[2]; k++) {
    if (heightMm(k + 1) <= lowMm || heightMm(k) >= highMm)
      grown.fill(0, k * sliceVoxels, (k + 1) * sliceVoxels);
  }
  const { size, start } = foregroundBox(grown, coarse.size) as IndexBox;
  return {
    found: Number.isFinite(lowMm) || Number.isFinite(highMm) ? "neck" : "whole",
    reasons,
    ...lpsBounds(cropGeometry(coarse, start, size)),
    body: { ...coarse, data: grown },
  };
}

/**
 * For boxes of voxels of a grid, whether any of the region lies in them. A box may leave the grid.
 *
 * @param grid - of a scan, in any orientation; boxes of an oblique one count with the LPS box around them
 */
export function regionTest({ body }: NeckRegion, grid: Geometry): (box: IndexBox) => boolean {
  const faces = lpsBounds(body).lowMm;
  return ({ start, size }) => {
    const { lowMm, highMm } = lpsBounds(cropGeometry(grid, start, size));
    const first = (axis: 0 | 1 | 2) =>
      Math.max(0, Math.floor((lowMm[axis] - faces[axis]) / body.spacingMm[axis] + rounding));
    const end = (axis: 0 | 1 | 2) =>
      Math.min(body.size[axis], Math.ceil((highMm[axis] - faces[axis]) / body.spacingMm[axis] - rounding));
    for (let k = first(2); k < end(2); k++) {
      for (let j = first(1); j < end(1); j++) {
        const row = body.size[0] * (j + body.size[1] * k);
        if (body.data.subarray(row + first(0), row + Math.max(first(0), end(0))).includes(1)) return true;
      }
    }
    return false;
  };
}

const belowLungTopMm = 80;
const aboveSkullBaseMm = 60;
/** Twice the section of a wide trachea. */
const leastLungMm2 = 1000;
/** A body of gas in which a disc of 24 mm fits slice by slice: more than airway or sinuses have. */
const leastLungMl = 100;
const lungOpeningMm = 12;
/** Tissue lies in lungs, also emphysematous ones; free air, as between raised arms or in the stomach, is below. */
const leastMeanLungHu = -950;
const gasBelowHu = -500;
/** Above contrast in vessels at this spacing's averaging, below the thinnest vault. */
const boneFromHu = 200;
const brainHu = { low: -50, high: 150 };
const leastBrainMm2 = 3000;
/** Height of slices with a closed skull, together. */
const leastSkullMm = 40;
/** Above enamel. */
const metalFromHu = 2800;
/** Share of a voxel by which rounding may move a box. */
const rounding = 1e-6;

/** The area of lungs in each slice, mm². */
function lungAreas(scan: Volume<Float32Array>, body: Uint8Array): Float64Array {
  const { size, spacingMm } = scan;
  const gas = body.map((value, at) => (value === 1 && scan.data[at] < gasBelowHu ? 1 : 0));
  // Slices out of the ball's reach, so that it is a disc in each.
  const disc = {
    radiusMm: lungOpeningMm,
    spacingMm: [spacingMm[0], spacingMm[1], 100 * lungOpeningMm],
  } as const;
  const opened = dilate(erode(gas, size, disc), size, disc);
  const { starts, ends, runLabels, sizes } = labelRuns(opened, size, 6);
  const sums = new Float64Array(sizes.length);
  starts.forEach((start, run) => {
    for (let at = start; at < ends[run]; at++) sums[runLabels[run] - 1] += scan.data[at];
  });
  const isLung = sizes.map(
    (voxels, label) =>
      voxels * voxelVolumeMm3(scan) >= leastLungMl * 1000 && sums[label] / voxels > leastMeanLungHu,
  );
  const areas = new Float64Array(size[2]);
  starts.forEach((start, run) => {
    if (!isLung[runLabels[run] - 1]) return;
    areas[Math.floor(start / (size[0] * size[1]))] += (ends[run] - start) * spacingMm[0] * spacingMm[1];
  });
  return areas;
}

/**
 * The lowest of the slices above `below` in which bone closes around the brain; −1 where there are too few. Two must
 * follow each other; gaps above them are common, since the orbits open the ring. Slices with metal do not count: its
 * streaks look like bone.
 */
function lowestOfSkull(scan: Volume<Float32Array>, body: Uint8Array, below: number): number {
  const closed: number[] = [];
  for (let k = below + 1; k < scan.size[2]; k++) {
    if (enclosedTissueMm2(scan, body, k) >= leastBrainMm2) closed.push(k);
  }
  if (closed.length * scan.spacingMm[2] < leastSkullMm) return -1;
  return closed.find((k, at) => closed[at + 1] === k + 1) ?? -1;
}

/** The soft tissue of a slice around which bone closes, but for gaps of two voxels, mm². */
function enclosedTissueMm2(
  { size, spacingMm, data }: Volume<Float32Array>,
  body: Uint8Array,
  k: number,
): number {
  const [width, height] = size;
  const start = k * width * height;
  if (hasMetal(data.subarray(start, start + width * height))) return 0;
  const bone = new Uint8Array(width * height);
  for (let at = 0; at < bone.length; at++) {
    if (body[start + at] === 1 && data[start + at] >= boneFromHu) bone[at] = 1;
  }
  const slice: Vector3 = [width, height, 1];
  const closed = dilate(bone, slice, { radiusMm: 1.5, spacingMm: [1, 1, 1] });
  const filled = closed.slice();
  fillHoles(filled, [width, height], Number.POSITIVE_INFINITY);
  let pixels = 0;
  for (let at = 0; at < filled.length; at++) {
    const hu = data[start + at];
    if (filled[at] !== closed[at] && hu >= brainHu.low && hu <= brainHu.high) pixels++;
  }
  return pixels * spacingMm[0] * spacingMm[1];
}

function hasMetal(slice: Float32Array): boolean {
  return slice.some((hu) => hu >= metalFromHu);
}
