// Bodies of soft tissue in a scan, implanted or the host's own, cut out and measured for npm run check -- realism.
import type { Vector3, Volume } from "@lnsnet/core";

/** Edge of a specimen's patch, voxels. */
export const EDGE = 24;

/** The voxels of one value of a label volume. */
export interface Body {
  readonly value: number;
  readonly voxels: readonly number[];
}

/** What is measured of a specimen around its centre, in shells of its own radius: masks of the two kinds are not alike. */
export const featureNames = [
  "mean HU of the middle",
  "deviation of HU in the middle",
  "roughness in the middle",
  "mean HU around",
  "deviation of HU around",
  "contrast",
  "steepest edge per contrast",
  "elongation",
] as const;

export interface Specimen {
  readonly id: string;
  readonly patient: string;
  readonly isImplant: boolean;
  /** Diameter of the sphere of its volume. */
  readonly sizeMm: number;
  /** HU from −160 to 240 as −1 to 1, x fastest. */
  readonly patch: Float32Array;
  readonly features: Readonly<Record<(typeof featureNames)[number], number>>;
}

export function bodiesOf(labels: ArrayLike<number>, { size }: Volume): Body[] {
  const voxels = new Map<number, number[]>();
  for (let n = 0; n < size[0] * size[1] * size[2]; n++) {
    if (labels[n] === 0) continue;
    const found = voxels.get(labels[n]);
    if (found === undefined) voxels.set(labels[n], [n]);
    else found.push(n);
  }
  return [...voxels].map(([value, ofBody]) => ({ value, voxels: ofBody }));
}

/**
 * Cuts a body out and measures it.
 *
 * @returns null of a body that is no lump amid fat, whatever its kind: one more than three times as long as thick, with
 *   too little fat around, or at the scan's edge
 */
export function specimenOf(
  image: Volume,
  { voxels }: Body,
  names: Pick<Specimen, "id" | "patient" | "isImplant">,
): Specimen | null {
  const { size, spacingMm } = image;
  const indices = voxels.map((n) => indexOf(n, size));
  const centre = [0, 1, 2].map((axis) =>
    Math.round(indices.reduce((sum, index) => sum + index[axis], 0) / indices.length),
  ) as unknown as Vector3;
  const start = centre.map((at) => at - EDGE / 2) as unknown as Vector3;
  if (start.some((at, axis) => at < 1 || at + EDGE > size[axis] - 1)) return null;
  const volumeMm3 = voxels.length * spacingMm[0] * spacingMm[1] * spacingMm[2];
  const radiusMm = Math.cbrt((3 * volumeMm3) / (4 * Math.PI));
  const elongation = elongationOf(indices, spacingMm);
  if (elongation > 3) return null;
  const measured = measure(image, centre, radiusMm);
  if (measured === null || measured.fatAround < LEAST_FAT_AROUND) return null;
  const patch = new Float32Array(EDGE ** 3);
  let at = 0;
  for (let k = 0; k < EDGE; k++)
    for (let j = 0; j < EDGE; j++)
      for (let i = 0; i < EDGE; i++, at++) {
        const hu = image.data[start[0] + i + size[0] * (start[1] + j + size[1] * (start[2] + k))];
        patch[at] = Math.max(-1, Math.min(1, (hu - 40) / 200));
      }
  return { ...names, sizeMm: 2 * radiusMm, patch, features: { ...measured.features, elongation } };
}

const LEAST_FAT_AROUND = 0.3;
const FAT_BELOW_HU = -25;

function measure(image: Volume, centre: Vector3, radiusMm: number) {
  const { size, spacingMm, data } = image;
  const reach = spacingMm.map((spacing) => Math.ceil((2 * radiusMm + 2) / spacing));
  const [middle, around, edges, rough]: number[][] = [[], [], [], []];
  const steps = [1, size[0], size[0] * size[1]];
  for (let k = -reach[2]; k <= reach[2]; k++)
    for (let j = -reach[1]; j <= reach[1]; j++)
      for (let i = -reach[0]; i <= reach[0]; i++) {
        const index = [centre[0] + i, centre[1] + j, centre[2] + k];
        if (index.some((at, axis) => at < 1 || at >= size[axis] - 1)) continue;
        const distance = Math.hypot(i * spacingMm[0], j * spacingMm[1], k * spacingMm[2]) / radiusMm;
        const n = index[0] + size[0] * (index[1] + size[1] * index[2]);
        const hu = data[n];
        if (distance <= 0.6) {
          middle.push(hu);
          const neighbours = steps.reduce((sum, step) => sum + data[n - step] + data[n + step], 0) / 6;
          rough.push(Math.abs(hu - neighbours));
        }
        if (distance > 0.6 && distance <= 1.5) {
          const slopes = steps.map((step, axis) => (data[n + step] - data[n - step]) / (2 * spacingMm[axis]));
          edges.push(Math.hypot(...slopes));
        }
        if (distance > 1.4 && distance <= 2 && hu > -300) around.push(hu);
      }
  if (middle.length < 4 || around.length < 20) return null;
  const [inside, outside] = [meanOf(middle), meanOf(around)];
  const fat = around.filter((hu) => hu < FAT_BELOW_HU);
  const contrast = inside - (fat.length > 0 ? meanOf(fat) : outside);
  edges.sort((a, b) => a - b);
  return {
    fatAround: fat.length / around.length,
    features: {
      "mean HU of the middle": inside,
      "deviation of HU in the middle": deviationOf(middle),
      "roughness in the middle": meanOf(rough),
      "mean HU around": outside,
      "deviation of HU around": deviationOf(around),
      contrast,
      "steepest edge per contrast": edges[Math.floor(0.9 * edges.length)] / Math.max(20, contrast),
    },
  };
}

/** Longest by shortest deviation along the principal axes. */
function elongationOf(indices: readonly Vector3[], spacingMm: Vector3): number {
  const points = indices.map((index) => index.map((at, axis) => at * spacingMm[axis]));
  const mean = [0, 1, 2].map((axis) => meanOf(points.map((point) => point[axis])));
  const of = (a: number, b: number) =>
    points.reduce((sum, point) => sum + (point[a] - mean[a]) * (point[b] - mean[b]), 0) / points.length +
    // A voxel's own extent.
    (a === b ? spacingMm[a] ** 2 / 12 : 0);
  const [xx, yy, zz, xy, xz, yz] = [of(0, 0), of(1, 1), of(2, 2), of(0, 1), of(0, 2), of(1, 2)];
  // Eigenvalues of a symmetric matrix in closed form (Smith 1961).
  const q = (xx + yy + zz) / 3;
  const p = Math.sqrt(
    ((xx - q) ** 2 + (yy - q) ** 2 + (zz - q) ** 2 + 2 * (xy ** 2 + xz ** 2 + yz ** 2)) / 6,
  );
  if (p === 0) return 1;
  const determinant =
    (xx - q) * ((yy - q) * (zz - q) - yz ** 2) -
    xy * (xy * (zz - q) - yz * xz) +
    xz * (xy * yz - (yy - q) * xz);
  const angle = Math.acos(Math.max(-1, Math.min(1, determinant / (2 * p ** 3)))) / 3;
  const [greatest, least] = [q + 2 * p * Math.cos(angle), q + 2 * p * Math.cos(angle + (2 * Math.PI) / 3)];
  return Math.sqrt(greatest / least);
}

function indexOf(n: number, [nx, ny]: Vector3): Vector3 {
  return [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))];
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
}
