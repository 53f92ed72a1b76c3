// A drawn scan: a body of fat with balls of soft tissue, so that what must be found is known.
import { type Geometry, pointOfIndex, type Vector3, type Volume, voxelCount } from "../volume/volume.js";

export interface Ball {
  readonly centreMm: Vector3;
  readonly radiusMm: number;
  readonly hu: number;
}

export const straightGrid = (size: Vector3, spacingMm: Vector3, originMm: Vector3 = [0, 0, 0]): Geometry => ({
  size,
  spacingMm,
  originMm,
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});

/** Fat of −100 HU everywhere, and the later ball where two overlap. */
export function drawnScan(grid: Geometry, balls: readonly Ball[]): Volume<Int16Array> {
  const data = new Int16Array(voxelCount(grid)).fill(-100);
  const [nx, ny] = grid.size;
  for (let at = 0; at < data.length; at++) {
    const [x, y, z] = pointOfIndex(grid, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]);
    for (const { centreMm, radiusMm, hu } of balls)
      if (Math.hypot(x - centreMm[0], y - centreMm[1], z - centreMm[2]) <= radiusMm) data[at] = hu;
  }
  return { ...grid, data };
}
