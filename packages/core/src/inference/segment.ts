// One function for every way of segmenting a scan: all its nodes, or those that were clicked.
import { InputError } from "../errors.js";
import { crop } from "../volume/crop.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import { sameGeometry, type Vector3, type Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { measureNodes } from "../voxels/node-measurement.js";
import type { CleanUp } from "./clean-up.js";
import { type ClickOptions, findClickedNode } from "./clicked-node.js";
import { placeNode } from "./placed-nodes.js";
import type { Predictor } from "./predictor.js";
import { type ScanChannels, scanChannels } from "./scan-channels.js";
import {
  type ClassPrediction,
  type FoundNode,
  type SegmentedNode,
  type SegmentedNodes,
  withConfidence,
} from "./segmented-nodes.js";
import type { SlidingWindowOptions } from "./sliding-window.js";
import { type SearchedPart, segmentWholeScan } from "./whole-scan.js";

/** Nodes of a scan that were found before. What {@link segment} returns fits. */
export interface StandingNodes {
  /** Each node's voxels hold its number; on the scan's grid. */
  readonly instances: Volume<IntegerVoxelArray>;
  /** How sure the network was of each, and its class where there are several. */
  readonly nodes: readonly FoundNode[];
}

export interface SegmentOptions {
  /** Points in nodes, LPS mm; without, all nodes of the scan are looked for. */
  readonly at?: readonly Vector3[];
  /** The class of the nodes at those points; by default, at each point the one of the highest probability. */
  readonly className?: string | undefined;
  /** Share of a patch that the next one covers again, 0 … below 1; 0.5 by default. Whole scans alone. */
  readonly overlap?: number;
  /** Whether the network sees each patch mirrored left to right too, and both answers are averaged; twice the time. */
  readonly mirrored?: boolean;
  /**
   * Nodes that are kept. Clicked nodes are added to them, or refine the one that they cover; of a whole scan, they take
   * the place of the nodes that they cover. No other node is changed.
   */
  readonly standing?: StandingNodes;
  /** What of a whole scan is looked at; body and neck by default. */
  readonly searched?: SearchedPart;
  /** What is mended of a whole scan's mask. */
  readonly cleanUp?: CleanUp;
  /** Asked before each patch; an AbortSignal fits. */
  readonly signal?: SlidingWindowOptions["signal"];
  /** Told after each patch of a whole scan, and after each click. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was found at one of the points that were given. */
export interface ClickOutcome {
  readonly pointMm: Vector3;
  /** The node's number in the result; null where there is none. Clicks into one node have one number. */
  readonly node: number | null;
  /** Why there is no node, or that it is cut; a sentence. */
  readonly remark: string | null;
}

/** Nodes of a scan, and how they were found. */
export interface Segmentation extends SegmentedNodes {
  /** One for each point of {@link SegmentOptions.at}. */
  readonly clicks: readonly ClickOutcome[];
  /** How the part of a whole scan that was looked at was found, a sentence each. */
  readonly reasons: readonly string[];
  /** Connected components of a whole scan that were no nodes, since they lay outside the body. */
  readonly outsideBody: number;
  /** The number that each of {@link SegmentOptions.standing} has now. */
  readonly numberOfStanding: ReadonlyMap<number, number>;
}

export const DEFAULT_OVERLAP = 0.5;

/**
 * Segments the nodes of a scan. Nothing is kept between calls but the predictor, which may be used again; two calls at
 * once with one predictor take turns patch by patch.
 *
 * @param scan HU, in any orientation; as the readers of volumes and DICOM series return it. For a model of several
 *   channels, a volume for each, on one grid
 * @param predictor from `openPredictor`
 * @throws InputError where the scan has not the channels that the model takes, a whole scan holds no neck, a point is not three finite numbers, the predictor was released,
 *   or a network answers with NaN; the signal's reason where it was stopped
 */
export async function segment(
  scan: Volume | readonly Volume[],
  predictor: Predictor,
  options: SegmentOptions = {},
): Promise<Segmentation> {
  const taken = scanChannels(scan, predictor.plan);
  const { at, className, standing, searched, cleanUp, overlap = DEFAULT_OVERLAP, mirrored = false } = options;
  const { signal, onProgress } = options;
  const look = { mirrored, ...(signal ? { signal } : {}) };
  if (standing !== undefined && !sameGeometry(taken.channels[0], standing.instances))
    throw new InputError(
      "The standing nodes do not lie on the grid of the scan; pass those that were found in this scan.",
    );
  if (at !== undefined) {
    requirePoints(at);
    return segmentClicks(taken, at, predictor, { ...look, className }, standing, onProgress);
  }
  const whole = await segmentWholeScan(taken.channels, predictor, {
    ...look,
    overlap,
    ...(searched ? { searched } : {}),
    ...(cleanUp ? { cleanUp } : {}),
    ...(onProgress ? { onPatch: onProgress } : {}),
  });
  const { reasons, outsideBody } = whole;
  const { numberOfStanding, ...nodes } = standing
    ? amongWholeScan(taken, whole, standing)
    : { ...whole, numberOfStanding: new Map<number, number>() };
  return {
    instances: nodes.instances,
    nodes: nodes.nodes,
    clicks: [],
    reasons,
    outsideBody,
    numberOfStanding,
  };
}

/** Programs in JavaScript have no compiler that keeps them from passing something else. */
function requirePoints(points: readonly Vector3[]): void {
  if (!Array.isArray(points))
    throw new InputError(
      "The clicked points (at) are no list; give a list of points, each [x, y, z] in LPS mm.",
    );
  for (const [index, point] of points.entries()) {
    if (!Array.isArray(point) || point.length !== 3 || !point.every(Number.isFinite))
      throw new InputError(
        `Point ${index + 1} of ${points.length} is no triple of finite numbers; give each point as [x, y, z] in LPS mm.`,
      );
  }
}

/** Clicks one after another; a click into a node that stands there already refines it. */
async function segmentClicks(
  scan: ScanChannels,
  points: readonly Vector3[],
  predictor: Predictor,
  look: ClickOptions,
  standing: StandingNodes | undefined,
  onProgress: SegmentOptions["onProgress"],
): Promise<Segmentation> {
  const numbers = standing?.nodes.map(({ id }) => id) ?? [];
  let next = Math.max(0, ...numbers) + 1;
  const instances = instancesFor(scan.channels[0], next - 1 + points.length, standing?.instances);
  const predictions = new Map<number, ClassPrediction>();
  const clicks: ClickOutcome[] = [];
  for (const [index, pointMm] of points.entries()) {
    const found = await findClickedNode(scan, pointMm, predictor, look);
    if (found.found === "none") clicks.push({ pointMm, node: null, remark: found.reason });
    else {
      const { number, as } = placeNode(instances, found, next);
      if (as !== "covered") predictions.set(number, found.prediction);
      next = Math.max(next, number + 1);
      clicks.push({ pointMm, node: number, remark: found.isCut ? CUT : null });
    }
    onProgress?.(index + 1, points.length);
  }
  const before = new Map(standing?.nodes.map((node) => [node.id, node]));
  const nodes = measureNodes(instances, scan.ct, "labels").map((node): SegmentedNode => {
    const prediction = predictions.get(node.id);
    if (prediction !== undefined) return withConfidence([node], instances, prediction)[0];
    return { ...node, ...confidenceIn(before, node.id) };
  });
  const numberOfStanding = new Map(numbers.map((number) => [number, number]));
  return { instances, nodes, clicks, reasons: [], outsideBody: 0, numberOfStanding };
}

const CUT = "The node reaches beyond what was looked at, and is cut there.";

/** The nodes of a whole scan, with standing ones in the place of those that they cover. */
function amongWholeScan(
  scan: ScanChannels,
  whole: SegmentedNodes,
  standing: StandingNodes,
): SegmentedNodes & Pick<Segmentation, "numberOfStanding"> {
  const kept = measureNodes(standing.instances, null, "labels");
  const instances = instancesFor(scan.channels[0], whole.nodes.length + kept.length, whole.instances);
  const confidences = new Map<number, FoundNode>(whole.nodes.map((node) => [node.id, node]));
  const before = new Map(standing.nodes.map((node) => [node.id, node]));
  const numberOfStanding = new Map<number, number>();
  let next = whole.nodes.length + 1;
  for (const { id, boundingBoxIndex: box } of kept) {
    const cut = crop(standing.instances, box.start, box.size);
    const mask = { ...cut, data: maskWhere(cut.data, (number) => number === id) };
    const { number, as } = placeNode(instances, { mask, start: box.start }, next);
    next = Math.max(next, number + 1);
    numberOfStanding.set(id, number);
    if (as !== "covered") confidences.set(number, confidenceIn(before, id));
  }
  const nodes = measureNodes(instances, scan.ct, "labels").map(
    (node): SegmentedNode => ({ ...node, ...confidenceIn(confidences, node.id), id: node.id }),
  );
  return { instances, nodes, numberOfStanding };
}

function confidenceIn(confidences: ReadonlyMap<number, FoundNode>, id: number): FoundNode {
  const found = confidences.get(id);
  if (found === undefined)
    throw new InputError(`The standing nodes name no node ${id}, whose voxels they hold.`);
  const { meanProbability, ensembleDisagreement, className } = found;
  return { id, meanProbability, ensembleDisagreement, ...(className === undefined ? {} : { className }) };
}

/** Instances that can hold numbers up to `greatest`, with those that stand there. */
function instancesFor(
  { size, spacingMm, originMm, direction }: Volume,
  greatest: number,
  standing: Volume<IntegerVoxelArray> | undefined,
): Volume<IntegerVoxelArray> {
  const Numbers = greatest <= 255 ? Uint8Array : greatest <= 65_535 ? Uint16Array : Int32Array;
  const data = new Numbers(size[0] * size[1] * size[2]);
  if (standing !== undefined) data.set(standing.data);
  return { size, spacingMm, originMm, direction, data };
}
