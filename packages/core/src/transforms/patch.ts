// Patches of a prepared scan: cut at a place, varied a little, normalised.
import type { Vector3 } from "../volume/volume.js";
import { shiftHu, varyAppearance } from "./appearance.js";
import { noVariation, type PatchVariation } from "./augmentation.js";
import { type DisplacementRows, randomDisplacement } from "./elastic.js";
import { type IntensityWindow, normaliseInPlace } from "./preprocess.js";
import { indexedStream } from "./random.js";

/** Depth, height, width of a patch in voxels: k, j, i of the grid. */
export type PatchSize = readonly [number, number, number];

/** What a patch is cut from: HU on a grid whose i axis runs left–right. `hu[i + size[0] * (j + size[1] * k)]`. */
export interface PatchSource {
  readonly size: Vector3;
  readonly spacingMm: Vector3;
  readonly hu: Int16Array;
}

/** Value of voxels in a label that are neither foreground nor background, and count nowhere. */
export const IGNORED = 255;

/**
 * A patch as the network takes it: tensors [D, H, W]; the image in [−1, 1] before noise; the label 0 or 1, and −1 where
 * it is to be ignored.
 */
export interface Patch {
  readonly image: Float32Array;
  readonly label: Float32Array;
}

/**
 * Cuts the patch whose voxel (⌊D/2⌋, ⌊H/2⌋, ⌊W/2⌋) is the grid's voxel `centre`, varied and normalised. Outside the
 * grid lies air.
 *
 * @param source HU on the prepared grid
 * @param label of the same grid: 0 is background, {@link IGNORED} counts nowhere, every other value is foreground; null
 *   gives a patch label of zeros
 * @param centre voxel (i, j, k); it may lie outside the grid
 * @param into arrays of D·H·W to write to, such as a part of a batch; new ones by default
 */
export function cutPatch(
  source: PatchSource,
  label: Uint8Array | null,
  centre: Vector3,
  patchSize: PatchSize,
  window: IntensityWindow,
  variation: PatchVariation = noVariation,
  into: Patch = emptyPatch(patchSize),
): Patch {
  const { flip, rotationDegrees, scaling, elasticMm } = variation;
  const moved = scaling !== 1 || elasticMm > 0 || rotationDegrees.some((degrees) => degrees !== 0);
  if (moved) resampleInto(source, label, centre, patchSize, window, variation, into);
  else copyInto(source, label, centre, patchSize, window, flip, into);
  if (variation.shiftHu !== 0) shiftHu(into.image, window, variation.shiftHu);
  normaliseInPlace(into.image, window);
  varyAppearance(into.image, gridSize(patchSize), source.spacingMm, variation);
  return into;
}

const gridSize = ([depth, height, width]: PatchSize): Vector3 => [width, height, depth];

function emptyPatch([depth, height, width]: PatchSize): Patch {
  const count = depth * height * width;
  return { image: new Float32Array(count), label: new Float32Array(count) };
}

/** HU and labels voxel by voxel, mirrored or not. */
function copyInto(
  { size: [nx, ny, nz], hu }: PatchSource,
  label: Uint8Array | null,
  centre: Vector3,
  [depth, height, width]: PatchSize,
  { lowHu }: IntensityWindow,
  flip: boolean,
  into: Patch,
): void {
  into.image.fill(lowHu);
  into.label.fill(0);
  const startI = centre[0] - Math.floor(width / 2);
  const startJ = centre[1] - Math.floor(height / 2);
  const startK = centre[2] - Math.floor(depth / 2);
  const fromI = Math.max(0, -startI);
  const untilI = Math.min(width, nx - startI);
  for (let z = Math.max(0, -startK); z < Math.min(depth, nz - startK); z++) {
    for (let y = Math.max(0, -startJ); y < Math.min(height, ny - startJ); y++) {
      const sourceRow = startI + nx * (startJ + y + ny * (startK + z));
      const row = width * (y + height * z);
      for (let x = fromI; x < untilI; x++) {
        const to = row + (flip ? width - 1 - x : x);
        into.image[to] = hu[sourceRow + x];
        if (label !== null && label[sourceRow + x] !== 0)
          into.label[to] = label[sourceRow + x] === IGNORED ? -1 : 1;
      }
    }
  }
}

/**
 * HU and labels at turned, scaled and displaced places, in one resampling: trilinear; a label is foreground from a
 * weight of one half, and ignored where foreground and ignored voxels together reach it.
 */
function resampleInto(
  { size: [nx, ny, nz], spacingMm, hu }: PatchSource,
  label: Uint8Array | null,
  centre: Vector3,
  patchSize: PatchSize,
  { lowHu }: IntensityWindow,
  variation: PatchVariation,
  into: Patch,
): void {
  const [depth, height, width] = patchSize;
  const m = indexMatrix(variation, spacingMm);
  const displacement = displacementOf(variation, patchSize, spacingMm);
  const [perMmI, perMmJ, perMmK] = spacingMm.map((spacing) => 1 / spacing);
  const middle = [(width - 1) / 2, (height - 1) / 2, (depth - 1) / 2] as const;
  const middleI = centre[0] - Math.floor(width / 2) + middle[0];
  const middleJ = centre[1] - Math.floor(height / 2) + middle[1];
  const middleK = centre[2] - Math.floor(depth / 2) + middle[2];
  const strideJ = nx;
  const strideK = nx * ny;
  const { image, label: labelOut } = into;
  let to = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const b = y - middle[1];
      const c = z - middle[2];
      const rowI = middleI + m[1] * b + m[2] * c;
      const rowJ = middleJ + m[4] * b + m[5] * c;
      const rowK = middleK + m[7] * b + m[8] * c;
      const [shiftI, shiftJ, shiftK] = displacement(y, z);
      for (let x = 0; x < width; x++, to++) {
        const a = x - middle[0];
        const i = rowI + m[0] * a + perMmI * shiftI[x];
        const j = rowJ + m[3] * a + perMmJ * shiftJ[x];
        const k = rowK + m[6] * a + perMmK * shiftK[x];
        const i0 = Math.floor(i);
        const j0 = Math.floor(j);
        const k0 = Math.floor(k);
        const u = i - i0;
        const v = j - j0;
        const w = k - k0;
        if (i0 >= 0 && j0 >= 0 && k0 >= 0 && i0 < nx - 1 && j0 < ny - 1 && k0 < nz - 1) {
          const p = i0 + strideJ * j0 + strideK * k0;
          const q = p + strideK;
          const near = mixSquare(hu, p, strideJ, u, v);
          image[to] = near + w * (mixSquare(hu, q, strideJ, u, v) - near);
          if (label === null) {
            labelOut[to] = 0;
            continue;
          }
          // Most places are all background: eight reads decide it without arithmetic.
          const any =
            label[p] |
            label[p + 1] |
            label[p + strideJ] |
            label[p + strideJ + 1] |
            label[q] |
            label[q + 1] |
            label[q + strideJ] |
            label[q + strideJ + 1];
          if (any === 0) {
            labelOut[to] = 0;
            continue;
          }
        }
        let sum = 0;
        let labelWeight = 0;
        let ignoredWeight = 0;
        for (let corner = 0; corner < 8; corner++) {
          const ci = i0 + (corner & 1);
          const cj = j0 + ((corner >> 1) & 1);
          const ck = k0 + (corner >> 2);
          const weight = (corner & 1 ? u : 1 - u) * (corner & 2 ? v : 1 - v) * (corner & 4 ? w : 1 - w);
          const inside = ci >= 0 && cj >= 0 && ck >= 0 && ci < nx && cj < ny && ck < nz;
          const at = ci + strideJ * cj + strideK * ck;
          sum += weight * (inside ? hu[at] : lowHu);
          if (!inside || label === null || label[at] === 0) continue;
          if (label[at] === IGNORED) ignoredWeight += weight;
          else labelWeight += weight;
        }
        image[to] = sum;
        labelOut[to] = labelWeight >= 0.5 ? 1 : labelWeight + ignoredWeight >= 0.5 ? -1 : 0;
      }
    }
  }
}

function displacementOf(
  { elasticMm, elasticSeed }: PatchVariation,
  patchSize: PatchSize,
  spacingMm: Vector3,
): DisplacementRows {
  if (elasticMm > 0)
    return randomDisplacement(gridSize(patchSize), spacingMm, elasticMm, indexedStream(elasticSeed, 0));
  const still = new Float32Array(patchSize[2]);
  return () => [still, still, still];
}

function mixSquare(hu: Int16Array, at: number, strideJ: number, u: number, v: number): number {
  const a = hu[at];
  const b = hu[at + strideJ];
  const low = a + u * (hu[at + 1] - a);
  const high = b + u * (hu[at + strideJ + 1] - b);
  return low + v * (high - low);
}

/**
 * The matrix that takes an offset from the patch's middle (in voxels) to the offset in the grid where the value is
 * read. Turning happens in millimetres, since voxels need not be cubes.
 */
function indexMatrix(variation: PatchVariation, spacingMm: Vector3): readonly number[] {
  const [ax, ay, az] = variation.rotationDegrees.map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
    number,
  ];
  const [cx, sx, cy, sy, cz, sz] = [
    Math.cos(ax),
    Math.sin(ax),
    Math.cos(ay),
    Math.sin(ay),
    Math.cos(az),
    Math.sin(az),
  ];
  const rotation = [
    [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    [-sy, cy * sx, cy * cx],
  ] as const;
  return rotation.flatMap((row, to) =>
    row.map((value, from) => {
      const mirrored = from === 0 && variation.flip ? -1 : 1;
      return (mirrored * value * spacingMm[from]) / (spacingMm[to] * variation.scaling);
    }),
  );
}
