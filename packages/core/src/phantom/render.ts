// Renders solids as voxels: tissues are painted on a finer grid and averaged, so that borders show the partial volume effect.

import type { Geometry, Vector3 } from "../volume/volume.js";
import type { Anatomy } from "./anatomy.js";
import { inCore, type NodeShape } from "./nodes.js";
import { FIRST_ORGAN, organNumbers } from "./organs.js";
import { randomStream } from "./random.js";
import { type Appearance, type Box, type Cell, cellField, type Solid } from "./shapes.js";
import { drawTexture, textureAt } from "./texture.js";
import type { Variety } from "./variety.js";

/** Noise-free attenuation and node numbers of a grid. */
export interface Rendering {
  /** HU, before point spread and noise. */
  readonly hu: Float32Array;
  /** Node number where nodes fill at least half of a voxel, else 0. */
  readonly instances: Uint8Array<ArrayBuffer>;
  /** Organ numbers, from {@link FIRST_ORGAN}, where organs fill at least half of a voxel, else 0; null where none were asked for. */
  readonly organs: Uint8Array<ArrayBuffer> | null;
}

/** Paints a patient on a grid, with 2×2 sub-voxels in plane and as many slices as keep them under 1.3 mm. */
export function render(
  seed: number,
  index: number,
  variety: Variety,
  geometry: Geometry,
  anatomyOriginMm: Vector3,
  withOrgans = false,
): Rendering {
  const { anatomy, nodes } = variety;
  const [nx, ny, nz] = geometry.size;
  const factor = 2;
  const factorZ = Math.max(2, Math.ceil(geometry.spacingMm[2] / 1.3));
  const grid = subGrid(geometry, anatomyOriginMm, factor, factorZ);
  const texture = drawTexture(randomStream(seed, index, "anatomy"));
  const numbers = organNumbers(anatomy.solids);
  const paints = orderedPaints(anatomy, nodes, numbers, grid);
  const outsidePaints = paintsOf(variety.outside, grid);
  const fine = {
    hu: new Float32Array(grid.size[0] * grid.size[1]),
    node: new Uint8Array(grid.size[0] * grid.size[1]),
    organ: new Uint8Array(grid.size[0] * grid.size[1]),
  };
  const hu = new Float32Array(nx * ny * nz);
  const instances = new Uint8Array(nx * ny * nz);
  const counts = new Uint8Array((nodes.length + 1) * nx * ny);
  const organs = withOrgans ? new Uint8Array(nx * ny * nz) : null;
  const organCount = Math.max(...numbers);
  const organCounts = new Uint8Array(withOrgans ? (organCount + 1) * nx * ny : 0);
  const share = 1 / (factor * factor * factorZ);
  for (let k = 0; k < nz; k++) {
    counts.fill(0);
    organCounts.fill(0);
    const slice = hu.subarray(k * nx * ny, (k + 1) * nx * ny);
    for (let sub = 0; sub < factorZ; sub++) {
      const fineK = k * factorZ + sub;
      paintBody(variety, grid, fineK, fine);
      for (const paint of outsidePaints)
        if (fineK >= paint.low[2] && fineK <= paint.high[2])
          paintCell(paint, grid, fineK, fine, texture, isFreeAir);
      for (const paint of paints)
        if (fineK >= paint.low[2] && fineK <= paint.high[2])
          paintCell(paint, grid, fineK, fine, texture, isInside);
      gather(fine, grid, nx, ny, slice, counts);
      if (withOrgans) gatherMarks(fine.organ, nx, ny, organCounts);
    }
    for (let n = 0; n < slice.length; n++) slice[n] = slice[n] * share;
    const half = (factor * factor * factorZ) / 2;
    decide(
      counts,
      { count: nodes.length, first: 1 },
      half,
      instances.subarray(k * nx * ny, (k + 1) * nx * ny),
    );
    if (organs !== null)
      decide(
        organCounts,
        { count: organCount, first: FIRST_ORGAN },
        half,
        organs.subarray(k * nx * ny, (k + 1) * nx * ny),
      );
  }
  return { hu, instances, organs };
}

interface SubGrid {
  readonly size: Vector3;
  readonly origin: Vector3;
  /** Steps (mm) from one sub-voxel to the next along i, j, k. */
  readonly steps: readonly [Vector3, Vector3, Vector3];
}

// In coordinates of the anatomy.
function subGrid(geometry: Geometry, anatomyOriginMm: Vector3, factor: number, factorZ: number): SubGrid {
  const { size, spacingMm, originMm, direction } = geometry;
  const factors = [factor, factor, factorZ] as const;
  const steps = factors.map((parts, axis) =>
    [0, 1, 2].map((row) => (direction[row * 3 + axis] * spacingMm[axis]) / parts),
  ) as unknown as SubGrid["steps"];
  const origin = [0, 1, 2].map((row) =>
    factors.reduce(
      (value, parts, axis) => value - ((parts - 1) / 2) * steps[axis][row],
      originMm[row] - anatomyOriginMm[row],
    ),
  ) as unknown as Vector3;
  return { size: [size[0] * factor, size[1] * factor, size[2] * factorZ], origin, steps };
}

interface Paint {
  readonly cell: Cell;
  readonly appearance: Appearance | null;
  readonly node: NodeShape | null;
  /** Number of its organ; 0 for none. */
  readonly organ: number;
  readonly low: Vector3;
  readonly high: Vector3;
}

// Nodes are painted last, over muscles, glands, fat and veins, which they push aside; they never overlap other tissues.
function orderedPaints(
  anatomy: Anatomy,
  nodes: readonly NodeShape[],
  organs: readonly number[],
  grid: SubGrid,
): Paint[] {
  const paints = paintsOf(anatomy.solids, grid, organs);
  for (const node of nodes) {
    const range = indexRange(node.box, grid);
    if (range !== null) paints.push({ cell: node.blob, appearance: null, node, organ: 0, ...range });
  }
  return paints;
}

function paintsOf(solids: readonly Solid[], grid: SubGrid, organs: readonly number[] = []): Paint[] {
  return solids.flatMap(({ cells, boxes, appearance }, at) =>
    cells.flatMap((cell, n) => {
      const range = indexRange(boxes[n], grid);
      return range === null ? [] : [{ cell, appearance, node: null, organ: organs[at] ?? 0, ...range }];
    }),
  );
}

function indexRange(box: Box, grid: SubGrid): { low: Vector3; high: Vector3 } | null {
  const low = [0, 0, 0];
  const high = [0, 0, 0];
  for (let axis = 0; axis < 3; axis++) {
    const step = grid.steps[axis] as Vector3;
    const square = step[0] ** 2 + step[1] ** 2 + step[2] ** 2;
    let middle = 0;
    let reach = 0;
    for (let row = 0; row < 3; row++) {
      const a = box[row];
      const b = box[row + 3];
      middle += ((a + b) / 2 - grid.origin[row]) * (step[row] / square);
      reach += ((b - a) / 2) * Math.abs(step[row] / square);
    }
    low[axis] = Math.max(0, Math.ceil(middle - reach));
    high[axis] = Math.min(grid.size[axis] - 1, Math.floor(middle + reach));
    if (low[axis] > high[axis]) return null;
  }
  return { low: low as unknown as Vector3, high: high as unknown as Vector3 };
}

interface FineSlice {
  readonly hu: Float32Array;
  readonly node: Uint8Array;
  /** Number of the organ that was painted last, 0 for none. */
  readonly organ: Uint8Array;
}

// Marks air and skin, which no organ may cover, so that muscles end at the skin.
const outside = 255;
const airHu = -1000;

// Where a solid of the body may be painted, and where one outside of it.
const isInside = (fine: FineSlice, at: number): boolean => fine.node[at] !== outside;
const isFreeAir = (fine: FineSlice, at: number): boolean =>
  fine.node[at] === outside && fine.hu[at] === airHu;

function paintBody({ anatomy, mask }: Variety, grid: SubGrid, k: number, fine: FineSlice): void {
  // By depth below the skin, each layer reaching to the next.
  const layers: readonly (readonly [fromMm: number, hu: number, mark: number])[] = [
    ...(mask === null
      ? []
      : ([
          [-mask.gapMm - mask.thicknessMm, mask.hu, outside],
          [-mask.gapMm, airHu, outside],
        ] as const)),
    [0, anatomy.skinHu, outside],
    [anatomy.skinMm, anatomy.fatHu, 0],
  ];
  const [nx, ny] = grid.size;
  const [si, sj, sk] = grid.steps;
  fine.hu.fill(airHu);
  fine.node.fill(outside);
  fine.organ.fill(0);
  const coarse = Math.max(4, Math.round(4 / Math.hypot(...si)));
  for (let j = 0; j < ny; j++) {
    const x = grid.origin[0] + sj[0] * j + sk[0] * k;
    const y = grid.origin[1] + sj[1] * j + sk[1] * k;
    const z = grid.origin[2] + sj[2] * j + sk[2] * k;
    const depth = (i: number): number => anatomy.depthMm(x + si[0] * i, y + si[1] * i, z + si[2] * i);
    const row = fine.hu.subarray(j * nx, (j + 1) * nx);
    const closed = fine.node.subarray(j * nx, (j + 1) * nx);
    let before = depth(0);
    for (let i = 0; i < nx - 1; i += coarse) {
      const end = Math.min(nx - 1, i + coarse);
      const after = depth(end);
      const last = end === nx - 1 ? nx : end;
      for (const [level, hu, mark] of layers) {
        if (before <= level && after <= level) continue;
        const border = after > level && before > level ? i : crossing(depth, i, end, level, before > level);
        const [from, to] = before > level && after <= level ? [i, border] : [border, last];
        row.fill(hu, from, to);
        closed.fill(mark, from, to);
      }
      before = after;
    }
  }
}

// The first position where the depth has passed the level.
function crossing(
  depth: (i: number) => number,
  low: number,
  high: number,
  level: number,
  above: boolean,
): number {
  let a = low;
  let b = high;
  while (b - a > 1) {
    const middle = (a + b) >> 1;
    if (depth(middle) > level === above) a = middle;
    else b = middle;
  }
  return b;
}

function paintCell(
  paint: Paint,
  grid: SubGrid,
  k: number,
  fine: FineSlice,
  texture: Float32Array,
  mayPaint: (fine: FineSlice, at: number) => boolean,
): void {
  const { cell, appearance, node, organ, low, high } = paint;
  const [si, sj, sk] = grid.steps;
  const width = grid.size[0];
  const textureHu = node === null ? ((appearance as Appearance).textureHu ?? 0) : node.textureHu;
  const shellFrom = appearance?.shellFrom ?? Number.POSITIVE_INFINITY;
  const shellHu = appearance?.shellHu ?? 0;
  const plainHu = node === null ? (appearance as Appearance).hu : node.hu;
  for (let j = low[1]; j <= high[1]; j++) {
    let x = grid.origin[0] + sj[0] * j + sk[0] * k + si[0] * low[0];
    let y = grid.origin[1] + sj[1] * j + sk[1] * k + si[1] * low[0];
    let z = grid.origin[2] + sj[2] * j + sk[2] * k + si[2] * low[0];
    for (let i = low[0]; i <= high[0]; i++, x += si[0], y += si[1], z += si[2]) {
      const field = cellField(cell, x, y, z);
      if (field >= 1) continue;
      const at = i + width * j;
      if (!mayPaint(fine, at)) continue;
      let hu = field > shellFrom ? shellHu : plainHu;
      if (node !== null) {
        fine.node[at] = node.node.id;
        if (node.core !== null && inCore(node, x, y, z)) hu = node.core.hu;
      }
      fine.organ[at] = organ;
      fine.hu[at] = textureHu === 0 ? hu : hu + textureHu * textureAt(texture, x, y, z);
    }
  }
}

// Adds one painted sub-slice to the sums of its slice.
function gather(
  fine: FineSlice,
  grid: SubGrid,
  nx: number,
  ny: number,
  slice: Float32Array,
  counts: Uint8Array,
): void {
  const width = grid.size[0];
  for (let j = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++) {
      const a = 2 * i + width * 2 * j;
      const b = a + width;
      const at = i + nx * j;
      slice[at] = slice[at] + fine.hu[a] + fine.hu[a + 1] + fine.hu[b] + fine.hu[b + 1];
    }
  }
  gatherMarks(fine.node, nx, ny, counts);
}

// Counts the sub-voxels of each number.
function gatherMarks(marks: Uint8Array, nx: number, ny: number, counts: Uint8Array): void {
  const plane = nx * ny;
  for (let j = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++) {
      const a = 2 * i + 4 * nx * j;
      const b = a + 2 * nx;
      const at = i + nx * j;
      count(counts, marks[a], plane, at);
      count(counts, marks[a + 1], plane, at);
      count(counts, marks[b], plane, at);
      count(counts, marks[b + 1], plane, at);
    }
  }
}

function count(counts: Uint8Array, mark: number, plane: number, at: number): void {
  if (mark !== 0 && mark !== outside) counts[mark * plane + at]++;
}

// Of the numbers, the one of the most sub-voxels, where all of them together fill half of a voxel; the first is called `first`.
function decide(
  counts: Uint8Array,
  numbers: { readonly count: number; readonly first: number },
  half: number,
  into: Uint8Array,
): void {
  const plane = into.length;
  for (let at = 0; at < plane; at++) {
    let total = 0;
    let best = 0;
    let bestCount = 0;
    for (let n = 1; n <= numbers.count; n++) {
      const count = counts[n * plane + at];
      total += count;
      if (count > bestCount) {
        best = n;
        bestCount = count;
      }
    }
    if (total >= half) into[at] = numbers.first + best - 1;
  }
}
