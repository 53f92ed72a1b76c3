// One function for every way of segmenting a scan: all its nodes, or those that were clicked.
import { InputError } from "../errors.js";
import { crop, paste } from "../volume/crop.js";
import { type Vector3, type Volume, voxelCount } from "../volume/volume.js";
import { measureNodes } from "../voxels/node-measurement.js";
import type { CleanUp } from "./clean-up.js";
import { type ClickedNode, type ClickOptions, segmentClickedNode } from "./clicked-node.js";
import type { Predictor } from "./predictor.js";
import { type SegmentedNodes, withConfidence } from "./segmented-nodes.js";
import type { Prediction, SlidingWindowOptions } from "./sliding-window.js";
import { type SearchedPart, segmentWholeScan } from "./whole-scan.js";

export interface SegmentOptions {
  /** Points in nodes, LPS mm; without, all nodes of the scan are looked for. */
  readonly at?: readonly Vector3[];
  /** Share of a patch that the next one covers again, 0 … below 1; 0.5 by default. Whole scans alone. */
  readonly overlap?: number;
  /** Whether the network sees each patch mirrored left to right too, and both answers are averaged; twice the time. */
  readonly mirrored?: boolean;
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
}

export const DEFAULT_OVERLAP = 0.5;

/**
 * Segments the nodes of a scan. Nothing is kept between calls but the predictor, which may be used again; two calls at
 * once with one predictor take turns patch by patch.
 *
 * @param scan HU, in any orientation; as the readers of volumes and DICOM series return it
 * @param predictor from `openPredictor`
 * @throws InputError where a whole scan holds no neck, a point is not three finite numbers, the predictor was released,
 *   or a network answers with NaN; the signal's reason where it was stopped
 */
export async function segment(
  scan: Volume,
  predictor: Predictor,
  options: SegmentOptions = {},
): Promise<Segmentation> {
  const { at, searched, cleanUp, overlap = DEFAULT_OVERLAP, mirrored = false, signal, onProgress } = options;
  const look = { mirrored, ...(signal ? { signal } : {}) };
  if (at !== undefined) {
    requirePoints(at);
    return segmentClicks(scan, at, predictor, look, onProgress);
  }
  const { instances, nodes, reasons } = await segmentWholeScan(scan, predictor, {
    ...look,
    overlap,
    ...(searched ? { searched } : {}),
    ...(cleanUp ? { cleanUp } : {}),
    ...(onProgress ? { onPatch: onProgress } : {}),
  });
  return { instances, nodes, clicks: [], reasons };
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

/** Clicks one after another; a click into a node that is already there adds nothing. */
async function segmentClicks(
  scan: Volume,
  points: readonly Vector3[],
  predictor: Predictor,
  look: ClickOptions,
  onProgress: SegmentOptions["onProgress"],
): Promise<Segmentation> {
  const { size, spacingMm, originMm, direction } = scan;
  const Numbers = points.length <= 255 ? Uint8Array : Uint16Array;
  const instances = { size, spacingMm, originMm, direction, data: new Numbers(voxelCount(scan)) };
  const predictions: Prediction[] = [];
  const clicks: ClickOutcome[] = [];
  for (const [index, pointMm] of points.entries()) {
    const found = await segmentClickedNode(scan, pointMm, predictor, look);
    if (found.found === "none") clicks.push({ pointMm, node: null, remark: found.reason });
    else {
      const node = addNode(found, instances, predictions.length + 1);
      if (node > predictions.length) predictions.push(found.prediction);
      clicks.push({ pointMm, node, remark: found.isCut ? CUT : null });
    }
    onProgress?.(index + 1, points.length);
  }
  const nodes = measureNodes(instances, scan, "labels").map((node) =>
    withConfidence([node], instances, predictions[node.id - 1]),
  );
  return { instances, nodes: nodes.flat(), clicks, reasons: [] };
}

const CUT = "The node reaches beyond what was looked at, and is cut there.";

/**
 * Gives a clicked node's voxels a number, but for those that another node holds already.
 *
 * @returns the number: the given one, or that of the node which holds more than half of the voxels
 */
function addNode({ mask, start }: ClickedNode, instances: Volume, number: number): number {
  const held = crop(instances, start, mask.size);
  const voxelsOf = new Map<number, number>();
  let voxels = 0;
  for (let at = 0; at < mask.data.length; at++) {
    if (mask.data[at] === 0) continue;
    voxels++;
    voxelsOf.set(held.data[at], (voxelsOf.get(held.data[at]) ?? 0) + 1);
    if (held.data[at] === 0) held.data[at] = number;
  }
  for (const [other, shared] of voxelsOf) if (other !== 0 && shared > voxels / 2) return other;
  paste(held, start, instances);
  return number;
}
