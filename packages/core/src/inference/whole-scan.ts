// Segments all nodes of a scan: finds the region, predicts it, resamples to the scan's grid, cleans up and measures.
import { InputError } from "../errors.js";
import { scalingsOf } from "../transforms/intensity.js";
import { labelSchemeOf, lymphNodeNames } from "../transforms/label-scheme.js";
import { prepareForNnunet } from "../transforms/nnunet-preparation.js";
import { prepareChannels, restoreClasses, workingGrid } from "../transforms/preprocess.js";
import { boxCorners, voxelsAround } from "../volume/bounds.js";
import { cropGeometry } from "../volume/crop.js";
import type { Geometry, Volume } from "../volume/volume.js";
import { maskTest } from "../voxels/mask-test.js";
import type { IndexBox } from "../voxels/morphology.js";
import { findNeckRegion, type NeckRegion } from "../voxels/neck-region.js";
import { measureNodes } from "../voxels/node-measurement.js";
import { numberedNodes } from "../voxels/numbered-nodes.js";
import { type CleanUp, defaultCleanUp } from "./clean-up.js";
import type { PredictionOptions, PredictionPlan, Predictor } from "./predictor.js";
import { proposedMask, withoutUnproposed } from "./proposals.js";
import { scanChannels } from "./scan-channels.js";
import { type LeftOut, nothingLeftOut, scanCleaner } from "./scan-cleaner.js";
import {
  type ClassPrediction,
  FOREGROUND_THRESHOLD,
  namedPredictions,
  type SegmentedNodes,
  withConfidence,
  withoutDoubtful,
} from "./segmented-nodes.js";
import { NEEDS_CLICKS, type Prediction } from "./sliding-window.js";

/** The part of a scan to search: the body near the neck, or everything that is not air. */
export type SearchedPart = "neck" | "everything";

export interface WholeScanOptions extends Omit<PredictionOptions, "isWanted"> {
  readonly searched?: SearchedPart;
  /**
   * A coarse network that is run first; the predictor then looks only at patches in which it sees foreground. Where
   * these are, probabilities are the same as without it. Components that it does not propose are left out.
   */
  readonly proposer?: Predictor | null;
  readonly cleanUp?: CleanUp;
}

/** All nodes of a scan, and the predictions they come from. */
export interface WholeScan extends SegmentedNodes {
  /** The prediction for each class, on the working grid of the searched part. */
  readonly predictions: readonly ClassPrediction[];
  /** Sentences that say how the searched part was found. */
  readonly reasons: readonly string[];
  readonly leftOut: LeftOut;
}

/**
 * Segments every node of a scan. In addition to the scan and the result, memory is needed for the searched part on
 * the working grid, in bytes a voxel: 2 for each channel, 4, and for each class 4, or 8 for an ensemble.
 *
 * @param scan in any orientation; a volume for each channel, where the model takes several
 * @throws InputError where the scan does not have the model's channels, the neck is searched and the scan holds none, or
 *   a confidence is asked for that the model does not give
 */
export async function segmentWholeScan(
  scan: Volume | readonly Volume[],
  predictor: Predictor,
  { searched = "neck", cleanUp = defaultCleanUp, ...options }: WholeScanOptions,
): Promise<WholeScan> {
  requireConfidence(predictor.plan, cleanUp);
  const { predictions, reasons } = await probabilityOfScan(scan, predictor, { searched, ...options });
  return { ...nodesOfPredictions(scan, predictor.plan, predictions, cleanUp), predictions, reasons };
}

/**
 * The predictions for the searched part of a scan.
 *
 * @throws InputError as {@link segmentWholeScan}, and where the model or the proposer outlines only what is clicked
 */
export async function probabilityOfScan(
  scan: Volume | readonly Volume[],
  predictor: Predictor,
  { searched = "neck", proposer = null, ...options }: Omit<WholeScanOptions, "cleanUp">,
): Promise<Pick<WholeScan, "predictions" | "reasons">> {
  for (const { plan } of [predictor, ...(proposer === null ? [] : [proposer])])
    if (plan.clickMaps !== undefined) throw new InputError(NEEDS_CLICKS);
  const { ct } = scanChannels(scan, predictor.plan);
  const isOfNnunet = predictor.plan.nnunet !== undefined;
  const region = searched === "neck" && ct !== null && !isOfNnunet ? neckOf(ct) : null;
  const proposed =
    proposer === null
      ? null
      : proposedMask(
          await predictRegion(scan, proposer, region, {
            ...withoutProgress(options),
            overlap: PROPOSER_OVERLAP,
          }),
        );
  const found = await predictRegion(scan, predictor, region, options, proposed);
  const predictions =
    proposed === null
      ? found
      : found.map((prediction) => ({
          ...prediction,
          probability: withoutUnproposed(prediction.probability, proposed),
        }));
  return {
    predictions: namedPredictions(predictions, labelSchemeOf(predictor.plan)),
    reasons: isOfNnunet ? [AS_NNUNET] : (region?.reasons ?? []),
  };
}

const AS_NNUNET = "The model is of nnU-Net: the whole scan was searched, and its mask is left as it is.";

/** What a coarse network proposes is only a place, so it need not look from many sides. */
const PROPOSER_OVERLAP = 0.25;

/** Progress is that of the predictor, which takes nearly all of the time. */
const withoutProgress = ({ onPatch, onPlanes, ...options }: PredictionOptions): PredictionOptions => options;

/** The predictions for a region, or for the whole scan; of a mask, only for patches in which it has foreground. */
async function predictRegion(
  scan: Volume | readonly Volume[],
  predictor: Predictor,
  region: NeckRegion | null,
  options: PredictionOptions,
  proposed: Volume<Uint8Array> | null = null,
): Promise<readonly Prediction[]> {
  const { plan } = predictor;
  const { channels } = scanChannels(scan, plan);
  if (plan.nnunet !== undefined)
    return predictor.probability(prepareForNnunet(channels, plan.nnunet, plan.spacingMm), options);
  const whole = workingGrid(channels[0], plan.spacingMm);
  const grid = region === null ? whole : gridAround(region, whole);
  const masks = [...(region === null ? [] : [region.body]), ...(proposed === null ? [] : [proposed])];
  const tests = masks.map((mask) => maskTest(mask, grid));
  const isWanted = (box: IndexBox) => tests.every((test) => test(box));
  const prepared = prepareChannels(channels, grid, scalingsOf(plan));
  return predictor.probability(prepared, { ...options, isWanted });
}

/** The nodes of a scan, from the predictions for each class. A voxel is foreground from the threshold on. */
export function nodesOfPredictions(
  scan: Volume | readonly Volume[],
  plan: PredictionPlan,
  predictions: readonly ClassPrediction[],
  cleanUp: CleanUp,
  threshold = FOREGROUND_THRESHOLD,
): Omit<WholeScan, "predictions" | "reasons"> {
  const { channels, ct } = scanChannels(scan, plan);
  const scheme = labelSchemeOf(plan);
  const classes = restoreClasses(
    predictions.map(({ probability }) => probability),
    channels[0],
    scheme,
    threshold,
  );
  // nnU-Net's own masks have no post-processing of ours, and users compare with them.
  const { mask, leftOut } =
    plan.nnunet === undefined
      ? scanCleaner(ct, scheme, cleanUp)(classes)
      : { mask: classes, leftOut: nothingLeftOut };
  const splits = plan.nnunet === undefined && cleanUp.keepsTouching !== true;
  const instances = numberedNodes(
    mask,
    (value) => splits && lymphNodeNames.test(scheme.classes[value - 1].name),
  );
  const measured = measureNodes(instances, ct, "labels");
  const classOf = classOfInstances(instances, mask);
  const nodes = predictions
    .flatMap((prediction, at) =>
      withConfidence(
        measured.filter(({ id }) => classOf.get(id) === at + 1),
        instances,
        prediction,
        plan,
      ),
    )
    .sort((a, b) => a.id - b.id);
  const least = cleanUp.leastConfidence ?? plan.calibration?.leastConfidence ?? 0;
  const { doubtful, ...kept } = withoutDoubtful({ instances, nodes }, least);
  return { ...kept, leftOut: { ...leftOut, doubtful } };
}

/** @throws InputError where nodes are to be left out by their confidence, and the model gives none */
function requireConfidence({ calibration }: PredictionPlan, { leastConfidence }: CleanUp): void {
  if (calibration === undefined && leastConfidence !== null && leastConfidence > 0)
    throw new InputError(
      `A least confidence of ${leastConfidence} was requested, and this model gives no confidence; calibrate it with lnsnet calibrate, or leave the least confidence out.`,
    );
}

/** The class of each component by its number. */
function classOfInstances({ data }: Volume, classes: Volume<Uint8Array>): Map<number, number> {
  const classOf = new Map<number, number>();
  let previous = 0;
  for (let at = 0; at < data.length; at++) {
    if (data[at] === previous) continue;
    previous = data[at];
    if (previous !== 0) classOf.set(previous, classes.data[at]);
  }
  return classOf;
}

/** @throws InputError where the scan holds no neck */
function neckOf(scan: Volume): NeckRegion {
  const region = findNeckRegion(scan);
  if (region.found === "none")
    throw new InputError(
      `no neck was found: ${region.reason}, and a CT of head or neck is expected; give such a scan, or search everything in it.`,
    );
  return region;
}

/** The part of a working grid around a region. */
function gridAround(region: NeckRegion, whole: Geometry): Geometry {
  const box = voxelsAround(whole, boxCorners(region));
  if (box === null) throw new Error("the region lies outside the scan that it was found in");
  return cropGeometry(whole, box.start, box.size);
}
