// Draws the shape and HU of an implant, a node or a structure that only resembles a node, as a solid in LPS millimetres.
import { add, scale } from "../../volume/vector.js";
import type { Vector3 } from "../../volume/volume.js";
import { axesAlong } from "../anatomy.js";
import { calipers, withShortAxis } from "../nodes.js";
import type { RandomStream } from "../random.js";
import {
  type BlobCell,
  blobSurface,
  type Cell,
  drawPhases,
  solidOf,
  type TubePoint,
  tubeCells,
} from "../shapes.js";

/** A solid with the HU that it has in the host. */
export interface Implant {
  /** Centred at 0, 0, 0 until it is placed. */
  readonly cells: readonly Cell[];
  readonly hu: number;
  /** Deviation of smooth unevenness. */
  readonly textureHu: number;
  /** Fatty hilum or necrosis inside a node. */
  readonly core: { readonly cell: Cell; readonly hu: number } | null;
  /** Points on the surface, to check what they touch. */
  readonly surface: readonly Vector3[];
}

/** A lymph node before it is placed. */
export interface NodeImplant extends Implant {
  readonly kind: "plain" | "fatty hilum" | "necrotic";
  readonly shortAxisMm: number;
  readonly longAxisMm: number;
}

/** HU of a host's tissues, and how strongly contrast medium shows in its implants. */
export interface HostAppearance {
  readonly muscleHu: number;
  readonly fatHu: number;
  readonly enhancementHu: number;
}

const SURFACE_POINTS = 90;
/** Smaller nodes may have a fatty hilum, larger ones necrosis. */
const SMALL_MM = 12;
const LARGE_MM = 15;

/** Log-normal with a median of 9 mm, from 3 to 38 mm: ordinary nodes and involved ones. */
export function drawShortAxis(random: RandomStream): number {
  for (;;) {
    const shortAxisMm = 9 * Math.exp(random.normal(0, 0.58));
    if (shortAxisMm >= 3 && shortAxisMm <= 38) return shortAxisMm;
  }
}

/**
 * A node of a short axis. Elongation, flatness and bumps give the spread of elongation and sphericity that drawn nodes
 * of the neck have (123 nodal tumour volumes of the public HN1 cohort, 932 nodes of the NIH collections).
 */
export function drawNode(
  random: RandomStream,
  shortAxisMm: number,
  { muscleHu, fatHu, enhancementHu }: HostAppearance,
): NodeImplant {
  const blob = drawBlob(random, shortAxisMm, {
    elongation: clamped(Math.exp(random.normal(Math.log(1.75), 0.28)), 1.05, 3.2),
    flatness: clamped(Math.exp(random.normal(Math.log(1.22), 0.14)), 1, 1.9),
    roughness: random.uniform(0.04, 0.16),
  });
  const surface = blobSurface(blob, SURFACE_POINTS);
  const share = random.uniform(0, 1);
  const kind =
    shortAxisMm < SMALL_MM && share < 1 / 3
      ? "fatty hilum"
      : shortAxisMm >= LARGE_MM && share < 2 / 5
        ? "necrotic"
        : "plain";
  const hu = muscleHu + enhancementHu + random.normal(0, 5);
  const coreHu = kind === "necrotic" ? muscleHu - random.uniform(20, 45) : fatHu + random.uniform(15, 60);
  const drawnCore = drawCore(random, kind === "fatty hilum", blob);
  return {
    cells: [blob],
    hu,
    textureHu: random.uniform(3, 16),
    core: kind === "plain" ? null : { cell: drawnCore, hu: coreHu },
    surface,
    kind,
    ...calipers(surface),
  };
}

/** A vessel or a strand of muscle: a tube that runs on, mostly along the neck. */
export function drawTube(random: RandomStream, { muscleHu, enhancementHu }: HostAppearance): Implant {
  const radiusMm = random.uniform(1.6, 5.5);
  const flatness = random.uniform(1, 1.6);
  const lengthMm = random.uniform(28, 70);
  const lean: Vector3 = [random.normal(0, 0.35), random.normal(0, 0.35), 1];
  const points = [-0.5, -0.2, 0.15, 0.5].map((at): TubePoint => {
    const [x, y, z] = scale(lean, at * lengthMm);
    return [
      x + random.normal(0, 1.5),
      y + random.normal(0, 1.5),
      z,
      radiusMm * flatness * random.uniform(0.85, 1.15),
      radiusMm * random.uniform(0.85, 1.15),
    ];
  });
  // The flat side faces a random direction.
  const angle = random.uniform(0, 2 * Math.PI);
  const cells = tubeCells(points, [1000 * Math.cos(angle), 1000 * Math.sin(angle)]);
  const vesselHu = enhancementHu > 15 ? random.uniform(30, 120) : random.uniform(-15, 10);
  return {
    cells,
    hu: muscleHu + vesselHu,
    textureHu: random.uniform(0, 4),
    core: null,
    surface: points.map(([x, y, z]) => [x, y, z]),
  };
}

/** A piece of gland: a cluster of lobules, uneven and a little fatty. */
export function drawLobules(random: RandomStream, { muscleHu }: HostAppearance): Implant {
  const sizeMm = random.uniform(3.5, 7);
  const cells = Array.from({ length: 5 + random.weighted([1, 1, 1, 1]) }, () => {
    const blob = drawBlob(random, sizeMm * random.uniform(0.7, 1.2), {
      elongation: random.uniform(1.1, 2.2),
      flatness: random.uniform(1, 1.5),
      roughness: 0.08,
    });
    const centre: Vector3 = [
      random.normal(0, 0.9 * sizeMm),
      random.normal(0, 0.9 * sizeMm),
      random.normal(0, 1.1 * sizeMm),
    ];
    return { ...blob, centre };
  });
  return {
    cells,
    hu: muscleHu - random.uniform(15, 65),
    textureHu: random.uniform(15, 35),
    core: null,
    surface: cells.flatMap((cell) => blobSurface(cell, 12)),
  };
}

/** An implant at its place. */
export function placedAt<Kind extends Implant>(implant: Kind, centreMm: Vector3): Kind {
  return {
    ...implant,
    cells: implant.cells.map((cell) => movedCell(cell, centreMm)),
    core: implant.core && { ...implant.core, cell: movedCell(implant.core.cell, centreMm) },
    surface: implant.surface.map((point) => add(point, centreMm)),
  };
}

/** The box around an implant in LPS mm. */
export const boxOf = ({ cells }: Implant) => solidOf({ tissue: "gland", hu: 0 }, cells).box;

function movedCell(cell: Cell, by: Vector3): Cell {
  return cell.kind === "tube"
    ? { ...cell, start: add(cell.start, by) }
    : { ...cell, centre: add(cell.centre, by) };
}

interface Form {
  readonly elongation: number;
  readonly flatness: number;
  readonly roughness: number;
}

function drawBlob(
  random: RandomStream,
  shortAxisMm: number,
  { elongation, flatness, roughness }: Form,
): BlobCell {
  const isBean = random.chance(0.5);
  const direction: Vector3 = [random.normal(0, 0.6), random.normal(0, 0.6), random.normal(0, 1) + 0.6];
  const draft: BlobCell = {
    kind: "blob",
    centre: [0, 0, 0],
    axes: axesAlong(direction, random.uniform(0, 2 * Math.PI)),
    semiAxesMm: [(elongation * flatness * shortAxisMm) / 2, (flatness * shortAxisMm) / 2, shortAxisMm / 2],
    bend: isBean ? random.uniform(0.1, 0.45) : 0,
    egg: random.uniform(-0.25, 0.25),
    squared: false,
    roughness,
    phases: drawPhases(random),
  };
  return withShortAxis(draft, shortAxisMm);
}

/** A hilum opens on the hollow side, necrosis lies near the middle. */
function drawCore(random: RandomStream, isHilum: boolean, blob: BlobCell): BlobCell {
  const [a, b, c] = blob.semiAxesMm;
  const shift = isHilum ? -0.5 * b : b * random.normal(0, 0.1);
  const share = isHilum ? [0.4, 0.45, 0.4] : [0.65, 0.6, 0.6];
  const size = random.uniform(0.75, 1.1);
  return {
    ...blob,
    centre: add(blob.centre, scale(blob.axes[1], shift)),
    semiAxesMm: [a * share[0] * size, b * share[1] * size, c * share[2] * size],
    roughness: 0.12,
  };
}

const clamped = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
