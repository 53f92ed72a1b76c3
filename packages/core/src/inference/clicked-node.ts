// Segments the node at clicked points, as in the paper's protocol: one patch around one node.
import { InputError } from "../errors.js";
import { countOverlap, dice } from "../metrics/overlap.js";
import { scalingsOf } from "../transforms/intensity.js";
import { decidedMask, type LabelScheme, labelSchemeOf } from "../transforms/label-scheme.js";
import { prepareChannels, restoreClass, workingGrid } from "../transforms/preprocess.js";
import { outerCorners, voxelsAround } from "../volume/bounds.js";
import { crop, cropGeometry, nodeCropStart } from "../volume/crop.js";
import { type Geometry, indexOfPoint, pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { labelComponents } from "../voxels/components.js";
import { foregroundBox, type IndexBox } from "../voxels/morphology.js";
import { type SideOfPoint, sideByBody, sideByGrid } from "../voxels/neck-side.js";
import { airBelowHu } from "../voxels/node-density.js";
import { measureNodes } from "../voxels/node-measurement.js";
import { clickInto } from "../voxels/simulated-click.js";
import type { PredictionOptions, PredictionPlan, Predictor } from "./predictor.js";
import { type ScanChannels, scanChannels } from "./scan-channels.js";
import {
  type ClassPrediction,
  FOREGROUND_THRESHOLD,
  namedPredictions,
  type SegmentedNode,
  withConfidence,
} from "./segmented-nodes.js";

export interface ClickOptions extends Omit<PredictionOptions, "isWanted" | "overlap" | "onPatch" | "clicks"> {
  /**
   * Whether to predict again from the middle of the node that was found, as in training: a pass or two more, after which
   * the result hardly depends on where in the node the click was.
   */
  readonly centresAgain?: boolean;
  /** The class of the clicked node; by default the class with the highest probability at the click. */
  readonly className?: string | undefined;
}

/** A node that was found at a click, measured. */
export interface ClickedNode extends NodeAtClick {
  /** Its number is 1, and its bounding box is in voxels of the scan. */
  readonly node: SegmentedNode;
}

/** The voxels of a node. */
export interface OutlinedNode {
  /** 1 in the node; a box of the scan's grid, placed by its geometry and by `start`. */
  readonly mask: Volume<Uint8Array>;
  /** The box's first voxel in the scan. */
  readonly start: Vector3;
}

/** A node that was found at a click. */
export interface NodeAtClick extends OutlinedNode {
  readonly found: "node";
  /** The prediction for the node's class, on the working grid, around the node. */
  readonly prediction: ClassPrediction;
  /** Whether the node extends beyond the predicted region of at most {@link maxPatches} patches along an axis. */
  readonly isCut: boolean;
  /** The node as it were if its voxels needed another probability than 0.5; null where none at the click has that. */
  readonly atThreshold: (threshold: number) => OutlinedNode | null;
}

/** A click at which no node was found, and why. */
export interface NoNodeAtClick {
  readonly found: "none";
  /** A sentence that names the point. */
  readonly reason: string;
}

/** Points of one node, LPS mm. */
export interface NodeClicks {
  /** In the node, at least one; all but the first are for promptable models alone. */
  readonly at: readonly Vector3[];
  /** Beside it; for promptable models alone. */
  readonly not: readonly Vector3[];
}

/** A node may be this far from the click, because clicks are imprecise. */
const snapMm = 5;
/** Radius of the ball whose mean HU tells the tissue at the click. */
const tissueRadiusMm = 2;
/** On average around the click, above enhanced vessels and calcified nodes, below cortical bone: a click there finds no node. */
const clickedBoneFromHu = 450;
/** Limit for nodes that are larger than a patch; at 1 mm this is 200 mm along the body. */
const maxPatches = 3;
/**
 * Boxes of a promptable model begin at multiples of so many voxels, so that clicks beside each other get the same box: the
 * network's answer changes a little with each voxel that a box moves.
 */
const boxLattice = 4;
/** How often a promptable model with a single click is asked again; by then most answers no longer change. */
const settlingPasses = 2;
/** An answer that has less in common with the one before it is of something else than was clicked. */
const settledDsc = 0.6;
/** Patches overlap by this share where more than one is needed. */
const overlap = 0.5;

/**
 * Finds and measures the node at a point. No array of the size of the scan is needed: memory depends only on the patch.
 *
 * @param scan in any orientation; a volume for each channel, where the model takes several
 * @param pointMm LPS
 * @throws InputError where the scan does not have the model's channels, the model does not know the class, the predictor
 *   was released, or a network gives NaN; the signal's reason where it was stopped
 */
export async function segmentClickedNode(
  scan: Volume | readonly Volume[],
  pointMm: Vector3,
  predictor: Predictor,
  options: ClickOptions = {},
): Promise<ClickedNode | NoNodeAtClick> {
  return segmentNode(scan, { at: [pointMm], not: [] }, predictor, options);
}

/**
 * Finds and measures the one node that points mean. Memory is as in {@link segmentClickedNode}.
 *
 * @param clicks several, or points beside the node, for promptable models alone
 * @throws InputError as {@link segmentClickedNode}, and where the model takes no more than one point, or none lies in the node
 */
export async function segmentNode(
  scan: Volume | readonly Volume[],
  clicks: NodeClicks,
  predictor: Predictor,
  options: ClickOptions = {},
): Promise<ClickedNode | NoNodeAtClick> {
  if (clicks.at.length === 0) return { found: "none", reason: ONLY_NEGATIVE };
  if (predictor.plan.clickMaps === undefined) {
    if (clicks.not.length > 0) throw new InputError(TAKES_NO_NEGATIVE);
    if (clicks.at.length > 1) throw new InputError(TAKES_ONE_POINT);
  }
  const found = await findClickedNode(scanChannels(scan, predictor.plan), clicks, predictor, options);
  return found.found === "none" ? found : measureClickedNode(scan, found, predictor.plan);
}

/** Why a model cannot be told what does not belong to a node. */
export const TAKES_NO_NEGATIVE =
  "The model was not trained to be told what does not belong to a node (the option not); leave these points out, or give a model that was trained with clicks.";

const TAKES_ONE_POINT =
  "The model was not trained to take several points of one node; give one point, or a model that was trained with clicks.";

/** Why points beside a node alone lead to none. */
export const ONLY_NEGATIVE =
  "No point lies in a node that was clicked before, and none says where the node is; give a point in it (the option at) too.";

/**
 * Measures a node that was found at a click, or its voxels at another threshold.
 *
 * @param sideOfPoint the side of the neck; by default from the body in the CT
 */
export function measureClickedNode(
  scan: Volume | readonly Volume[],
  found: NodeAtClick,
  plan: PredictionPlan,
  sideOfPoint?: SideOfPoint,
): ClickedNode {
  const { channels, ct } = scanChannels(scan, plan);
  const { mask, start, prediction } = found;
  const side = sideOfPoint ?? (ct === null ? sideByGrid(channels[0]) : sideByBody(ct));
  const nodes = measureNodes(mask, ct === null ? null : crop(ct, start, mask.size), "labels", side);
  const [node] = withConfidence(nodes, mask, prediction, plan);
  const { start: inMask, size } = node.boundingBoxIndex;
  const inScan: Vector3 = [start[0] + inMask[0], start[1] + inMask[1], start[2] + inMask[2]];
  return { ...found, node: { ...node, boundingBoxIndex: { start: inScan, size } } };
}

/**
 * The node at a point: predicts a patch around the point, a second patch centred on what was found there, and more only
 * if the node reaches the border of the patch. A promptable model with a single click is asked again as if the voxel that
 * lies deepest in its answer had been clicked. The node is the connected component (26 neighbours) at the point, or the
 * nearest within 5 mm. Among several classes, it is the class with the highest probability within 5 mm of the point in
 * the first patch, unless a class is given.
 *
 * A promptable model is told of all points, and the node is what is connected with any of the positive ones.
 *
 * @throws InputError where the model has no class of the name
 */
export async function findClickedNode(
  { channels, ct }: ScanChannels,
  { at, not }: NodeClicks,
  predictor: Predictor,
  { centresAgain = true, className, ...options }: ClickOptions = {},
): Promise<NodeAtClick | NoNodeAtClick> {
  for (const point of at) {
    const refusal = reasonOutside(channels[0], point) ?? reasonAgainst(channels[0], ct, point);
    if (refusal !== null) return { found: "none", reason: refusal };
  }
  for (const point of not) {
    const refusal = reasonOutside(channels[0], point);
    if (refusal !== null) return { found: "none", reason: refusal };
  }
  const [pointMm] = at;
  const { plan } = predictor;
  const { patchSize, spacingMm } = plan;
  const scheme = labelSchemeOf(plan);
  let position = className === undefined ? null : positionOf(className, scheme);
  const patch: Vector3 = [patchSize[2], patchSize[1], patchSize[0]];
  const whole = workingGrid(channels[0], spacingMm);
  const isPromptable = plan.clickMaps !== undefined;
  const predictBox = async ({ box, clicked }: Question): Promise<PatchResult> => {
    const grid = cropGeometry(whole, box.start, box.size);
    const prepared = prepareChannels(channels, grid, scalingsOf(plan));
    const inGrid = (points: readonly Vector3[]) => points.map((point) => indexOfPoint(grid, point));
    const clicks = isPromptable ? { clicks: { positive: inGrid(clicked), negative: inGrid(not) } } : {};
    const predictions = namedPredictions(
      await predictor.probability(prepared, { ...options, ...clicks, overlap }),
      scheme,
    );
    position ??= mostProbableAt(predictions, pointMm);
    const probabilities = predictions.map(({ probability }) => probability.data);
    const data = decidedMask(probabilities, scheme, position, FOREGROUND_THRESHOLD);
    return { box, clicked, predictions, position, component: componentAt({ ...grid, data }, at) };
  };

  const settles = isPromptable && at.length === 1 && not.length === 0;
  const result = await followed(predictBox, whole, at, patch, {
    lattice: isPromptable ? boxLattice : 1,
    passes: centresAgain ? (settles ? settlingPasses : 1) : 0,
    settles,
  });
  const prediction = result.predictions[result.position];
  const { probability } = prediction;
  const box = voxelsAround(channels[0], outerCorners(probability));
  const probabilities = result.predictions.map((ofClass) => ofClass.probability);
  const atThreshold = (threshold: number): OutlinedNode | null => {
    if (box === null) return null;
    const grid = cropGeometry(channels[0], box.start, box.size);
    const mask = restoreClass(probabilities, result.position, grid, scheme, threshold);
    const component = componentAt(mask, at);
    return component && { mask: { ...mask, data: component.mask }, start: box.start };
  };
  const outlined = atThreshold(FOREGROUND_THRESHOLD);
  if (outlined === null)
    return {
      found: "none",
      reason: `No node was found at ${inWords(pointMm)}: the highest probability within ${snapMm} mm is ${maximumNear(probability, pointMm).toFixed(2)}, and ${FOREGROUND_THRESHOLD} is needed; click into the middle of a node.`,
    };
  return {
    found: "node",
    ...outlined,
    prediction,
    isCut: facesReached(result, whole).length > 0,
    atThreshold,
  };
}

/** What a network is asked. */
interface Question {
  readonly box: IndexBox;
  /** Points in the node, LPS mm. */
  readonly clicked: readonly Vector3[];
}

/** How an answer is followed. */
interface Following {
  /** Boxes begin at multiples of so many voxels. */
  readonly lattice: number;
  /** How often to ask again from the middle of an answer. */
  readonly passes: number;
  /** Whether the voxel that lies deepest in an answer then counts as the click. */
  readonly settles: boolean;
}

/** A patch around the middle of the points; where they lie further apart, as much more as they need. */
function boxAround(indices: readonly Vector3[], patch: Vector3, lattice: number): IndexBox {
  const along = (axis: 0 | 1 | 2) => {
    const places = indices.map((index) => index[axis]);
    const [low, high] = [Math.min(...places), Math.max(...places)];
    const margin = Math.floor(patch[axis] / 4);
    const needed = Math.ceil(high - low) + 2 * margin;
    return {
      middle: (low + high) / 2,
      size: Math.min(maxPatches * patch[axis], Math.max(patch[axis], needed)),
    };
  };
  const [i, j, k] = [along(0), along(1), along(2)];
  return centredBox([i.middle, j.middle, k.middle], [i.size, j.size, k.size], lattice);
}

function centredBox(index: Vector3, size: Vector3, lattice: number): IndexBox {
  const onLattice = (at: number) => lattice * Math.round(at / lattice);
  const [i, j, k] = nodeCropStart(index, size);
  return { start: [onLattice(i), onLattice(j), onLattice(k)], size };
}

/** A patch around the points, then centred on what was found there, and larger boxes while the node reaches the border. */
async function followed(
  predictBox: (question: Question) => Promise<PatchResult>,
  whole: Geometry,
  points: readonly Vector3[],
  patch: Vector3,
  { lattice, passes, settles }: Following,
): Promise<PatchResult> {
  const first = boxAround(
    points.map((point) => indexOfPoint(whole, point)),
    patch,
    lattice,
  );
  let result = await predictBox({ box: first, clicked: points });
  const isOnePatch = first.size.every((length, axis) => length === patch[axis]);
  for (let pass = 0; isOnePatch && pass < passes && result.component !== null; pass++) {
    const { centroidMm } = result.component;
    const question = {
      box: centredBox(indexOfPoint(whole, centroidMm), patch, lattice),
      clicked: settles ? [deepestPoint(result, whole)] : points,
    };
    if (isSameQuestion(question, result)) break;
    const again = await predictBox(question);
    if (again.component === null) break;
    if (settles && agreement(result, again, whole) < settledDsc) break;
    result = again;
  }
  const { clicked } = result;
  let grown = grownBox(result, whole, patch);
  while (grown !== null) {
    const wider = await predictBox({ box: grown, clicked });
    if (wider.component === null) break;
    result = wider;
    grown = grownBox(result, whole, patch);
  }
  return result;
}

/** The DSC of what two answers hold; 0 where one found nothing. */
function agreement(a: PatchResult, b: PatchResult, whole: Geometry): number {
  if (a.component === null || b.component === null) return 0;
  const inOneBox = ({ box, component }: PatchResult) => {
    const volume = {
      ...cropGeometry(whole, box.start, box.size),
      data: component?.mask ?? new Uint8Array(0),
    };
    const start: Vector3 = [from[0] - box.start[0], from[1] - box.start[1], from[2] - box.start[2]];
    return crop(volume, start, size, 0).data;
  };
  const low = (axis: 0 | 1 | 2) => Math.min(a.box.start[axis], b.box.start[axis]);
  const high = (axis: 0 | 1 | 2) =>
    Math.max(a.box.start[axis] + a.box.size[axis], b.box.start[axis] + b.box.size[axis]);
  const from: Vector3 = [low(0), low(1), low(2)];
  const size: Vector3 = [high(0) - from[0], high(1) - from[1], high(2) - from[2]];
  return dice(countOverlap(inOneBox(a), inOneBox(b)));
}

/** The voxel that lies deepest in what was found, LPS mm. */
function deepestPoint({ box, component, clicked }: PatchResult, whole: Geometry): Vector3 {
  const grid = cropGeometry(whole, box.start, box.size);
  const index = component && clickInto(component.mask, grid.size, grid.spacingMm);
  return index === null ? clicked[0] : pointOfIndex(grid, index);
}

const isSameQuestion = (a: Question, b: Question): boolean =>
  a.box.start.every((first, axis) => first === b.box.start[axis]) &&
  a.clicked.every(
    (point, n) => Math.hypot(...point.map((mm, axis) => mm - b.clicked[n][axis])) < samePointMm,
  );

/** Points of one voxel that were computed in two boxes. */
const samePointMm = 1e-3;

/** The prediction for a patch (or a larger box), and the component at the click. */
interface PatchResult extends Question {
  readonly predictions: readonly ClassPrediction[];
  /** Position of the clicked class among the predictions. */
  readonly position: number;
  readonly component: ComponentAtClick | null;
}

interface ComponentAtClick {
  /** 1 in the component, on the predicted grid. */
  readonly mask: Uint8Array;
  readonly centroidMm: Vector3;
  /** Its bounding box. */
  readonly box: IndexBox;
}

function positionOf(className: string, { classes }: LabelScheme): number {
  const position = classes.findIndex(({ name }) => name === className);
  if (position < 0)
    throw new InputError(
      `The class "${className}" was requested for a click, and the model knows ${classes.map(({ name }) => name).join(", ")}; give one of these.`,
    );
  return position;
}

function mostProbableAt(predictions: readonly ClassPrediction[], pointMm: Vector3): number {
  const near = predictions.map(({ probability }) => maximumNear(probability, pointMm));
  return near.indexOf(Math.max(...near));
}

/** Why a point cannot be in the scan; null where it is. */
function reasonOutside(scan: Geometry, pointMm: Vector3): string | null {
  const index = indexOfPoint(scan, pointMm);
  if (index.every((at, axis) => at >= -0.5 && at <= scan.size[axis] - 0.5)) return null;
  const voxel = index.map((at) => at.toFixed(0)).join(", ");
  return `The point ${inWords(pointMm)} lies outside the scan: it would be voxel (${voxel}) of ${scan.size.join("×")}; give a point in LPS mm within it.`;
}

/** Why no node can lie at a point in the scan; null where one may. */
function reasonAgainst(scan: Geometry, ct: Volume | null, pointMm: Vector3): string | null {
  if (ct === null) return null;
  const hu = meanHuAround(ct, indexOfPoint(scan, pointMm));
  const found = `${Math.round(hu)} HU within ${tissueRadiusMm} mm`;
  if (hu < airBelowHu)
    return `The point ${inWords(pointMm)} lies in air (${found}), where no node is; click into a node.`;
  if (hu >= clickedBoneFromHu)
    return `The point ${inWords(pointMm)} lies in bone or metal (${found}), where no node is; click into a node.`;
  return null;
}

/** Over the voxels whose centres lie within the radius, or of the nearest voxel if there are none. */
function meanHuAround(scan: Volume, index: Vector3): number {
  let [sum, count] = [0, 0];
  forEachVoxelNear(scan, index, tissueRadiusMm, (at) => {
    sum += scan.data[at];
    count++;
  });
  if (count > 0) return sum / count;
  const nearest = (axis: 0 | 1 | 2) => Math.min(scan.size[axis] - 1, Math.max(0, Math.round(index[axis])));
  return scan.data[offsetOf(scan, [nearest(0), nearest(1), nearest(2)])];
}

const offsetOf = ({ size: [nx, ny] }: Geometry, [i, j, k]: Vector3): number => i + nx * (j + ny * k);

/** The voxels whose centres lie within a radius of a continuous index, with their squared distance. */
function forEachVoxelNear(
  grid: Geometry,
  index: Vector3,
  radiusMm: number,
  visit: (at: number, squaredMm: number) => void,
): void {
  const range = (axis: 0 | 1 | 2) => {
    const reach = radiusMm / grid.spacingMm[axis];
    return [
      Math.max(0, Math.ceil(index[axis] - reach)),
      Math.min(grid.size[axis] - 1, Math.floor(index[axis] + reach)),
    ];
  };
  const [is, js, ks] = [range(0), range(1), range(2)];
  for (let k = ks[0]; k <= ks[1]; k++)
    for (let j = js[0]; j <= js[1]; j++)
      for (let i = is[0]; i <= is[1]; i++) {
        const squaredMm = [i, j, k].reduce(
          (sum, at, axis) => sum + ((at - index[axis]) * grid.spacingMm[axis]) ** 2,
          0,
        );
        if (squaredMm <= radiusMm ** 2) visit(offsetOf(grid, [i, j, k]), squaredMm);
      }
}

function maximumNear(probability: Volume<Float32Array>, pointMm: Vector3): number {
  let greatest = 0;
  forEachVoxelNear(probability, indexOfPoint(probability, pointMm), snapMm, (at) => {
    greatest = Math.max(greatest, probability.data[at]);
  });
  return greatest;
}

/** The connected components at the points, or for each point the nearest within reach. */
function componentAt(mask: Volume<Uint8Array>, points: readonly Vector3[]): ComponentAtClick | null {
  const nearest = points.map((point) => nearestVoxel(mask, point)).filter((at) => at >= 0);
  if (nearest.length === 0) return null;
  const { labels } = labelComponents(mask.data, mask.size, 26);
  const clicked = new Set(nearest.map((at) => labels[at]));
  const component = maskWhere(labels, (label) => clicked.has(label));
  const box = foregroundBox(component, mask.size);
  return (
    box && { mask: component, box, centroidMm: pointOfIndex(mask, meanIndex(component, mask.size, box)) }
  );
}

/** The foreground voxel nearest to a point, within reach; −1 where there is none. */
function nearestVoxel(mask: Volume<Uint8Array>, pointMm: Vector3): number {
  let [nearest, least] = [-1, Number.POSITIVE_INFINITY];
  forEachVoxelNear(mask, indexOfPoint(mask, pointMm), snapMm, (at, squaredMm) => {
    if (mask.data[at] === 1 && squaredMm < least) [nearest, least] = [at, squaredMm];
  });
  return nearest;
}

/** The mean index of the foreground, which lies in the box. */
function meanIndex(mask: Uint8Array, [nx, ny]: Vector3, { start, size }: IndexBox): Vector3 {
  let [i, j, k, voxels] = [0, 0, 0, 0];
  for (let z = start[2]; z < start[2] + size[2]; z++)
    for (let y = start[1]; y < start[1] + size[1]; y++)
      for (let x = start[0]; x < start[0] + size[0]; x++) {
        if (mask[x + nx * (y + ny * z)] === 0) continue;
        i += x;
        j += y;
        k += z;
        voxels++;
      }
  return [i / voxels, j / voxels, k / voxels];
}

/** The faces of the predicted box that the component reaches although the scan continues there. */
function facesReached(
  { box, component }: PatchResult,
  whole: Geometry,
): { axis: 0 | 1 | 2; isHigh: boolean }[] {
  if (component === null) return [];
  const { start, size } = component.box;
  return ([0, 1, 2] as const).flatMap((axis) => {
    const isAtHighEnd = start[axis] + size[axis] === box.size[axis];
    const goesOn = box.start[axis] + box.size[axis] < whole.size[axis];
    return [
      ...(start[axis] === 0 && box.start[axis] > 0 ? [{ axis, isHigh: false }] : []),
      ...(isAtHighEnd && goesOn ? [{ axis, isHigh: true }] : []),
    ];
  });
}

/** The box extended by half a patch at every face that the component reaches; null if there is none, or it may not grow. */
function grownBox(result: PatchResult, whole: Geometry, patch: Vector3): IndexBox | null {
  const start: [number, number, number] = [...result.box.start];
  const size: [number, number, number] = [...result.box.size];
  for (const { axis, isHigh } of facesReached(result, whole)) {
    const more = Math.floor(patch[axis] / 2);
    if (size[axis] + more > maxPatches * patch[axis]) continue;
    size[axis] += more;
    if (!isHigh) start[axis] -= more;
  }
  return size.every((length, axis) => length === result.box.size[axis]) ? null : { start, size };
}

const inWords = (pointMm: Vector3): string => `(${pointMm.map((value) => value.toFixed(1)).join(", ")}) mm`;
