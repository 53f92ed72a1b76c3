// Elongation and sphericity of a drawn cell, as the table of real nodes measures them on masks.
import type { Vector3 } from "../../volume/volume.js";
import { type Cell, cellField, solidOf } from "../shapes.js";

/**
 * @returns major : minor axis of the ellipsoid of equal second moments, and π^⅓·(6V)^⅔/A. The area counts, for each face
 *   between a voxel inside and one outside, the face projected on the surface's normal (the gradient of the field).
 */
export function measureShape(cell: Cell): { elongation: number; sphericity: number } {
  const { box } = solidOf({ tissue: "gland", hu: 0 }, [cell]);
  const steps = 26;
  const [dx, dy, dz] = [0, 1, 2].map((axis) => (box[axis + 3] - box[axis]) / steps);
  const points: Vector3[] = [];
  let area = 0;
  const field = (x: number, y: number, z: number) => cellField(cell, x, y, z);
  for (let k = -1; k <= steps; k++)
    for (let j = -1; j <= steps; j++)
      for (let i = -1; i <= steps; i++) {
        const [x, y, z] = [box[0] + (i + 0.5) * dx, box[1] + (j + 0.5) * dy, box[2] + (k + 0.5) * dz];
        const inside = field(x, y, z) < 1;
        if (inside) points.push([x, y, z]);
        for (const [step, face] of [
          [[dx, 0, 0], dy * dz],
          [[0, dy, 0], dx * dz],
          [[0, 0, dz], dx * dy],
        ] as const) {
          if (field(x + step[0], y + step[1], z + step[2]) < 1 === inside) continue;
          const [a, b, c] = [x + step[0] / 2, y + step[1] / 2, z + step[2] / 2];
          const e = 0.05;
          const gradient = [
            field(a + e, b, c) - field(a - e, b, c),
            field(a, b + e, c) - field(a, b - e, c),
            field(a, b, c + e) - field(a, b, c - e),
          ];
          const along = step.findIndex((length) => length !== 0);
          area += (face * Math.abs(gradient[along])) / Math.hypot(...gradient);
        }
      }
  const volume = points.length * dx * dy * dz;
  const axes = principalDeviations(points);
  return {
    elongation: axes[2] / axes[0],
    sphericity: (Math.PI ** (1 / 3) * (6 * volume) ** (2 / 3)) / area,
  };
}

/** Square roots of the eigenvalues of the covariance, ascending (the trigonometric solution of a 3×3 symmetric matrix). */
function principalDeviations(points: readonly Vector3[]): [number, number, number] {
  const mean = [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  const covariance = (a: number, b: number) =>
    points.reduce((sum, point) => sum + (point[a] - mean[a]) * (point[b] - mean[b]), 0) / points.length;
  const [xx, yy, zz] = [covariance(0, 0), covariance(1, 1), covariance(2, 2)];
  const [xy, xz, yz] = [covariance(0, 1), covariance(0, 2), covariance(1, 2)];
  const q = (xx + yy + zz) / 3;
  const p = Math.sqrt(
    ((xx - q) ** 2 + (yy - q) ** 2 + (zz - q) ** 2 + 2 * (xy ** 2 + xz ** 2 + yz ** 2)) / 6,
  );
  const [a, b, c] = [(xx - q) / p, (yy - q) / p, (zz - q) / p];
  const [d, e, f] = [xy / p, xz / p, yz / p];
  const determinant = a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e);
  const angle = Math.acos(Math.max(-1, Math.min(1, determinant / 2))) / 3;
  const largest = q + 2 * p * Math.cos(angle);
  const smallest = q + 2 * p * Math.cos(angle + (2 * Math.PI) / 3);
  return [Math.sqrt(smallest), Math.sqrt(3 * q - largest - smallest), Math.sqrt(largest)];
}
