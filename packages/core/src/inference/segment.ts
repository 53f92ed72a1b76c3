// Segments a scan: all its nodes, or the nodes at clicked points.
import { InputError } from "../errors.js";
import { crop } from "../volume/crop.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import { sameGeometry, type Vector3, type Volume, voxelCount } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { measureNodes } from "../voxels/node-measurement.js";
import type { CleanUp } from "./clean-up.js";
import {
  type ClickOptions,
  findClickedNode,
  type NodeClicks,
  ONLY_NEGATIVE,
  TAKES_NO_NEGATIVE,
} from "./clicked-node.js";
import { placeNode } from "./placed-nodes.js";
import type { PredictionPlan, Predictor } from "./predictor.js";
import { type EarlierClick, meantNode, placePromptedNode } from "./prompted-node.js";
import { type ScanChannels, scanChannels } from "./scan-channels.js";
import { type LeftOut, nothingLeftOut } from "./scan-cleaner.js";
import {
  type ClassPrediction,
  type FoundNode,
  type SegmentedNode,
  type SegmentedNodes,
  segmentedNode,
  withConfidence,
} from "./segmented-nodes.js";
import type { SlidingWindowOptions } from "./sliding-window.js";
import { type SearchedPart, segmentWholeScan } from "./whole-scan.js";

/** Nodes of a scan that were found before. What {@link segment} returns fits. */
export interface StandingNodes {
  /** Each node's voxels hold its number; on the scan's grid. */
  readonly instances: Volume<IntegerVoxelArray>;
  /** Confidence and, where there are several, class of each node. */
  readonly nodes: readonly FoundNode[];
  /** The clicks that led to them, by which a promptable model goes on. */
  readonly clicks?: readonly EarlierClick[];
}

export interface SegmentOptions {
  /**
   * Points in nodes, LPS mm; by default all nodes of the scan are segmented. Each point is a node of its own. Of a
   * promptable model, all points of a call (`at` and `not`) are of one node: of a standing one that was clicked before, if
   * one of them lies in it, together with its earlier clicks; else of a new one.
   */
  readonly at?: readonly Vector3[];
  /** Points beside the node that were taken for it, LPS mm; for promptable models alone. */
  readonly not?: readonly Vector3[];
  /** The class of the nodes at those points; by default, at each point the class with the highest probability. */
  readonly className?: string | undefined;
  /** Overlap of neighbouring patches as a fraction of their length, from 0 to below 1; 0.5 by default. Only for whole scans. */
  readonly overlap?: number;
  /** Whether to average with the prediction of each patch mirrored left to right; takes twice the time. */
  readonly mirrored?: boolean;
  /**
   * Existing nodes to keep. A clicked node is added to them, or refines the node that it covers. If the whole scan is
   * segmented, they replace the new nodes that they cover. No other node is changed.
   */
  readonly standing?: StandingNodes;
  /** The part of the scan to search; the body near the neck by default. */
  readonly searched?: SearchedPart;
  /**
   * A predictor of a coarse network, which is run first. The other predictor then looks only where it sees foreground,
   * so that a whole scan takes a part of the time. What it does not see is lost. Not used for clicks.
   */
  readonly proposer?: Predictor | null;
  /** Post-processing of a whole scan's mask; clicked nodes are kept as they are. */
  readonly cleanUp?: CleanUp;
  /** Checked before each patch; usually an AbortSignal. */
  readonly signal?: SlidingWindowOptions["signal"];
  /** Called after each patch of a whole scan, and after each click. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The result for a clicked point. */
export interface ClickOutcome {
  readonly pointMm: Vector3;
  /** Whether it was given in `at`, and not in `not`. */
  readonly isPositive: boolean;
  /** The node's number in the result; null where there is none. Clicks into the same node have the same number. */
  readonly node: number | null;
  /** Why there is no node, that it is cut, or that its HU fit no lymph node; sentences. */
  readonly remark: string | null;
}

/** Nodes of a scan, and how they were found. */
export interface Segmentation extends SegmentedNodes {
  /** One for each point of {@link SegmentOptions.at} and then of `not`; of a promptable model, all clicks of all nodes. */
  readonly clicks: readonly ClickOutcome[];
  /** Sentences that say how the searched part of the scan was found. */
  readonly reasons: readonly string[];
  /** Components of a whole scan that are no nodes. */
  readonly leftOut: LeftOut;
  /** The new number of each node of {@link SegmentOptions.standing}. */
  readonly numberOfStanding: ReadonlyMap<number, number>;
}

export const DEFAULT_OVERLAP = 0.5;

/**
 * Segments the nodes of a scan. The predictor may be used again, also by several calls at once, which then take turns
 * patch by patch.
 *
 * @param scan HU, in any orientation; as the readers of volumes and DICOM series return it. For a model of several
 *   channels, a volume for each, on one grid
 * @param predictor from `openPredictor`
 * @throws InputError where the scan does not have the model's channels, a whole scan holds no neck, a point is not three
 *   finite numbers, points are given that the model does not take or are missing, the predictor was released, or a network
 *   gives NaN; the signal's reason where it was stopped
 */
export async function segment(
  scan: Volume | readonly Volume[],
  predictor: Predictor,
  options: SegmentOptions = {},
): Promise<Segmentation> {
  const taken = scanChannels(scan, predictor.plan);
  const { at, not, className, standing, searched, proposer = null, cleanUp } = options;
  const { overlap = DEFAULT_OVERLAP, mirrored = false } = options;
  const { signal, onProgress } = options;
  if (predictor.plan.nnunet !== undefined || proposer?.plan.nnunet !== undefined)
    requireNnunetOptions({ at: at ?? not, mirrored, proposer });
  const clickOptions = { mirrored, ...(signal ? { signal } : {}) };
  if (standing !== undefined && !sameGeometry(taken.channels[0], standing.instances))
    throw new InputError(
      "The standing nodes do not have the same geometry as the scan; pass nodes that were found in this scan.",
    );
  if (at !== undefined || not !== undefined) {
    const given = { at: at ?? [], not: not ?? [] };
    requirePoints(given.at, "at");
    requirePoints(given.not, "not");
    const isPromptable = predictor.plan.clickMaps !== undefined;
    if (!isPromptable && given.not.length > 0) throw new InputError(TAKES_NO_NEGATIVE);
    const segmentGiven = isPromptable ? segmentPrompted : segmentClicks;
    return segmentGiven(taken, given, predictor, { ...clickOptions, className }, standing, onProgress);
  }
  const whole = await segmentWholeScan(taken.channels, predictor, {
    ...clickOptions,
    overlap,
    proposer,
    ...(searched ? { searched } : {}),
    ...(cleanUp ? { cleanUp } : {}),
    ...(onProgress ? { onPatch: onProgress } : {}),
  });
  const { reasons, leftOut } = whole;
  const { numberOfStanding, ...nodes } = standing
    ? amongWholeScan(taken, whole, standing, predictor.plan)
    : { ...whole, numberOfStanding: new Map<number, number>() };
  return {
    instances: nodes.instances,
    nodes: nodes.nodes,
    clicks: [],
    reasons,
    leftOut,
    numberOfStanding,
  };
}

/** A check for programs in JavaScript, which have no compiler to check types. */
function requirePoints(points: readonly Vector3[], name: "at" | "not"): void {
  if (!Array.isArray(points))
    throw new InputError(
      `The clicked points (${name}) are not a list; give a list of points, each [x, y, z] in LPS mm.`,
    );
  for (const [index, point] of points.entries()) {
    if (!Array.isArray(point) || point.length !== 3 || !point.every(Number.isFinite))
      throw new InputError(
        `Point ${index + 1} of ${points.length} is not a triple of finite numbers; give each point as [x, y, z] in LPS mm.`,
      );
  }
}

/** @throws InputError for what nnU-Net's own prediction does not have */
function requireNnunetOptions({
  at,
  mirrored,
  proposer,
}: {
  readonly at: SegmentOptions["at"] | undefined;
  readonly mirrored: boolean;
  readonly proposer: Predictor | null;
}): void {
  if (at !== undefined)
    throw new InputError(
      "The model was imported from nnU-Net and segments whole scans alone; leave the clicked points out, or use another model for them.",
    );
  if (mirrored)
    throw new InputError(
      "The model was imported from nnU-Net and averages mirrored patches by its own plan; leave the option mirrored out.",
    );
  if (proposer)
    throw new InputError(
      "A model that was imported from nnU-Net neither proposes nor looks at proposals; leave the option proposer out.",
    );
}

/** Segments the clicks one after another; a click into an existing node refines it. */
async function segmentClicks(
  scan: ScanChannels,
  { at: points }: NodeClicks,
  predictor: Predictor,
  clickOptions: ClickOptions,
  standing: StandingNodes | undefined,
  onProgress: SegmentOptions["onProgress"],
): Promise<Segmentation> {
  const numbers = standing?.nodes.map(({ id }) => id) ?? [];
  let next = Math.max(0, ...numbers) + 1;
  const instances = instancesFor(scan.channels[0], next - 1 + points.length, standing?.instances);
  const predictions = new Map<number, ClassPrediction>();
  const outcomes: Outcome[] = [];
  for (const [index, pointMm] of points.entries()) {
    const click = { pointMm, isPositive: true };
    const found = await findClickedNode(scan, { at: [pointMm], not: [] }, predictor, clickOptions);
    if (found.found === "none") outcomes.push({ ...click, node: null, remarks: [found.reason] });
    else {
      const { number, as } = placeNode(instances, found, next);
      if (as !== "covered") predictions.set(number, found.prediction);
      next = Math.max(next, number + 1);
      outcomes.push({ ...click, node: number, remarks: found.isCut ? [CUT] : [] });
    }
    onProgress?.(index + 1, points.length);
  }
  return clickedResult(scan, predictor.plan, instances, predictions, outcomes, standing);
}

/** Segments the one node that all clicks mean: a new one, or a standing one that is refined. */
async function segmentPrompted(
  scan: ScanChannels,
  given: NodeClicks,
  predictor: Predictor,
  clickOptions: ClickOptions,
  standing: StandingNodes | undefined,
  onProgress: SegmentOptions["onProgress"],
): Promise<Segmentation> {
  const earlier = standing?.clicks ?? [];
  const next = Math.max(0, ...(standing?.nodes.map(({ id }) => id) ?? [])) + 1;
  const instances = instancesFor(scan.channels[0], next, standing?.instances);
  const meant = meantNode(instances, given, earlier);
  const predictions = new Map<number, ClassPrediction>();
  const found =
    meant.at.length === 0
      ? ({ found: "none", reason: ONLY_NEGATIVE } as const)
      : await findClickedNode(scan, meant, predictor, clickOptions);
  let node: number | null = null;
  const remarks: string[] = [];
  if (found.found === "none") remarks.push(found.reason);
  else {
    const clicked = new Set(earlier.flatMap((click) => click.node ?? []));
    const { number, as } = placePromptedNode(instances, found, meant.number, clicked, next);
    if (as !== "covered") predictions.set(number, found.prediction);
    if (found.isCut) remarks.push(CUT);
    node = number;
  }
  onProgress?.(1, 1);
  const isGiven = ({ pointMm }: EarlierClick) =>
    [...given.at, ...given.not].some((point) => point.join() === pointMm.join());
  const outcomes: Outcome[] = [
    ...earlier.filter((click) => !isGiven(click)).map((click) => ({ ...click, remarks: [] })),
    ...given.at.map((pointMm) => ({ pointMm, isPositive: true, node, remarks })),
    ...given.not.map((pointMm) => ({ pointMm, isPositive: false, node, remarks })),
  ];
  return clickedResult(scan, predictor.plan, instances, predictions, outcomes, standing);
}

/** A click with what is to be said of it. */
interface Outcome extends Omit<ClickOutcome, "remark"> {
  readonly remarks: readonly string[];
}

/** Measures the nodes after clicks. Those without a prediction stand as they stood. */
function clickedResult(
  scan: ScanChannels,
  plan: PredictionPlan,
  instances: Volume<IntegerVoxelArray>,
  predictions: ReadonlyMap<number, ClassPrediction>,
  outcomes: readonly Outcome[],
  standing: StandingNodes | undefined,
): Segmentation {
  const before = new Map(standing?.nodes.map((node) => [node.id, node]));
  const nodes = measureNodes(instances, scan.ct, "labels").map((node): SegmentedNode => {
    const prediction = predictions.get(node.id);
    if (prediction !== undefined) return withConfidence([node], instances, prediction, plan)[0];
    return segmentedNode(node, confidenceIn(before, node.id), plan);
  });
  const implausible = new Map(nodes.filter((node) => node.isImplausible).map((node) => [node.id, node]));
  const clicks = outcomes.map(({ remarks, ...click }): ClickOutcome => {
    const odd = click.node === null ? undefined : implausible.get(click.node);
    const sentences = odd === undefined ? remarks : [...remarks, warningOf(odd)];
    return { ...click, remark: sentences.length === 0 ? null : sentences.join(" ") };
  });
  const numberOfStanding = new Map((standing?.nodes ?? []).map(({ id }) => [id, id]));
  return { instances, nodes, clicks, reasons: [], leftOut: nothingLeftOut, numberOfStanding };
}

const CUT = "The node extends beyond the predicted region, and is cut off there.";

/** A clicked node is kept, because a person saw it; this says that it may be something else. */
function warningOf({ id, huMean, boneOrAirShare }: SegmentedNode): string {
  const found = `${huMean?.toFixed(0)} HU on average, ${((boneOrAirShare ?? 0) * 100).toFixed(0)} % bone or air`;
  return `Node ${id} has HU that fit no lymph node (${found}); it is kept because it was clicked.`;
}

/** The nodes of a whole scan, where standing nodes replace the new nodes that they cover. */
function amongWholeScan(
  scan: ScanChannels,
  whole: SegmentedNodes,
  standing: StandingNodes,
  plan: PredictionPlan,
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
    (node): SegmentedNode => segmentedNode(node, confidenceIn(confidences, node.id), plan),
  );
  return { instances, nodes, numberOfStanding };
}

function confidenceIn(confidences: ReadonlyMap<number, FoundNode>, id: number): FoundNode {
  const found = confidences.get(id);
  if (found === undefined)
    throw new InputError(`The standing nodes do not list node ${id}, which has voxels.`);
  const { meanProbability, confidence = null, ensembleDisagreement, className } = found;
  return {
    id,
    meanProbability,
    confidence,
    ensembleDisagreement,
    ...(className === undefined ? {} : { className }),
  };
}

/** Instances that can hold numbers up to `greatest`, with the existing nodes. */
function instancesFor(
  { size, spacingMm, originMm, direction }: Volume,
  greatest: number,
  standing: Volume<IntegerVoxelArray> | undefined,
): Volume<IntegerVoxelArray> {
  const Numbers = greatest <= 255 ? Uint8Array : greatest <= 65_535 ? Uint16Array : Int32Array;
  const data = new Numbers(voxelCount({ size }));
  if (standing !== undefined) data.set(standing.data);
  return { size, spacingMm, originMm, direction, data };
}
