// A person made of ellipsoids in LPS mm, with lungs and a skull whose cross-sections can be computed by hand.
import { pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";

/** Apices of both lungs at z = −100 mm; the brain from z = 71 to 229 mm. */
const lungs = { centre: [80, 0, -300], halfAxes: [60, 80, 200] } as const;
const brain = { centre: [0, 0, 150], halfAxes: [66, 84, 79] } as const;
const skull = { centre: brain.centre, halfAxes: [74, 92, 87] } as const;
const head = { centre: brain.centre, halfAxes: [82, 100, 95] } as const;

interface Ellipsoid {
  readonly centre: Vector3;
  readonly halfAxes: Vector3;
}

/** HU of the person at a point: a torso below −60 mm, a neck of 55 mm radius with fat under its skin, a head. */
export function huOfPerson(point: Vector3): number {
  const [x, y, z] = point;
  if (within(brain, point)) return 35;
  if (within(skull, point)) return 900;
  if (within(head, point)) return 40;
  const [mirroredX, radius] = [Math.abs(x), Math.hypot(x, y)];
  if (z < 0 && radius < 9) return -1000;
  if (within(lungs, [mirroredX, y, z])) return -850;
  if (z < -60) return (x / 180) ** 2 + (y / 110) ** 2 < 1 ? 45 : -1000;
  if (z < 120 && radius < 55) return radius > 48 ? -100 : 50;
  return -1000;
}

/** The person on an upright grid that covers x ±188, y ±116 and these heights (mm). */
export function drawnPerson(
  [lowMm, highMm]: readonly [number, number] = [-240, 256],
  huOf: (point: Vector3) => number = huOfPerson,
  spacingMm: Vector3 = [4, 4, 4],
): Volume<Int16Array> {
  const extent = [376, 232, highMm - lowMm];
  const count = (axis: 0 | 1 | 2) => Math.round(extent[axis] / spacingMm[axis]);
  const scan: Volume<Int16Array> = {
    size: [count(0), count(1), count(2)],
    spacingMm,
    originMm: [-188 + spacingMm[0] / 2, -116 + spacingMm[1] / 2, lowMm + spacingMm[2] / 2],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data: new Int16Array(count(0) * count(1) * count(2)),
  };
  for (let k = 0, at = 0; k < scan.size[2]; k++) {
    for (let j = 0; j < scan.size[1]; j++) {
      for (let i = 0; i < scan.size[0]; i++, at++) scan.data[at] = huOf(pointOfIndex(scan, [i, j, k]));
    }
  }
  return scan;
}

export function within({ centre, halfAxes }: Ellipsoid, point: Vector3): boolean {
  return (
    ((point[0] - centre[0]) / halfAxes[0]) ** 2 +
      ((point[1] - centre[1]) / halfAxes[1]) ** 2 +
      ((point[2] - centre[2]) / halfAxes[2]) ** 2 <
    1
  );
}
