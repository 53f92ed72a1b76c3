// Draws the lymph nodes of a phantom patient by size, then places them along the vessels wherever they fit.

import { add, length, scale } from "../volume/vector.js";
import { type Geometry, indexOfPoint, type Vector3 } from "../volume/volume.js";
import { type Anatomy, axesAlong } from "./anatomy.js";
import { type RandomStream, randomStream } from "./random.js";
import {
  type BlobCell,
  type Box,
  blobSurface,
  cellField,
  centreAtHeight,
  drawPhases,
  insideBox,
  insideSolid,
  type Solid,
  solidOf,
  type Tissue,
} from "./shapes.js";

export type NodeKind = "plain" | "fatty hilum" | "necrotic";

/** Where along the neck a node was placed: the phantom's levels IA, IB, II, III, IV and V. */
export type NodeStation =
  | "submental"
  | "submandibular"
  | "upper jugular"
  | "middle jugular"
  | "lower jugular"
  | "posterior";

/** The description of a node; positions are LPS mm of the scan. */
export interface PhantomNode {
  /** From 1; the value of its voxels in the instance volume. */
  readonly id: number;
  /** Smallest distance between two parallel planes that hold the node between them, mm. */
  readonly shortAxisMm: number;
  /** Largest distance between two points of the node, mm. */
  readonly longAxisMm: number;
  readonly volumeMl: number;
  readonly centroidLpsMm: Vector3;
  readonly kind: NodeKind;
  readonly station: NodeStation;
  /** Tissues within 1 mm of its surface, or dented by it. */
  readonly touches: readonly Tissue[];
}

/** A node with the shape the renderer paints; in coordinates of the anatomy. */
export interface NodeShape {
  readonly node: PhantomNode;
  readonly blob: BlobCell;
  readonly box: Box;
  readonly hu: number;
  readonly textureHu: number;
  /** Hilum or necrosis: where it is painted inside the node, and its HU. */
  readonly core: { readonly blob: BlobCell; readonly hu: number } | null;
}

/** Draws and places the nodes of a patient; cheap, since nothing is rendered. */
export function drawNodes(
  seed: number,
  index: number,
  anatomy: Anatomy,
  geometry: Geometry,
  anatomyOriginMm: Vector3,
): NodeShape[] {
  const random = randomStream(seed, index, "nodes");
  // 3 + binomial(6, 5/12): 3 to 9, mean 5.5, as 678 nodes in the 123 patients of the paper.
  let count = 3;
  for (let n = 0; n < 6; n++) if (random.chance(2.5 / 6)) count++;
  const shortAxes = Array.from({ length: count }, () => drawShortAxis(random)).sort((a, b) => b - a);
  const enhancement = random.uniform(90, 102);
  const shapes: NodeShape[] = [];
  for (const shortAxisMm of shortAxes) {
    const placed = placeNode(random, shortAxisMm, anatomy, geometry, anatomyOriginMm, shapes);
    if (placed === null) continue;
    const kind: NodeKind = (["fatty hilum", "necrotic", "plain"] as const)[
      random.weighted([17, 17, 66])
    ] as NodeKind;
    // Nodes under 6 mm are too small to show either.
    shapes.push(
      describe(
        random,
        shapes.length + 1,
        placed,
        shortAxisMm < 6 ? "plain" : kind,
        enhancement,
        anatomy,
        anatomyOriginMm,
      ),
    );
  }
  return shapes;
}

// Log-normal with median 8.8 mm, kept within 3–25 mm.
function drawShortAxis(random: RandomStream): number {
  for (;;) {
    const shortAxisMm = 8.8 * Math.exp(random.normal(0, 0.42));
    if (shortAxisMm >= 3.2 && shortAxisMm <= 25) return shortAxisMm;
  }
}

const stations: readonly NodeStation[] = [
  "submental",
  "submandibular",
  "upper jugular",
  "middle jugular",
  "lower jugular",
  "posterior",
];
const stationWeights = [5, 14, 34, 21, 12, 14];
// Attempts before a smaller node is drawn; crowded necks would otherwise never be finished.
const attemptsPerSize = 150;
const surfacePoints = 90;

interface PlacedNode {
  readonly blob: BlobCell;
  readonly station: NodeStation;
}

function placeNode(
  random: RandomStream,
  shortAxisMm: number,
  anatomy: Anatomy,
  geometry: Geometry,
  anatomyOriginMm: Vector3,
  others: readonly NodeShape[],
): PlacedNode | null {
  let size = shortAxisMm;
  for (let attempt = 0; attempt < 20 * attemptsPerSize; attempt++) {
    if (attempt % attemptsPerSize === attemptsPerSize - 1) size = Math.max(3.2, size * 0.92);
    const placed = drawBlob(random, size, anatomy);
    const { blob } = placed;
    if (!freeAt(blob.centre, anatomy, others)) continue;
    const patience = (attempt % attemptsPerSize) / attemptsPerSize;
    if (fits(blob, anatomy, geometry, anatomyOriginMm, others, patience)) return placed;
  }
  return null;
}

function drawBlob(random: RandomStream, shortAxisMm: number, anatomy: Anatomy): PlacedNode {
  const side = random.chance(0.5) ? 0 : 1;
  const jugular = anatomy.jugulars[side];
  const station = stations[random.weighted(stationWeights)] as NodeStation;
  const { centre, direction } = drawSite(random, station, side === 0 ? 1 : -1, jugular, shortAxisMm, anatomy);
  const elongation = random.uniform(1.15, 1.9);
  const flatness = random.uniform(1, 1.3);
  const bean = random.chance(0.5);
  const draft: BlobCell = {
    kind: "blob",
    centre,
    axes: axesAlong(direction, random.uniform(0, 2 * Math.PI)),
    semiAxesMm: [(elongation * shortAxisMm) / 2, (flatness * shortAxisMm) / 2, shortAxisMm / 2],
    bend: bean ? random.uniform(0.15, 0.45) : 0,
    egg: bean ? random.uniform(-0.08, 0.08) : random.uniform(0.08, 0.28) * (random.chance(0.5) ? 1 : -1),
    squared: false,
    roughness: random.uniform(0.03, 0.09),
    phases: drawPhases(random),
  };
  return { blob: withShortAxis(draft, shortAxisMm), station };
}

/** A blob scaled to a short axis: bending and roughness change the diameters, and a single correction undoes that. */
export function withShortAxis(draft: BlobCell, shortAxisMm: number): BlobCell {
  const factor = shortAxisMm / calipers(blobSurface(draft, surfacePoints)).shortAxisMm;
  const [a, b, c] = draft.semiAxesMm;
  return { ...draft, semiAxesMm: [a * factor, b * factor, c * factor] };
}

function drawSite(
  random: RandomStream,
  station: NodeStation,
  sideSign: number,
  jugular: Solid,
  shortAxisMm: number,
  anatomy: Anatomy,
): { centre: Vector3; direction: Vector3 } {
  const wobble = (deviation: number): number => random.normal(0, deviation);
  if (station === "submental" || station === "submandibular" || station === "posterior") {
    const site: Vector3 =
      station === "submental"
        ? [wobble(5), -48 + wobble(4), 8 + wobble(3)]
        : station === "submandibular"
          ? [sideSign * (34 + wobble(7)), -28 + wobble(9), 11 + wobble(6)]
          : [sideSign * (46 + wobble(5)), 20 + wobble(7), random.uniform(-30, 28)];
    const direction: Vector3 =
      station === "posterior"
        ? [wobble(0.3), wobble(0.3), 1]
        : [sideSign * 0.4 + wobble(0.3), 0.8 + wobble(0.3), wobble(0.4)];
    return { centre: anatomy.place(site), direction };
  }
  const heights: Record<"upper jugular" | "middle jugular" | "lower jugular", readonly [number, number]> = {
    "upper jugular": [10, 44],
    "middle jugular": [-16, 12],
    "lower jugular": [-44, -16],
  };
  const zMm = random.uniform(...heights[station]);
  const below = centreAtHeight(jugular, zMm - 4);
  const above = centreAtHeight(jugular, zMm + 4);
  const along: Vector3 = [above[0] - below[0], above[1] - below[1], above[2] - below[2]];
  const angle = random.uniform(0, 2 * Math.PI);
  const distance = 4.6 + shortAxisMm * 0.5 + Math.abs(wobble(2.5)) - 0.6;
  const middle = centreAtHeight(jugular, zMm);
  return {
    centre: [middle[0] + distance * Math.cos(angle), middle[1] + distance * Math.sin(angle), zMm],
    direction: [along[0] / 8 + wobble(0.22), along[1] / 8 + wobble(0.22), along[2] / 8],
  };
}

const hardTissues: ReadonlySet<Tissue> = new Set<Tissue>([
  "airway",
  "bone",
  "carotid artery",
  "cartilage",
  "disc",
  "mucosa",
  "spinal canal",
  "thyroid",
]);

function freeAt(centre: Vector3, anatomy: Anatomy, others: readonly NodeShape[]): boolean {
  if (anatomy.depthMm(...centre) < 5) return false;
  for (const { blob } of others) {
    const distance = length([
      centre[0] - blob.centre[0],
      centre[1] - blob.centre[1],
      centre[2] - blob.centre[2],
    ]);
    if (distance < blob.semiAxesMm[2]) return false;
  }
  return !anatomy.solids.some(
    (solid) =>
      (hardTissues.has(solid.appearance.tissue) || solid.appearance.tissue === "jugular vein") &&
      insideSolid(solid, centre),
  );
}

// Nodes never overlap hard tissues. They may dent the vein's wall and push muscles and glands aside, within limits that
// widen with each attempt, because the largest nodes would not fit otherwise.
function fits(
  blob: BlobCell,
  anatomy: Anatomy,
  geometry: Geometry,
  anatomyOriginMm: Vector3,
  others: readonly NodeShape[],
  patience: number,
): boolean {
  const surface = blobSurface(blob, surfacePoints);
  const marginMm = 3;
  for (const point of surface) {
    if (anatomy.depthMm(...point) < anatomy.skinMm + 1) return false;
    const index = indexOfPoint(geometry, add(point, anatomyOriginMm));
    for (let axis = 0; axis < 3; axis++) {
      const room = marginMm / geometry.spacingMm[axis];
      const at = index[axis];
      if (at < room || at > geometry.size[axis] - 1 - room) return false;
    }
  }
  // Also half way to the centre: a thin vessel or plate could pass between the surface points and the centre.
  const probes = [...surface, ...surface.map((point) => add(scale(point, 0.5), scale(blob.centre, 0.5)))];
  for (const other of others) {
    const reachMm = length(boxSize(other.box)) / 2 + blob.semiAxesMm[0] * 1.4;
    const apart = length(add(other.blob.centre, scale(blob.centre, -1)));
    if (apart > reachMm) continue;
    if (probes.some((point) => cellField(other.blob, ...point) < 1.03)) return false;
    if (blobSurface(other.blob, surfacePoints).some((point) => cellField(blob, ...point) < 1.03))
      return false;
  }
  let inMuscle = 0;
  const limits = {
    muscle: 0.25 + 0.35 * patience,
    gland: 0.12,
    "jugular vein": 0.1,
    "thin vessel": 1,
  } as const;
  for (const solid of anatomy.solids) {
    const { tissue } = solid.appearance;
    if (tissue === "thin vessel" || !isNear(blob, solid.box)) continue;
    const within = surface.filter((point) => insideSolid(solid, point)).length;
    if (hardTissues.has(tissue)) {
      if (within > 0 || probes.some((point) => insideSolid(solid, point))) return false;
      if (thinPlateThrough(solid, blob)) return false;
    } else if (tissue === "muscle") inMuscle += within;
    else if (within > limits[tissue as "gland" | "jugular vein"] * surfacePoints) return false;
  }
  return inMuscle <= limits.muscle * surfacePoints;
}

// Bone, cartilage and arteries can be thinner than the spacing of probes: their centrelines are tested against the node.
function thinPlateThrough(solid: Solid, blob: BlobCell): boolean {
  return solid.cells.some((cell) => {
    if (cell.kind === "blob") return cellField(blob, ...cell.centre) < 1;
    const wide = [-0.95, -0.5, 0, 0.5, 0.95];
    return wide.some((share) => {
      const point = add(
        add(cell.start, scale(cell.axis, cell.lengthMm / 2)),
        scale(cell.wide, share * cell.wideStartMm),
      );
      return cellField(blob, ...point) < 1;
    });
  });
}

/** Whether a node may reach into a box, by its distance from the middle of the node. */
const isNear = ({ centre: [x, y, z], semiAxesMm }: BlobCell, box: Box): boolean =>
  insideBox(box, x, y, z, semiAxesMm[0] * 1.5);

function describe(
  random: RandomStream,
  id: number,
  { blob, station }: PlacedNode,
  kind: NodeKind,
  enhancement: number,
  anatomy: Anatomy,
  anatomyOriginMm: Vector3,
): NodeShape {
  const surface = blobSurface(blob, 200);
  const { shortAxisMm, longAxisMm } = calipers(surface);
  const box = solidOf({ tissue: "gland", hu: 0 }, [blob]).box;
  const { volumeMl, centroid } = measure(blob, box);
  const touched = new Set<Tissue>();
  for (const solid of anatomy.solids) {
    if (!isNear(blob, solid.box)) continue;
    if (surface.some((point) => insideSolid(solid, point, 1))) touched.add(solid.appearance.tissue);
  }
  const plainHu = Math.min(110, Math.max(85, enhancement + random.normal(0, 4)));
  return {
    node: {
      id,
      shortAxisMm,
      longAxisMm,
      volumeMl,
      centroidLpsMm: add(centroid, anatomyOriginMm),
      kind,
      station,
      touches: [...touched].sort(),
    },
    blob,
    box,
    hu: kind === "necrotic" ? plainHu + 10 : plainHu,
    textureHu: 6,
    core: drawCore(random, kind, blob),
  };
}

function drawCore(random: RandomStream, kind: NodeKind, blob: BlobCell): NodeShape["core"] {
  if (kind === "plain") return null;
  const [a, b, c] = blob.semiAxesMm;
  const hilum = kind === "fatty hilum";
  // A hilum opens on the hollow side of the bean; necrosis lies a little off the middle.
  const shift = hilum ? -b * 0.55 : b * random.normal(0, 0.08);
  const share: Vector3 = hilum ? [0.42, 0.5, 0.4] : [0.62, 0.58, 0.58];
  const size = random.uniform(0.85, 1.1);
  return {
    hu: hilum ? -60 : random.uniform(18, 32),
    blob: {
      ...blob,
      centre: add(blob.centre, scale(blob.axes[1], shift)),
      semiAxesMm: [a * share[0] * size, b * share[1] * size, c * share[2] * size],
      roughness: 0,
    },
  };
}

/** The smallest and largest distance between two parallel planes that enclose all points, mm. */
export function calipers(surface: readonly Vector3[]): { shortAxisMm: number; longAxisMm: number } {
  let shortAxisMm = Number.POSITIVE_INFINITY;
  let longAxisMm = 0;
  const directions = 120;
  for (let n = 0; n < directions; n++) {
    // Half a sphere of directions is enough, because opposite directions have the same width.
    const z = (n + 0.5) / directions;
    const ring = Math.sqrt(1 - z * z);
    const angle = n * Math.PI * (3 - Math.sqrt(5));
    const [x, y] = [ring * Math.cos(angle), ring * Math.sin(angle)];
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const point of surface) {
      const along = point[0] * x + point[1] * y + point[2] * z;
      if (along < low) low = along;
      if (along > high) high = along;
    }
    shortAxisMm = Math.min(shortAxisMm, high - low);
    longAxisMm = Math.max(longAxisMm, high - low);
  }
  return { shortAxisMm, longAxisMm };
}

function measure(blob: BlobCell, box: Box): { volumeMl: number; centroid: Vector3 } {
  const steps = 32;
  const [dx, dy, dz] = boxSize(box).map((extent) => extent / steps) as [number, number, number];
  let inside = 0;
  const sum = [0, 0, 0];
  for (let k = 0; k < steps; k++) {
    for (let j = 0; j < steps; j++) {
      for (let i = 0; i < steps; i++) {
        const x = box[0] + (i + 0.5) * dx;
        const y = box[1] + (j + 0.5) * dy;
        const z = box[2] + (k + 0.5) * dz;
        if (cellField(blob, x, y, z) >= 1) continue;
        inside++;
        sum[0] = sum[0] + x;
        sum[1] = sum[1] + y;
        sum[2] = sum[2] + z;
      }
    }
  }
  const centroid = sum.map((value) => value / inside) as unknown as Vector3;
  return { volumeMl: (inside * dx * dy * dz) / 1000, centroid };
}

function boxSize(box: Box): Vector3 {
  return [box[3] - box[0], box[4] - box[1], box[5] - box[2]];
}

/** Whether a point of the anatomy lies in the hilum or necrosis of a node. */
export function inCore(shape: NodeShape, x: number, y: number, z: number): boolean {
  return shape.core !== null && cellField(shape.core.blob, x, y, z) < 1;
}
