// Finds the part of a scan where lymph nodes of the head and neck can lie, so that air, chest and skull vault are skipped.
import { type LpsBox, lpsBounds } from "../volume/bounds.js";
import { cropGeometry } from "../volume/crop.js";
import { type Vector3, type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { bodyMask } from "./body-mask.js";
import { coarseScan } from "./coarse-scan.js";
import { labelRuns } from "./components.js";
import { fillHoles } from "./fill-holes.js";
import { dilate, foregroundBox, type IndexBox } from "./morphology.js";
import { growByDisc, inverted } from "./slice-disc.js";

/** The body between two heights, with its bounding box. */
export interface NeckRegion extends LpsBox {
  /** "neck" if lungs or skull were found, which limit the region; "whole" if neither was found, so that it is the whole body. */
  readonly found: "neck" | "whole";
  /** z of the highest slice with lungs, and of the lowest slice with a closed skull; null where there is none. */
  readonly lungTopMm: number | null;
  readonly skullMm: number | null;
  /** Sentences that say what was found and how it limits the region. */
  readonly reasons: readonly string[];
  /** The region, 0 or 1, on a grid of about 4 mm along L, P, S; with a margin of 12 mm around the body. */
  readonly body: Volume<Uint8Array>;
}

/** The result for a scan that does not contain the neck. */
export interface NoNeck {
  readonly found: "none";
  /** The reason: a clause to follow "no neck was found: ". */
  readonly reason: string;
}

/**
 * Finds the neck by the lungs and the skull, on a coarse copy of the scan. In doubt the region is larger: a landmark that
 * is not seen clearly is not used as a limit.
 *
 * - **Downward** to 80 mm below the highest slice with 10 cm² of lung. Levels IV, V and VI end at clavicles and manubrium
 *   (Grégoire et al., Radiother Oncol 110, 2014), VII at the brachiocephalic trunk (AJCC 8). The lung apices are about
 *   30 mm above the manubrium's upper edge, the trunk is about 40 mm below it.
 * - **Upward** to 60 mm above the lowest slice in which bone encloses 30 cm² of soft tissue: the posterior fossa, about
 *   15 mm above the foramen magnum. The highest nodes (parotid, retroauricular, occipital, retropharyngeal) end at ear
 *   canal, occipital protuberance and skull base, 20 to 30 mm above the foramen; the rest allows for a tilted head.
 *
 * Lungs that reach the highest section mean a chest or an abdomen without a neck.
 *
 * @param scan - HU, in any orientation
 */
export function findNeckRegion(scan: Volume): NeckRegion | NoNeck {
  const coarse = coarseScan(scan);
  const body = bodyMask(coarse);
  const bodyBox = foregroundBox(body, coarse.size);
  if (bodyBox === null) return { found: "none", reason: "it holds nothing denser than air" };
  const faceMm = (k: number) => coarse.originMm[2] + (k - 0.5) * coarse.spacingMm[2];
  const lungsMm2 = lungAreas(coarse, body);
  const lungTop = lungsMm2.findLastIndex((area) => area >= minLungMm2);
  if (lungTop === bodyBox.start[2] + bodyBox.size[2] - 1) {
    const areaCm2 = Math.round(lungsMm2[lungTop] / 100);
    return {
      found: "none",
      reason: `lungs of ${areaCm2} cm² reach its highest slice, so it ends below the neck`,
    };
  }
  const skull = lowestSkullSlice(coarse, body, lungTop);
  const lungTopMm = lungTop < 0 ? null : faceMm(lungTop + 1);
  const skullMm = skull < 0 ? null : faceMm(skull);
  return {
    found: lungTopMm === null && skullMm === null ? "whole" : "neck",
    lungTopMm,
    skullMm,
    reasons: [
      lungTopMm === null
        ? "No lungs were found: the region reaches down to the scan's end."
        : `Lungs reach up to z = ${lungTopMm.toFixed(0)} mm: the region begins ${belowLungTopMm} mm below that.`,
      skullMm === null
        ? "No closed skull was found: the region reaches up to the scan's end."
        : `The skull closes around the brain from z = ${skullMm.toFixed(0)} mm on: the region ends ${aboveSkullMm} mm above that.`,
    ],
    ...bodyBetween(
      { ...coarse, data: body },
      lungTopMm === null ? Number.NEGATIVE_INFINITY : lungTopMm - belowLungTopMm,
      skullMm === null ? Number.POSITIVE_INFINITY : skullMm + aboveSkullMm,
    ),
  };
}

const belowLungTopMm = 80;
const aboveSkullMm = 60;
/** Twice the cross-section of a wide trachea. */
const minLungMm2 = 1000;
/** Minimum volume of gas wide enough for a disc of 24 mm in each slice: more than airway or sinuses have. */
const minLungMl = 100;
const lungOpeningMm = 12;
const gasBelowHu = -500;
/** Lungs contain tissue: even in emphysema less than half of their voxels are below this, unlike free air. */
const freeAirBelowHu = -950;
/** Low enough for the thinnest skull vault on the coarse grid. Vessels with contrast do not matter, because they do not form a closed ring. */
const boneFromHu = 200;
/** Denser than enamel. */
const metalFromHu = 2800;
const brainHu = { low: -50, high: 150 };
const leastBrainMm2 = 3000;
/** Minimum total height of the slices with a closed skull. */
const minSkullMm = 40;
/** Covers what the body mask leaves out at the skin, and how far contours drawn for treatment extend into air. */
const marginMm = 12;
/**
 * The area of lungs in each slice, mm²: lungs enclosed by the body, and lungs that a small field of view cuts open at the
 * side. The two are searched separately, because air below the end of the scan would connect lungs to the air outside.
 */
function lungAreas(scan: Volume<Float32Array>, body: Uint8Array): Float64Array {
  const showsFreeAir = scan.data.some((hu) => hu < freeAirBelowHu);
  // In a clipped scan free air cannot be recognised by its HU, and air outside would look like lung.
  if (!showsFreeAir) return new Float64Array(scan.size[2]);
  const gasWhere = (inBody: number) =>
    body.map((value, at) => (value === inBody && scan.data[at] < gasBelowHu ? 1 : 0));
  const open = lungAreasIn(scan, gasWhere(0));
  return lungAreasIn(scan, gasWhere(1)).map((area, k) => area + open[k]);
}

function lungAreasIn({ data, ...grid }: Volume<Float32Array>, gas: Uint8Array): Float64Array {
  const { size, spacingMm } = grid;
  const opened = new Uint8Array(gas.length);
  const pixels = size[0] * size[1];
  for (let at = 0; at < gas.length; at += pixels) {
    opened.set(openedByDisc(gas.subarray(at, at + pixels), size, spacingMm), at);
  }
  const { starts, ends, runLabels, sizes } = labelRuns(opened, size, 6);
  const freeAir = new Float64Array(sizes.length);
  starts.forEach((start, run) => {
    for (let at = start; at < ends[run]; at++) if (data[at] < freeAirBelowHu) freeAir[runLabels[run] - 1]++;
  });
  const isLung = sizes.map(
    (voxels, at) => (voxels * voxelVolumeMm3(grid)) / 1000 >= minLungMl && freeAir[at] < voxels / 2,
  );
  const areas = new Float64Array(size[2]);
  starts.forEach((start, run) => {
    if (!isLung[runLabels[run] - 1]) return;
    areas[Math.floor(start / pixels)] += (ends[run] - start) * spacingMm[0] * spacingMm[1];
  });
  return areas;
}

/** Morphological opening with the disc. Outside the slice counts as gas, so that a lung at the border keeps its shape. */
function openedByDisc(gas: Uint8Array, [width, height]: Vector3, [xMm, yMm]: Vector3): Uint8Array {
  const grid = { size: [width, height], spacingMm: [xMm, yMm] } as const;
  return growByDisc(inverted(growByDisc(inverted(gas), grid, lungOpeningMm)), grid, lungOpeningMm);
}

/**
 * The lowest slice above `below` in which bone closes around the brain; −1 where there are too few such slices. The
 * lowest two must be adjacent; gaps above them are common, because the orbits interrupt the ring.
 */
function lowestSkullSlice(scan: Volume<Float32Array>, body: Uint8Array, below: number): number {
  const closed: number[] = [];
  for (let k = below + 1; k < scan.size[2]; k++) {
    if (enclosedTissueMm2(scan, body, k) >= leastBrainMm2) closed.push(k);
  }
  if (closed.length * scan.spacingMm[2] < minSkullMm) return -1;
  return closed.find((k, at) => closed[at + 1] === k + 1) ?? -1;
}

/**
 * The area of soft tissue in a slice that is enclosed by bone, allowing gaps of two voxels, mm². 0 in a slice with metal,
 * because its streaks look like bone.
 */
function enclosedTissueMm2(
  { size, spacingMm, data }: Volume<Float32Array>,
  body: Uint8Array,
  k: number,
): number {
  const [width, height] = size;
  const hu = data.subarray(k * width * height, (k + 1) * width * height);
  if (hu.some((value) => value >= metalFromHu)) return 0;
  const isBody = body.subarray(k * width * height, (k + 1) * width * height);
  const bone = dilate(
    isBody.map((value, at) => (value === 1 && hu[at] >= boneFromHu ? 1 : 0)),
    [width, height, 1],
  );
  const filled = bone.slice();
  fillHoles(filled, [width, height], Number.POSITIVE_INFINITY);
  let pixels = 0;
  for (let at = 0; at < filled.length; at++) {
    if (filled[at] !== bone[at] && hu[at] >= brainHu.low && hu[at] <= brainHu.high) pixels++;
  }
  return pixels * spacingMm[0] * spacingMm[1];
}

/** The body, dilated by the margin, in the slices between two heights. */
function bodyBetween(
  body: Volume<Uint8Array>,
  lowMm: number,
  highMm: number,
): LpsBox & Pick<NeckRegion, "body"> {
  const { size, spacingMm, originMm } = body;
  const data = dilate(body.data, size, { radiusMm: marginMm, spacingMm });
  for (let k = 0; k < size[2]; k++) {
    const centreMm = originMm[2] + k * spacingMm[2];
    const isOutside = centreMm + spacingMm[2] / 2 <= lowMm || centreMm - spacingMm[2] / 2 >= highMm;
    if (isOutside) data.fill(0, k * size[0] * size[1], (k + 1) * size[0] * size[1]);
  }
  const { start, size: extent } = foregroundBox(data, size) as IndexBox;
  return { ...lpsBounds(cropGeometry(body, start, extent)), body: { ...body, data } };
}
