// Patches of a prepared scan: cut at a place, varied a little, normalised.
import type { Vector3 } from "../volume/volume.js";
import { type IntensityWindow, normaliseInPlace } from "./preprocess.js";
import { indexedStream, type RandomGenerator, uniform } from "./random.js";

/** Depth, height, width of a patch in voxels: k, j, i of the grid. */
export type PatchSize = readonly [number, number, number];

/** What a patch is cut from: HU on a grid whose i axis runs left–right. `hu[i + size[0] * (j + size[1] * k)]`. */
export interface PatchSource {
  readonly size: Vector3;
  readonly spacingMm: Vector3;
  readonly hu: Int16Array;
}

/** A patch as the network takes it: tensors [D, H, W]; the image in [−1, 1] before noise, the label 0 or 1. */
export interface Patch {
  readonly image: Float32Array;
  readonly label: Float32Array;
}

/** How often, and how strongly, patches are varied in training. A probability of 0 switches a variation off. */
export interface Augmentation {
  /** Left–right mirror image. */
  readonly flip: { readonly probability: number };
  /** About the patch's centre, about each of the three axes. */
  readonly rotation: { readonly probability: number; readonly maximumDegrees: number };
  /** Magnification of the content. */
  readonly scaling: { readonly probability: number; readonly lowest: number; readonly highest: number };
  /** Additive and Gaussian; standard deviation in units of the normalised image. */
  readonly noise: { readonly probability: number; readonly maximumDeviation: number };
  /** Added, in units of the normalised image. */
  readonly brightness: { readonly probability: number; readonly maximum: number };
  /** Factor about the window's middle. */
  readonly contrast: { readonly probability: number; readonly lowest: number; readonly highest: number };
  /** Exponent on the image scaled to [0, 1]. */
  readonly gamma: { readonly probability: number; readonly lowest: number; readonly highest: number };
}

/** One draw of the variations: what exactly happens to one patch. */
export interface PatchVariation {
  readonly flip: boolean;
  /** About the axes i, j, k. */
  readonly rotationDegrees: Vector3;
  readonly scaling: number;
  readonly noiseDeviation: number;
  readonly noiseSeed: number;
  readonly brightness: number;
  readonly contrast: number;
  readonly gamma: number;
}

export const defaultAugmentation: Augmentation = {
  flip: { probability: 0.5 },
  rotation: { probability: 0.3, maximumDegrees: 15 },
  scaling: { probability: 0.3, lowest: 0.85, highest: 1.15 },
  noise: { probability: 0.15, maximumDeviation: 0.1 },
  brightness: { probability: 0.2, maximum: 0.1 },
  contrast: { probability: 0.2, lowest: 0.85, highest: 1.15 },
  gamma: { probability: 0.2, lowest: 0.8, highest: 1.25 },
};

export const noAugmentation: Augmentation = {
  flip: { probability: 0 },
  rotation: { probability: 0, maximumDegrees: 0 },
  scaling: { probability: 0, lowest: 1, highest: 1 },
  noise: { probability: 0, maximumDeviation: 0 },
  brightness: { probability: 0, maximum: 0 },
  contrast: { probability: 0, lowest: 1, highest: 1 },
  gamma: { probability: 0, lowest: 1, highest: 1 },
};

/** The variation that changes nothing. */
export const noVariation: PatchVariation = {
  flip: false,
  rotationDegrees: [0, 0, 0],
  scaling: 1,
  noiseDeviation: 0,
  noiseSeed: 0,
  brightness: 0,
  contrast: 1,
  gamma: 1,
};

/**
 * Cuts the patch whose voxel (⌊D/2⌋, ⌊H/2⌋, ⌊W/2⌋) is the grid's voxel `centre`, varied and normalised. Outside the
 * grid lies air.
 *
 * @param source HU on the prepared grid
 * @param label of the same grid, every value but 0 is foreground; null gives a patch label of zeros
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
  const turned = variation.scaling !== 1 || variation.rotationDegrees.some((degrees) => degrees !== 0);
  if (turned) resampleInto(source, label, centre, patchSize, window, variation, into);
  else copyInto(source, label, centre, patchSize, window, variation.flip, into);
  normaliseInPlace(into.image, window);
  varyIntensities(into.image, variation);
  return into;
}

/** Draws what happens to one patch. It takes the same number of draws from the stream whatever comes out. */
export function drawVariation(random: RandomGenerator, augmentation: Augmentation): PatchVariation {
  const { flip, rotation, scaling, noise, brightness, contrast, gamma } = augmentation;
  const draw = (probability: number, low: number, high: number, otherwise: number): number => {
    const happens = uniform(random) < probability;
    const value = uniform(random, low, high);
    return happens ? value : otherwise;
  };
  const flipped = uniform(random) < flip.probability;
  const rotated = uniform(random) < rotation.probability ? rotation.maximumDegrees : 0;
  const rotationDegrees: Vector3 = [
    rotated * uniform(random, -1, 1),
    rotated * uniform(random, -1, 1),
    rotated * uniform(random, -1, 1),
  ];
  return {
    flip: flipped,
    rotationDegrees: rotated === 0 ? noVariation.rotationDegrees : rotationDegrees,
    scaling: draw(scaling.probability, scaling.lowest, scaling.highest, 1),
    noiseDeviation: draw(noise.probability, 0, noise.maximumDeviation, 0),
    noiseSeed: random.next(),
    brightness: draw(brightness.probability, -brightness.maximum, brightness.maximum, 0),
    contrast: draw(contrast.probability, contrast.lowest, contrast.highest, 1),
    gamma: Math.exp(draw(gamma.probability, Math.log(gamma.lowest), Math.log(gamma.highest), 0)),
  };
}

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
        if (label !== null && label[sourceRow + x] !== 0) into.label[to] = 1;
      }
    }
  }
}

/** HU and labels at turned and scaled places: trilinear; a label is foreground from a weight of one half. */
function resampleInto(
  { size: [nx, ny, nz], spacingMm, hu }: PatchSource,
  label: Uint8Array | null,
  centre: Vector3,
  [depth, height, width]: PatchSize,
  { lowHu }: IntensityWindow,
  variation: PatchVariation,
  into: Patch,
): void {
  const m = indexMatrix(variation, spacingMm);
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
      for (let x = 0; x < width; x++, to++) {
        const a = x - middle[0];
        const i = rowI + m[0] * a;
        const j = rowJ + m[3] * a;
        const k = rowK + m[6] * a;
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
        for (let corner = 0; corner < 8; corner++) {
          const ci = i0 + (corner & 1);
          const cj = j0 + ((corner >> 1) & 1);
          const ck = k0 + (corner >> 2);
          const weight = (corner & 1 ? u : 1 - u) * (corner & 2 ? v : 1 - v) * (corner & 4 ? w : 1 - w);
          const inside = ci >= 0 && cj >= 0 && ck >= 0 && ci < nx && cj < ny && ck < nz;
          const at = ci + strideJ * cj + strideK * ck;
          sum += weight * (inside ? hu[at] : lowHu);
          if (inside && label !== null && label[at] !== 0) labelWeight += weight;
        }
        image[to] = sum;
        labelOut[to] = labelWeight >= 0.5 ? 1 : 0;
      }
    }
  }
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

function varyIntensities(image: Float32Array, variation: PatchVariation): void {
  const { gamma, contrast, brightness, noiseDeviation } = variation;
  if (gamma !== 1) raiseToPower(image, gamma);
  if (contrast !== 1 || brightness !== 0) {
    for (let n = 0; n < image.length; n++) image[n] = image[n] * contrast + brightness;
  }
  if (noiseDeviation > 0) addNoise(image, noiseDeviation, indexedStream(variation.noiseSeed, 0));
}

/** Gamma on [−1, 1] taken as [0, 1], read from a table of 1024 steps: a power a voxel costs ten times as much. */
function raiseToPower(image: Float32Array, gamma: number): void {
  const steps = 1024;
  const table = Float32Array.from({ length: steps + 2 }, (_, n) => 2 * (n / steps) ** gamma - 1);
  for (let n = 0; n < image.length; n++) {
    const place = (image[n] + 1) * (steps / 2);
    const step = Math.floor(place);
    image[n] = table[step] + (place - step) * (table[step + 1] - table[step]);
  }
}

/**
 * Adds noise that is nearly Gaussian: the sum of the four bytes of a random word (Irwin–Hall of order 4, cut off at
 * 3.5 deviations), several times cheaper than a logarithm and a cosine a voxel.
 */
function addNoise(image: Float32Array, deviation: number, random: RandomGenerator): void {
  const mean = 4 * 127.5;
  const scale = deviation / Math.sqrt((4 * (256 * 256 - 1)) / 12);
  for (let n = 0; n < image.length; n++) {
    const word = random.next();
    const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
    image[n] = image[n] + (sum - mean) * scale;
  }
}
