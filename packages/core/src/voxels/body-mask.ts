// The patient in a CT: without table, air and what lies apart, with airway and other cavities filled.

import { type Vector3, type Volume, voxelCount } from "../volume/volume.js";
import { labelRuns } from "./components.js";
import { squaredDistanceMm } from "./distance.js";

/**
 * The patient's body (0 and 1, i fastest, on the scan's grid).
 *
 * Voxels above −500 HU, halfway from air to tissue, are opened by a disc of 4 mm in each axial slice, which takes away
 * the table, head rests and tubes that are less than 8 mm thick, and with them thin parts of the ears. The largest body
 * connected by faces stays: hands, arms and bolsters that do not touch it within the scan go; arms that join it at the
 * shoulders stay. Background that an axial slice encloses is filled: airway, sinuses, lungs. This holds for the scan's
 * first and last slice too, where the airway is cut. What lies beyond the grid's border counts as body while opening, so
 * that shoulders cut by the field of view keep their shape.
 *
 * @param scan - HU; slices along the index axis nearest to z
 */
export function bodyMask(scan: Volume): Uint8Array {
  const planes = axialPlanes(scan);
  const body = new Uint8Array(voxelCount(scan));
  for (let at = 0; at < body.length; at++) if (scan.data[at] > airBelowHu) body[at] = 1;

  const cores = new Uint8Array(body.length);
  forEachPlane(planes, (read, write) => {
    const core = shrink(read(body), planes);
    write(cores, core);
  });
  keepLargest(cores, scan.size);
  forEachPlane(planes, (read, write) => {
    write(body, fillHoles(grow(read(cores), planes), planes.planeSize));
  });
  return body;
}

const airBelowHu = -500;
const openingRadiusMm = 4;

/** How the axial slices lie in memory. */
interface Planes {
  readonly planeSize: readonly [number, number];
  readonly planeSpacingMm: readonly [number, number];
  /** Steps in memory along the two axes of a slice and from slice to slice. */
  readonly steps: Vector3;
  readonly count: number;
}

function axialPlanes({ size, spacingMm, direction }: Volume): Planes {
  const strides: Vector3 = [1, size[0], size[0] * size[1]];
  const cosines = [6, 7, 8].map((entry) => Math.abs(direction[entry]));
  const axis = cosines.indexOf(Math.max(...cosines));
  const [a, b] = [0, 1, 2].filter((one) => one !== axis);
  return {
    planeSize: [size[a], size[b]],
    planeSpacingMm: [spacingMm[a], spacingMm[b]],
    steps: [strides[a], strides[b], strides[axis]],
    count: size[axis],
  };
}

/** Calls with a reader and a writer of each axial slice. */
function forEachPlane(
  { planeSize: [width, height], steps, count }: Planes,
  visit: (read: (from: Uint8Array) => Uint8Array, write: (to: Uint8Array, plane: Uint8Array) => void) => void,
): void {
  for (let plane = 0; plane < count; plane++) {
    const forEachVoxel = (copy: (inVolume: number, inPlane: number) => void) => {
      for (let b = 0, inPlane = 0; b < height; b++) {
        let inVolume = plane * steps[2] + b * steps[1];
        for (let a = 0; a < width; a++, inPlane++, inVolume += steps[0]) copy(inVolume, inPlane);
      }
    };
    const buffer = new Uint8Array(width * height);
    visit(
      (from) => {
        forEachVoxel((inVolume, inPlane) => {
          buffer[inPlane] = from[inVolume];
        });
        return buffer;
      },
      (to, voxels) => {
        forEachVoxel((inVolume, inPlane) => {
          to[inVolume] = voxels[inPlane];
        });
      },
    );
  }
}

/** Voxels of a slice farther than the radius from any background inside the slice. */
function shrink(plane: Uint8Array, planes: Planes): Uint8Array {
  const background = plane.map((value) => 1 - value);
  const squared = squaredDistanceInPlane(background, planes);
  return plane.map((_, at) => (squared[at] > openingRadiusMm ** 2 ? 1 : 0));
}

/** Voxels of a slice at most the radius away from its foreground. */
function grow(plane: Uint8Array, planes: Planes): Uint8Array {
  const squared = squaredDistanceInPlane(plane, planes);
  return plane.map((_, at) => (squared[at] <= openingRadiusMm ** 2 ? 1 : 0));
}

function squaredDistanceInPlane(plane: Uint8Array, { planeSize, planeSpacingMm }: Planes): Float64Array {
  return squaredDistanceMm(plane, [...planeSize, 1], [...planeSpacingMm, 1]);
}

function keepLargest(mask: Uint8Array, size: Vector3): void {
  const { starts, ends, runLabels, sizes } = labelRuns(mask, size, 6);
  const largest = sizes.reduce((best, voxels, at) => (voxels > sizes[best] ? at : best), 0) + 1;
  for (let run = 0; run < starts.length; run++) {
    if (runLabels[run] !== largest) mask.fill(0, starts[run], ends[run]);
  }
}

/** Fills the background of a slice that no way over faces joins to the slice's border. Changes the slice. */
function fillHoles(plane: Uint8Array, [width, height]: readonly [number, number]): Uint8Array {
  const background = plane.map((value) => 1 - value);
  const { starts, ends, runLabels, count } = labelRuns(background, [width, height, 1], 6);
  const isOpen = new Uint8Array(count + 1);
  for (let run = 0; run < starts.length; run++) {
    const row = Math.floor(starts[run] / width);
    const touchesBorder =
      row === 0 || row === height - 1 || starts[run] === row * width || ends[run] === (row + 1) * width;
    if (touchesBorder) isOpen[runLabels[run]] = 1;
  }
  for (let run = 0; run < starts.length; run++) {
    if (isOpen[runLabels[run]] === 0) plane.fill(1, starts[run], ends[run]);
  }
  return plane;
}
