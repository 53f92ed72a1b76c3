// Implants synthetic lymph nodes into a real scan, as a pure function of host, seed and index.
import { add, scale, unit } from "../../volume/vector.js";
import { pointOfIndex, type Vector3, type Volume, voxelVolumeMm3 } from "../../volume/volume.js";
import { type RandomStream, randomStream } from "../random.js";

import { drawTexture, textureAt } from "../texture.js";
import type { Host } from "./host.js";
import { type Canvas, renderImplant } from "./render.js";
import {
  drawLobules,
  drawNode,
  drawShortAxis,
  drawTube,
  type HostAppearance,
  type Implant,
  type NodeImplant,
  placedAt,
} from "./shape.js";

/** By how much the second part of an implant's texture is coarser than the first. */
const COARSER = 2.5;

/** Values of the label volume. */
export const implantLabels = { background: 0, "lymph node": 1, ignore: 2 } as const;

/** An implanted node. */
export interface ImplantedNode {
  /** The value of its voxels in the instance volume. */
  readonly id: number;
  readonly kind: NodeImplant["kind"];
  /** Smallest distance between two parallel planes that enclose the node. */
  readonly shortAxisMm: number;
  readonly longAxisMm: number;
  /** Volume of its voxels. */
  readonly volumeMl: number;
  readonly centreLpsMm: Vector3;
}

/** A real scan with implanted nodes. Nothing in it is a drawn node of a person: research use only. */
export interface ImplantedScan {
  readonly image: Volume<Int16Array>;
  /** By {@link implantLabels}: the host's own tissue that looks like a node is to be ignored. */
  readonly label: Volume<Uint8Array>;
  readonly instances: Volume<Uint8Array>;
  readonly nodes: readonly ImplantedNode[];
}

/** Sites that are tried before a smaller implant is drawn, and how often that is repeated. */
const TRIES = 400;
const SHRINKINGS = 12;
const SMALLEST_MM = 3;
/**
 * Fraction of its surface on which an implant must border on fat. A large one is visible by its shape and by what it
 * pushes aside: from 25 mm a tenth is enough.
 */
const leastFat = (shortAxisMm: number): number =>
  Math.max(0.1, Math.min(1 / 3, 1 / 3 - (shortAxisMm - 10) / 64));
/** Probability of a pair of nodes that touch each other. */
const MATTED_SHARE = 0.15;

/**
 * Implants 6 to 14 nodes, and also tubes and lobules that resemble nodes but are not.
 *
 * @param seed another seed gives other nodes
 * @param index of the scan in its cohort
 */
export function implantNodes(host: Host, seed: number, index: number): ImplantedScan {
  const random = randomStream(seed, index, "implants");
  const canvas: Canvas = { hu: host.hu.slice(), instances: new Uint8Array(host.hu.length) };
  const lattice = drawTexture(random);
  // The scanner blurs fine unevenness away: the coarse part is what a node shows.
  const texture = (x: number, y: number, z: number) =>
    0.6 * textureAt(lattice, x, y, z) + 0.8 * textureAt(lattice, x / COARSER, y / COARSER, z / COARSER);
  const appearance: HostAppearance = {
    muscleHu: host.muscleHu,
    fatHu: host.fatHu,
    enhancementHu: random.chance(0.5) ? random.uniform(-5, 20) : random.uniform(10, 50),
  };
  const distractors = 3 + random.weighted([1, 1, 1, 1, 1]);
  for (let n = 0; n < distractors; n++) {
    const isTube = random.chance(0.6);
    const draw = () => (isTube ? drawTube(random, appearance) : drawLobules(random, appearance));
    const place = findPlace(random, host, canvas, draw, 0);
    if (place !== null)
      renderImplant(canvas, host, place.implant, place.centreMm, { id: 0, pushes: false, texture });
  }
  // The largest first, while there is room.
  const sizes = Array.from({ length: 6 + random.weighted(new Array(9).fill(1)) }, () =>
    drawShortAxis(random),
  );
  const nodes: Omit<ImplantedNode, "volumeMl">[] = [];
  const add = ({ implant, centreMm }: Placed<NodeImplant>) => {
    const id = nodes.length + 1;
    const { kind, shortAxisMm, longAxisMm } = implant;
    renderImplant(canvas, host, implant, centreMm, { id, pushes: true, texture });
    nodes.push({ id, kind, shortAxisMm, longAxisMm, centreLpsMm: centreMm });
  };
  for (const shortAxisMm of sizes.sort((a, b) => b - a)) {
    const placed = placeNode(random, host, canvas, shortAxisMm, appearance);
    if (placed === null) continue;
    add(placed);
    if (random.chance(MATTED_SHARE)) {
      const partner = placePartner(random, host, canvas, placed, nodes.length, appearance);
      if (partner !== null) add(partner);
    }
  }
  return scanOf(host, canvas, nodes);
}

interface Placed<Kind extends Implant> {
  /** The implant at its position. */
  readonly implant: Kind;
  readonly centreMm: Vector3;
}

function placeNode(
  random: RandomStream,
  host: Host,
  canvas: Canvas,
  shortAxisMm: number,
  appearance: HostAppearance,
): Placed<NodeImplant> | null {
  for (let size = shortAxisMm, n = 0; n < SHRINKINGS && size >= SMALLEST_MM; n++, size *= 0.88) {
    const placed = findPlace(random, host, canvas, () => drawNode(random, size, appearance), size);
    if (placed !== null) return placed;
  }
  return null;
}

/** A site where the implant fits, preferably with more fat around it; null if none is found. */
function findPlace<Kind extends Implant>(
  random: RandomStream,
  host: Host,
  canvas: Canvas,
  draw: () => Kind,
  shortAxisMm: number,
): Placed<Kind> | null {
  let implant = draw();
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const site = host.sites[Math.floor(random.uniform(0, host.sites.length))];
    if (host.clearanceMm[site] < shortAxisMm / 2 || canvas.instances[site] !== 0) continue;
    if (attempt % 10 === 9) implant = draw();
    const centreMm = pointOf(host, site);
    const placed = placedAt(implant, centreMm);
    const acceptance = acceptanceAt(host, canvas, placed.surface, centreMm, { shortAxisMm });
    if (random.uniform(0, 1) < acceptance) return { implant: placed, centreMm };
  }
  return null;
}

/** A second node beside node `id`; their surfaces touch. */
function placePartner(
  random: RandomStream,
  host: Host,
  canvas: Canvas,
  first: Placed<NodeImplant>,
  id: number,
  appearance: HostAppearance,
): Placed<NodeImplant> | null {
  const { shortAxisMm } = first.implant;
  for (let attempt = 0; attempt < 20; attempt++) {
    const size = shortAxisMm * random.uniform(0.5, 1);
    if (size < SMALLEST_MM) return null;
    const direction = unit([random.normal(0, 1), random.normal(0, 1), random.normal(0, 1)]);
    const toSurface = Math.max(
      ...first.implant.surface.map((point) => dotFrom(first.centreMm, point, direction)),
    );
    const centreMm = add(first.centreMm, scale(direction, toSurface + 0.5 * size));
    const placed = placedAt(drawNode(random, size, appearance), centreMm);
    const acceptance = acceptanceAt(host, canvas, placed.surface, centreMm, {
      shortAxisMm: size,
      mayTouch: id,
    });
    if (acceptance > 0) return { implant: placed, centreMm };
  }
  return null;
}

const dotFrom = (origin: Vector3, point: Vector3, direction: Vector3): number =>
  (point[0] - origin[0]) * direction[0] +
  (point[1] - origin[1]) * direction[1] +
  (point[2] - origin[2]) * direction[2];

/**
 * The probability of accepting a site: 0 where the implant would reach into bone, air, an organ, the skin or another
 * implant, and where too little of what lies just outside its surface is fat, because within a muscle nobody could see it;
 * otherwise it grows with this fraction, because nodes lie in fat and in the planes between muscles.
 */
function acceptanceAt(
  host: Host,
  { instances }: Canvas,
  surface: readonly Vector3[],
  centreMm: Vector3,
  { shortAxisMm, mayTouch = 0 }: { readonly shortAxisMm: number; readonly mayTouch?: number },
): number {
  let fat = 0;
  for (const point of surface) {
    const at = voxelAt(host, point);
    if (at === null || host.clearanceMm[at] < 1) return 0;
    if (instances[at] !== 0 && instances[at] !== mayTouch) return 0;
    // A thin structure within the implant would not show on its surface.
    const within = voxelAt(host, scale(add(point, centreMm), 0.5));
    if (within === null || host.clearanceMm[within] < 1) return 0;
    const outward = add(point, scale(unit(add(point, scale(centreMm, -1))), 2.5));
    const outside = voxelAt(host, outward);
    if (outside !== null) fat += host.fat[outside];
  }
  const share = fat / surface.length;
  return Math.max(0, Math.min(1, (share - leastFat(shortAxisMm)) / 0.3));
}

function voxelAt({ size, originMm, spacingMm }: Host, point: Vector3): number | null {
  const [i, j, k] = point.map((value, axis) => Math.round((value - originMm[axis]) / spacingMm[axis]));
  const isInside = i >= 0 && j >= 0 && k >= 0 && i < size[0] && j < size[1] && k < size[2];
  return isInside ? i + size[0] * (j + size[1] * k) : null;
}

function pointOf(host: Host, voxel: number): Vector3 {
  const [nx, ny] = host.size;
  return pointOfIndex(host, [voxel % nx, Math.floor(voxel / nx) % ny, Math.floor(voxel / (nx * ny))]);
}

function scanOf(
  host: Host,
  { hu, instances }: Canvas,
  nodes: readonly Omit<ImplantedNode, "volumeMl">[],
): ImplantedScan {
  const { size, spacingMm, originMm, direction } = host;
  const geometry = { size, spacingMm, originMm, direction };
  const label = new Uint8Array(hu.length);
  const voxels = new Int32Array(256);
  for (let n = 0; n < hu.length; n++) {
    voxels[instances[n]]++;
    if (instances[n] !== 0) label[n] = implantLabels["lymph node"];
    else if (host.ownNodes[n] === 1) label[n] = implantLabels.ignore;
  }
  const image = new Int16Array(hu.length);
  for (let n = 0; n < hu.length; n++) image[n] = Math.round(hu[n]);
  const volumeMl = (id: number) => (voxels[id] * voxelVolumeMm3(geometry)) / 1000;
  return {
    image: { ...geometry, data: image },
    label: { ...geometry, data: label },
    instances: { ...geometry, data: instances },
    // A neighbour may have displaced a small implant from all of its voxels.
    nodes: nodes.filter(({ id }) => voxels[id] > 0).map((node) => ({ ...node, volumeMl: volumeMl(node.id) })),
  };
}
