// The types for a scan or label volume: an array of voxels, and the geometry that places it in the patient.

/** Three numbers; points and vectors in space are (x, y, z) in millimetres, LPS. */
export type Vector3 = readonly [number, number, number];

/** A 3 × 3 matrix, row by row. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/** Where a grid of voxels lies in the patient. Index axes are (i, j, k); i varies fastest in memory. */
export interface Geometry {
  /** Voxels along i, j, k. A tensor [N, C, D, H, W] of this grid has W = size[0], H = size[1], D = size[2]. */
  readonly size: Vector3;
  /** Distance between neighbouring voxel centres along i, j, k, in mm. */
  readonly spacingMm: Vector3;
  /** Centre of voxel (0, 0, 0), LPS mm. */
  readonly originMm: Vector3;
  /** Columns are the unit directions of i, j, k in LPS; orthonormal; determinant +1 or −1. */
  readonly direction: Matrix3;
}

export type VoxelArray =
  | Float32Array
  | Int16Array
  | Uint16Array
  | Uint8Array
  | Int8Array
  | Int32Array
  | Uint32Array
  | Float64Array;

/** A grid of voxels with its geometry: HU of a scan, or labels. `data[i + size[0] * (j + size[1] * k)]`. */
export interface Volume<T extends VoxelArray = VoxelArray> extends Geometry {
  readonly data: T;
}

/** The number of voxels of a grid. */
export function voxelCount({ size }: Pick<Geometry, "size">): number {
  return size[0] * size[1] * size[2];
}

/** Volume of a voxel in mm³. */
export function voxelVolumeMm3(geometry: Geometry): number {
  return geometry.spacingMm[0] * geometry.spacingMm[1] * geometry.spacingMm[2];
}

/** The point (LPS mm) of a continuous index (i, j, k). */
export function pointOfIndex(geometry: Geometry, index: Vector3): Vector3 {
  const { spacingMm: s, originMm: o, direction: m } = geometry;
  const a = index[0] * s[0];
  const b = index[1] * s[1];
  const c = index[2] * s[2];
  return [
    o[0] + m[0] * a + m[1] * b + m[2] * c,
    o[1] + m[3] * a + m[4] * b + m[5] * c,
    o[2] + m[6] * a + m[7] * b + m[8] * c,
  ];
}

/** The continuous index (i, j, k) of a point (LPS mm); the inverse of {@link pointOfIndex}. */
export function indexOfPoint(geometry: Geometry, pointMm: Vector3): Vector3 {
  const { spacingMm: s, originMm: o, direction: m } = geometry;
  const x = pointMm[0] - o[0];
  const y = pointMm[1] - o[1];
  const z = pointMm[2] - o[2];
  return [
    (m[0] * x + m[3] * y + m[6] * z) / s[0],
    (m[1] * x + m[4] * y + m[7] * z) / s[1],
    (m[2] * x + m[5] * y + m[8] * z) / s[2],
  ];
}

/** Whether two grids put every voxel at the same position, within `toleranceMm` at every corner. */
export function sameGeometry(a: Geometry, b: Geometry, toleranceMm = 1e-2): boolean {
  if (a.size.some((n, axis) => n !== b.size[axis])) return false;
  for (let corner = 0; corner < 8; corner++) {
    const index: Vector3 = [
      corner & 1 ? a.size[0] - 1 : 0,
      corner & 2 ? a.size[1] - 1 : 0,
      corner & 4 ? a.size[2] - 1 : 0,
    ];
    const p = pointOfIndex(a, index);
    const q = pointOfIndex(b, index);
    if (Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) > toleranceMm) return false;
  }
  return true;
}
