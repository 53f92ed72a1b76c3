// Targets that nobody drew: connected regions of similar tissue in a real scan, smooth and bounded in size. A network that
// learns to outline them from clicks learns to outline what it has never seen by name.
import { type RandomGenerator, uniform, uniformWhole } from "../random.js";
import type { PatchSource } from "../transforms/patch.js";
import { blur } from "../volume/gaussian.js";
import type { Vector3 } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { labelComponents } from "../voxels/components.js";
import type { IndexBox } from "../voxels/morphology.js";

/** A target on a box of a scan's grid. */
export interface BoxedTarget extends IndexBox {
  /** 1 in the target, i fastest in the box. */
  readonly mask: Uint8Array;
}

/** HU of soft tissue, fat and vessels: seeds lie here. */
const seedHu = { low: -120, high: 220 };
/** Half-axes of the ellipsoid that bounds a target are drawn from these, evenly on a logarithmic scale. */
const reachMm = { least: 4, greatest: 45 };
/** Half the width in HU of what counts as similar. */
const widthHu = { least: 12, greatest: 70 };
/** Standard deviations of the blur of the scan, and of the target's outline. */
const blurMm = { least: 0.7, greatest: 2.2 };
/** Targets of less are noise. */
const leastMm3 = 60;
/** At less of its voxels inside it, a target is a shell, such as the blurred border of bone or skin. */
const leastInnerShare = 0.15;
/** At more of its voxels on the ellipsoid's surface, a target is bounded by nothing that can be seen. */
const greatestCutShare = 0.3;
const seedTrials = 30;
const targetTrials = 8;

/**
 * A synthetic target around a random place of a scan: the connected component (6 neighbours) at a seed of what lies within
 * a band of HU around the seed's, in the smoothed scan and within an ellipsoid, its outline smoothed. Of several trials
 * the one of which the ellipsoid cuts least is taken.
 *
 * @param random decides all of it
 * @returns null where the scan has no soft tissue, or nothing around the seeds is large enough
 */
export function drawSyntheticTarget(random: RandomGenerator, source: PatchSource): BoxedTarget | null {
  let best: TriedTarget | null = null;
  for (let trial = 0; trial < targetTrials; trial++) {
    const seed = softTissueVoxel(random, source);
    if (seed === null) continue;
    const tried = targetAt(random, source, seed);
    if (tried !== null && (best === null || tried.cutShare < best.cutShare)) best = tried;
    if (best !== null && best.cutShare <= greatestCutShare) break;
  }
  return best;
}

interface TriedTarget extends BoxedTarget {
  /** Share of its outer voxels that lie on the bounding ellipsoid's surface. */
  readonly cutShare: number;
}

function softTissueVoxel(random: RandomGenerator, { hu, size }: PatchSource): Vector3 | null {
  for (let trial = 0; trial < seedTrials; trial++) {
    const at = uniformWhole(random, hu.length);
    if (hu[at] < seedHu.low || hu[at] > seedHu.high) continue;
    return [at % size[0], Math.floor(at / size[0]) % size[1], Math.floor(at / (size[0] * size[1]))];
  }
  return null;
}

function targetAt(random: RandomGenerator, source: PatchSource, seed: Vector3): TriedTarget | null {
  const { spacingMm } = source;
  const reach = logarithmic(random, reachMm.least, reachMm.greatest);
  const axesMm = [0, 1, 2].map(() => reach * uniform(random, 0.75, 1.25));
  const width = logarithmic(random, widthHu.least, widthHu.greatest);
  const scanBlur = uniform(random, blurMm.least, blurMm.greatest);
  const outlineBlur = uniform(random, blurMm.least, blurMm.greatest);

  const box = boxAround(seed, axesMm, source);
  const smooth = new Float32Array(voxelsOf(box));
  copyBox(source, box, smooth);
  blur(smooth, box.size, inVoxels(scanBlur, spacingMm));
  const [nx, ny] = box.size;
  const own = seed.map((at, axis) => at - box.start[axis]);
  const seedAt = own[0] + nx * (own[1] + ny * own[2]);
  const middle = smooth[seedAt];
  const radii = new Float32Array(smooth.length);
  const similar = new Uint8Array(smooth.length);
  for (let at = 0; at < smooth.length; at++) {
    radii[at] = Math.hypot(
      (((at % nx) - own[0]) * spacingMm[0]) / axesMm[0],
      (((Math.floor(at / nx) % ny) - own[1]) * spacingMm[1]) / axesMm[1],
      ((Math.floor(at / (nx * ny)) - own[2]) * spacingMm[2]) / axesMm[2],
    );
    if (radii[at] <= 1 && Math.abs(smooth[at] - middle) <= width) similar[at] = 1;
  }
  const rough = componentOf(similar, box.size, seedAt);
  if (rough === null) return null;
  const outline = Float32Array.from(rough);
  blur(outline, box.size, inVoxels(outlineBlur, spacingMm));
  const mask = componentOf(
    maskWhere(outline, (value) => value >= 0.5),
    box.size,
    seedAt,
  );
  if (mask === null) return null;
  const voxelMm3 = spacingMm[0] * spacingMm[1] * spacingMm[2];
  const { voxels, inner, cutShare } = figuresOf(mask, radii, box.size, Math.min(...spacingMm) / reach);
  const isTarget = voxels * voxelMm3 >= leastMm3 && inner >= leastInnerShare * voxels;
  return isTarget ? { ...box, mask, cutShare } : null;
}

const logarithmic = (random: RandomGenerator, low: number, high: number): number =>
  Math.exp(uniform(random, Math.log(low), Math.log(high)));

const inVoxels = (mm: number, [x, y, z]: Vector3): Vector3 => [mm / x, mm / y, mm / z];

const voxelsOf = ({ size }: IndexBox): number => size[0] * size[1] * size[2];

/** The box of an ellipsoid and two voxels more, as far as the grid reaches. */
function boxAround(seed: Vector3, axesMm: readonly number[], { size, spacingMm }: PatchSource): IndexBox {
  const along = (axis: 0 | 1 | 2) => {
    const reach = Math.ceil(axesMm[axis] / spacingMm[axis]) + 2;
    const first = Math.max(0, seed[axis] - reach);
    return [first, Math.min(size[axis], seed[axis] + reach + 1) - first] as const;
  };
  const [i, j, k] = [along(0), along(1), along(2)];
  return { start: [i[0], j[0], k[0]], size: [i[1], j[1], k[1]] };
}

function copyBox({ hu, size: [nx, ny] }: PatchSource, { start, size }: IndexBox, into: Float32Array): void {
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++) {
      const from = start[0] + nx * (start[1] + j + ny * (start[2] + k));
      into.set(hu.subarray(from, from + size[0]), size[0] * (j + size[1] * k));
    }
}

/** The component at a voxel; null where that is background. */
function componentOf(mask: Uint8Array, size: Vector3, at: number): Uint8Array | null {
  const { labels } = labelComponents(mask, size, 6);
  return labels[at] === 0 ? null : maskWhere(labels, (label) => label === labels[at]);
}

/** Voxels, those with six neighbours, and of all others the share within a step of the ellipsoid's surface. */
function figuresOf(mask: Uint8Array, radii: Float32Array, [nx, ny, nz]: Vector3, step: number) {
  let [voxels, outer, cut] = [0, 0, 0];
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        if (mask[at] === 0) continue;
        voxels++;
        const isInner =
          i > 0 &&
          i < nx - 1 &&
          j > 0 &&
          j < ny - 1 &&
          k > 0 &&
          k < nz - 1 &&
          mask[at - 1] === 1 &&
          mask[at + 1] === 1 &&
          mask[at - nx] === 1 &&
          mask[at + nx] === 1 &&
          mask[at - nx * ny] === 1 &&
          mask[at + nx * ny] === 1;
        if (isInner) continue;
        outer++;
        if (radii[at] > 1 - step) cut++;
      }
  return { voxels, inner: voxels - outer, cutShare: outer === 0 ? 1 : cut / outer };
}
