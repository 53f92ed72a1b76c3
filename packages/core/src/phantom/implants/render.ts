// Renders an implant into a host: displaces the host's tissue, replaces everything but its noise, and blurs like its scanner.
import { blur } from "../../volume/gaussian.js";
import { type Geometry, type Vector3, voxelCount } from "../../volume/volume.js";
import type { IndexBox } from "../../voxels/morphology.js";
import { type Cell, cellField } from "../shapes.js";
import type { Host } from "./host.js";
import { boxOf, type Implant } from "./shape.js";

/** The scan being changed, on the host's grid, in place. */
export interface Canvas {
  readonly hu: Float32Array;
  /** Number of the node, 0 outside all nodes. */
  readonly instances: Uint8Array;
}

/** Fraction of its volume by which an implant displaces tissue. */
const MASS_EFFECT = 0.75;
/** Tissue is displaced up to this many radii from the centre, and less near rigid structures. */
const REACH = 2.5;
const RIGID_MM = 8;
/** Finer structures of the host, its noise, are kept. */
const GRAIN_MM = 2.5;

/**
 * @param centreMm where its middle lies
 * @param id its number in `instances`; 0 leaves it unlabelled
 * @param pushes whether tissue is moved aside
 * @param texture smooth unevenness of unit deviation at a point in mm
 * @returns how many voxels it has
 */
export function renderImplant(
  canvas: Canvas,
  host: Host,
  implant: Implant,
  centreMm: Vector3,
  {
    id,
    pushes,
    texture,
  }: { id: number; pushes: boolean; texture: (x: number, y: number, z: number) => number },
): number {
  const box = affectedBox(host, implant, centreMm, pushes);
  const part = cropped(canvas, host, box);
  const fields = fieldsOf(part, implant.cells);
  const inHost = hostVoxel(host, box);
  const before = { hu: part.hu.slice(), instances: part.instances.slice() };
  if (pushes) pushAside(part, before, host, inHost, fields, centreMm);
  const { share, hu } = painted(
    part,
    implant,
    fields,
    texture,
    (voxel) => host.clearanceMm[inHost(voxel)] === 0,
  );
  const inVoxels = (mm: Vector3) =>
    mm.map((length, axis) => length / host.spacingMm[axis]) as unknown as Vector3;
  const label = share.slice();
  blur(share, part.size, inVoxels(host.pointSpreadMm));
  blur(hu, part.size, inVoxels(host.pointSpreadMm));
  const coarse = part.hu.slice();
  blur(coarse, part.size, inVoxels([GRAIN_MM, GRAIN_MM, GRAIN_MM]));
  const greatest = 2.5 * host.noiseHu;
  let voxels = 0;
  for (let n = 0; n < part.hu.length; n++) {
    if (share[n] > 1e-3) {
      // What the scan shows beyond noise here, such as the edge of a muscle, lies under the implant.
      const grain = Math.max(-greatest, Math.min(greatest, part.hu[n] - coarse[n]));
      const inside = hu[n] / share[n] + grain;
      part.hu[n] += share[n] * (inside - part.hu[n]);
    }
    if (label[n] >= 0.5) {
      part.instances[n] = id;
      voxels++;
    }
  }
  paste(canvas, host, box, part);
  return voxels;
}

interface Part extends Geometry {
  readonly hu: Float32Array;
  readonly instances: Uint8Array;
}

/** Voxels that the implant may change. */
function affectedBox(host: Host, implant: Implant, centreMm: Vector3, pushes: boolean): IndexBox {
  const box = boxOf(implant);
  const start: number[] = [];
  const size: number[] = [];
  for (let axis = 0; axis < 3; axis++) {
    const reach = pushes ? REACH : 1;
    const marginMm = 3 * host.pointSpreadMm[axis] + 2;
    const low = centreMm[axis] + reach * (box[axis] - centreMm[axis]) - marginMm;
    const high = centreMm[axis] + reach * (box[axis + 3] - centreMm[axis]) + marginMm;
    const first = Math.max(0, Math.floor((low - host.originMm[axis]) / host.spacingMm[axis]));
    const last = Math.min(
      host.size[axis] - 1,
      Math.ceil((high - host.originMm[axis]) / host.spacingMm[axis]),
    );
    start.push(first);
    size.push(last - first + 1);
  }
  return { start: start as unknown as Vector3, size: size as unknown as Vector3 };
}

function cropped(canvas: Canvas, host: Host, { start, size }: IndexBox): Part {
  const originMm = start.map(
    (index, axis) => host.originMm[axis] + index * host.spacingMm[axis],
  ) as unknown as Vector3;
  const geometry = { size, spacingMm: host.spacingMm, originMm, direction: host.direction };
  const hu = new Float32Array(voxelCount(geometry));
  const instances = new Uint8Array(hu.length);
  eachRow(host, { start, size }, (from, to, length) => {
    hu.set(canvas.hu.subarray(from, from + length), to);
    instances.set(canvas.instances.subarray(from, from + length), to);
  });
  return { ...geometry, hu, instances };
}

function paste(canvas: Canvas, host: Host, box: IndexBox, part: Part): void {
  eachRow(host, box, (from, to, length) => {
    canvas.hu.set(part.hu.subarray(to, to + length), from);
    canvas.instances.set(part.instances.subarray(to, to + length), from);
  });
}

/** The rows of a box: where each begins in the host and in the box. */
function eachRow(
  host: Geometry,
  { start, size }: IndexBox,
  visit: (inHost: number, inBox: number, length: number) => void,
): void {
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      visit(
        start[0] + host.size[0] * (start[1] + j + host.size[1] * (start[2] + k)),
        size[0] * (j + size[1] * k),
        size[0],
      );
}

/** The field of the nearest cell at each voxel: 1 on the surface, growing outwards as a squared distance. */
function fieldsOf(part: Part, cells: readonly Cell[]): Float32Array {
  const fields = new Float32Array(part.hu.length);
  eachPoint(part, (x, y, z, n) => {
    fields[n] = leastField(cells, x, y, z);
  });
  return fields;
}

function leastField(cells: readonly Cell[], x: number, y: number, z: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const cell of cells) least = Math.min(least, cellField(cell, x, y, z));
  return least;
}

/**
 * Displaces tissue outwards, as if it were incompressible: what lies at q radii comes from (q³ − share)^⅓ radii. The
 * displacement is smaller near bone, air, organs and skin, and 0 from 2.5 radii on.
 */
function pushAside(
  part: Part,
  before: { readonly hu: Float32Array; readonly instances: Uint8Array },
  host: Host,
  inHost: (voxel: number) => number,
  fields: Float32Array,
  centreMm: Vector3,
): void {
  const [nx, ny, nz] = part.size;
  eachPoint(part, (x, y, z, n) => {
    const q = Math.sqrt(fields[n]);
    if (q >= REACH) return;
    const freedom = Math.min(1, host.clearanceMm[inHost(n)] / RIGID_MM);
    const fading = q <= 1 ? 1 : (REACH - q) / (REACH - 1);
    const share = MASS_EFFECT * freedom * fading;
    const radius = Math.max(1, q);
    const factor = Math.cbrt(1 - share / radius ** 3);
    const at = (value: number, axis: 0 | 1 | 2) =>
      (centreMm[axis] + (value - centreMm[axis]) * factor - part.originMm[axis]) / part.spacingMm[axis];
    const [a, b, c] = [at(x, 0), at(y, 1), at(z, 2)];
    part.hu[n] = linearAt(before.hu, part.size, a, b, c);
    const nearest =
      Math.min(nx - 1, Math.max(0, Math.round(a))) +
      nx * (Math.min(ny - 1, Math.max(0, Math.round(b))) + ny * Math.min(nz - 1, Math.max(0, Math.round(c))));
    part.instances[n] = before.instances[nearest];
  });
}

/** Converts a voxel of a box to the voxel of the host. */
function hostVoxel(host: Host, { start, size: [nx, ny] }: IndexBox): (voxel: number) => number {
  return (voxel) => {
    const [i, j, k] = [voxel % nx, Math.floor(voxel / nx) % ny, Math.floor(voxel / (nx * ny))];
    return start[0] + i + host.size[0] * (start[1] + j + host.size[1] * (start[2] + k));
  };
}

/**
 * The fraction of each voxel that the implant fills, and that fraction times HU, from eight points per voxel; 0 in bone,
 * air, organs and outside the skin.
 */
function painted(
  part: Part,
  { cells, hu: ownHu, textureHu, core }: Implant,
  fields: Float32Array,
  texture: (x: number, y: number, z: number) => number,
  isClosed: (voxel: number) => boolean,
): { share: Float32Array; hu: Float32Array } {
  const share = new Float32Array(part.hu.length);
  const hu = new Float32Array(part.hu.length);
  const [dx, dy, dz] = part.spacingMm.map((spacing) => spacing / 4);
  eachPoint(part, (x, y, z, n) => {
    // Beyond twice the radius no part of a voxel is inside, even for a small implant.
    if (fields[n] > 4 || isClosed(n)) return;
    let inside = 0;
    let sum = 0;
    for (let corner = 0; corner < 8; corner++) {
      const px = x + (corner & 1 ? dx : -dx);
      const py = y + (corner & 2 ? dy : -dy);
      const pz = z + (corner & 4 ? dz : -dz);
      if (leastField(cells, px, py, pz) >= 1) continue;
      inside++;
      const isCore = core !== null && cellField(core.cell, px, py, pz) < 1;
      sum += isCore ? core.hu : ownHu + textureHu * texture(px, py, pz);
    }
    share[n] = inside / 8;
    hu[n] = sum / 8;
  });
  return { share, hu };
}

function eachPoint(
  { size: [nx, ny, nz], originMm, spacingMm }: Geometry,
  visit: (x: number, y: number, z: number, voxel: number) => void,
): void {
  let n = 0;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, n++)
        visit(
          originMm[0] + i * spacingMm[0],
          originMm[1] + j * spacingMm[1],
          originMm[2] + k * spacingMm[2],
          n,
        );
}

function linearAt(data: Float32Array, [nx, ny, nz]: Vector3, i: number, j: number, k: number): number {
  const i0 = Math.min(Math.max(0, Math.floor(i)), Math.max(0, nx - 2));
  const j0 = Math.min(Math.max(0, Math.floor(j)), Math.max(0, ny - 2));
  const k0 = Math.min(Math.max(0, Math.floor(k)), Math.max(0, nz - 2));
  const u = Math.min(1, Math.max(0, i - i0));
  const v = Math.min(1, Math.max(0, j - j0));
  const w = Math.min(1, Math.max(0, k - k0));
  const [si, sj, sk] = [nx > 1 ? 1 : 0, ny > 1 ? nx : 0, nz > 1 ? nx * ny : 0];
  const at = i0 + nx * (j0 + ny * k0);
  const row = (start: number) => data[start] + u * (data[start + si] - data[start]);
  const plane = (start: number) => row(start) + v * (row(start + sj) - row(start));
  return plane(at) + w * (plane(at + sk) - plane(at));
}
