// A trained network, or an ensemble, loaded on a device and ready to predict.
import { InputError } from "../errors.js";
import type { OnnxTarget } from "../graph/graph.js";
import { sizeOf } from "../graph/shape.js";
import type { NetworkSpecification } from "../networks/catalogue.js";
import { inferenceModel } from "../networks/inference-model.js";
import {
  type Device,
  deviceChoices,
  type Runtime,
  type Session,
  type SessionOptions,
} from "../runtime/types.js";
import type { Calibration } from "../statistics/calibration.js";
import { channelsOf, inputChannels, isWindow } from "../transforms/intensity.js";
import { type LabelScheme, labelSchemeOf, logitChannels } from "../transforms/label-scheme.js";
import type { NnunetImage, NnunetUse } from "../transforms/nnunet-preparation.js";
import type { PatchPlan } from "../transforms/patch.js";
import type { Prepared } from "../transforms/preprocess.js";
import type { Vector3 } from "../volume/volume.js";
import { predictAsNnunet } from "./nnunet-prediction.js";
import { type Prediction, predictProbability, type SlidingWindowOptions } from "./sliding-window.js";

/** How scans are prepared for a network, the same in training and in use. */
export interface PredictionPlan extends PatchPlan {
  readonly network: NetworkSpecification;
  /** Working spacing (x, y, z). */
  readonly spacingMm: Vector3;
  /** How the mean probability of a node becomes the confidence that it is one; absent where that was never fitted. */
  readonly calibration?: FittedCalibration | undefined;
  /** How nnU-Net uses the network; absent for networks of our own. Its grid may have axes other than the patient's. */
  readonly nnunet?: NnunetUse | undefined;
}

/** A calibration, and the held-out nodes that it was fitted on. */
interface FittedCalibration extends Calibration {
  readonly scans: number;
  readonly nodes: number;
  /** Nodes of less confidence are left out of whole scans; absent where none are. */
  readonly leastConfidence?: number | undefined;
}

/** A network's weights and running statistics by name, and how it is used. */
export interface TrainedModel {
  readonly plan: PredictionPlan;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** The options of the sliding window that are chosen for each scan. */
export type PredictionOptions = Omit<SlidingWindowOptions, keyof PatchPlan | "constants">;

/** Loaded networks that predict scans prepared by their plan. Release it when done. */
export interface Predictor {
  readonly plan: PredictionPlan;
  /** The number of networks whose probabilities are averaged. */
  readonly members: number;
  readonly device: Device;
  /** A sentence: the device used, and why it is not the requested device. */
  readonly deviceNote: string;
  /**
   * The probability of each class of the plan on a prepared grid, or on a part of it; of a scan that was prepared for a
   * model of nnU-Net, on the scan's own voxels.
   *
   * @throws InputError where the predictor was released, or a network gives NaN or infinite numbers
   */
  probability(prepared: Prepared | NnunetImage, options: PredictionOptions): Promise<readonly Prediction[]>;
  /**
   * Runs each network once on zeros. The first run of a session takes about twice as long as later ones, so that whoever has
   * time now saves it for the first scan.
   *
   * @throws InputError where the predictor was released
   */
  warmUp(): Promise<void>;
  /** Frees the networks. A second call does nothing. */
  release(): Promise<void>;
}

/**
 * Loads models that were trained for the same working grid.
 *
 * @param models at least one; several are averaged, as an ensemble of folds is
 * @throws InputError where there is no model, a network does not have the channels or classes of its plan, models differ
 *   in spacing, patch, window, channels or classes, or the device or number of threads is invalid
 */
export async function openPredictor(
  models: readonly TrainedModel[],
  runtime: Runtime,
  options: SessionOptions = {},
): Promise<Predictor> {
  requireModels(models);
  requireOptions(options);
  // A calibration was fitted to the probabilities of one network, and does not fit the mean of several.
  const plan = models.length === 1 ? models[0].plan : { ...models[0].plan, calibration: undefined };
  for (const other of models) {
    requireFittingNetwork(other.plan, "The model");
    requireSamePlan(plan, other.plan);
  }
  const { patchSize } = plan;
  const shape = [1, plan.network.configuration.inputs, ...patchSize];
  const sessions: Session[] = [];
  try {
    for (const { plan, weights } of models) {
      const model = (target: OnnxTarget) => inferenceModel(plan.network, shape, weights, { target });
      // A device that was not available for the first model is not tried again.
      const device = sessions[0]?.device ?? options.device;
      sessions.push(await runtime.createSession(model, { ...options, device }));
    }
  } catch (error) {
    await Promise.all(sessions.map((session) => session.release()));
    throw error;
  }
  let isReleased = false;
  const requireOpen = () => {
    if (isReleased)
      throw new InputError("The predictor was released, and cannot predict any more; open a new one.");
  };
  return {
    plan,
    members: sessions.length,
    get device() {
      return sessions[0].device;
    },
    get deviceNote() {
      return sessions[0].deviceNote;
    },
    probability: async (prepared, options) => {
      requireOpen();
      const throwIfAborted = () => {
        options.signal?.throwIfAborted();
        requireOpen();
      };
      const settings = { ...options, ...plan, signal: { throwIfAborted } };
      if (!("part" in prepared)) return predictProbability(prepared, sessions, settings);
      const { nnunet } = plan;
      if (nnunet === undefined)
        throw new Error("a scan was prepared for nnU-Net, and the model is not of it");
      return predictAsNnunet(prepared, sessions, { ...settings, nnunet });
    },
    async warmUp() {
      for (const session of sessions) {
        requireOpen();
        const data = new Float32Array(sizeOf(shape));
        await session.run({ image: { shape, data } });
      }
    },
    release: async () => {
      if (isReleased) return;
      isReleased = true;
      await Promise.all(sessions.map((session) => session.release()));
    },
  };
}

/** A check for programs in JavaScript, which have no compiler to check types. */
function requireModels(models: readonly TrainedModel[]): void {
  if (!Array.isArray(models) || models.length === 0)
    throw new InputError(
      "A predictor was opened without a model, and a list of at least one is expected; pass [await shippedModel()], or what readModel returns.",
    );
  for (const model of models) {
    if (model?.plan === undefined || !(model.weights instanceof Map))
      throw new InputError(
        "A predictor was given something that is not a model; pass what shippedModel, loadModel or readModel returns, awaited and in a list.",
      );
  }
}

function requireOptions({ device = "cpu", threads = 0 }: SessionOptions): void {
  if (!deviceChoices.includes(device))
    throw new InputError(`There is no device "${device}"; choose one of ${deviceChoices.join(", ")}.`);
  if (!Number.isInteger(threads) || threads < 0)
    throw new InputError(
      `The number of threads is ${threads}; give a whole number, or 0 for one thread per core.`,
    );
}

/**
 * @param name what errors call the model
 * @throws InputError where a network has other channels or classes than its plan names
 */
export function requireFittingNetwork(plan: PredictionPlan, name: string): void {
  const { inputs, classes } = plan.network.configuration;
  const expected = inputChannels(plan);
  if (inputs !== expected) {
    const names = channelsOf(plan).map((channel) => channel.name);
    if (plan.clickMaps !== undefined) names.push("positive clicks", "negative clicks");
    throw new InputError(
      `${name} has a network of ${inputs} input channels, and its plan names ${expected} (${names.join(", ")}); train or export it again.`,
    );
  }
  if (plan.nnunet !== undefined && plan.nnunet.normalizations.length !== channelsOf(plan).length)
    throw new InputError(
      `${name} normalises ${plan.nnunet.normalizations.length} channels as nnU-Net does, and its plan names ${channelsOf(plan).length}; import it again.`,
    );
  const scheme = labelSchemeOf(plan);
  if (classes !== logitChannels(scheme))
    throw new InputError(
      `${name} has a network of ${classes} output channels, and ${logitChannels(scheme)} are needed for what its plan names: ${classesInWords(scheme)}; train or export it again.`,
    );
}

const classesInWords = ({ classes, kind }: LabelScheme): string =>
  classes.length === 1
    ? `the class ${classes[0].name}`
    : `the ${kind} classes ${classes.map(({ name }) => name).join(", ")}`;

/** @throws InputError where models prepare scans in different ways, or find different classes */
export function requireSamePlan(first: PredictionPlan, other: PredictionPlan): void {
  const inWords = (plan: PredictionPlan) =>
    `a spacing of ${plan.spacingMm.join("×")} mm, patches of ${plan.patchSize.join("×")} voxels and ${channelsInWords(plan)}`;
  if (inWords(first) !== inWords(other))
    throw new InputError(
      `Models that are used together must use the same preprocessing, and one was trained with ${inWords(first)}, another with ${inWords(other)}; choose models of the same training, such as the folds of a cross-validation.`,
    );
  if (JSON.stringify(first.nnunet) !== JSON.stringify(other.nnunet))
    throw new InputError(
      "Models that are used together must be used alike, and some were imported from nnU-Net with other settings than the others; choose the folds of one model.",
    );
  if (JSON.stringify(first.labels) !== JSON.stringify(other.labels))
    throw new InputError(
      `Models that are used together must have the same classes, and one finds ${classesInWords(labelSchemeOf(first))}, another ${classesInWords(labelSchemeOf(other))}; choose models of the same training, such as the folds of a cross-validation.`,
    );
}

function channelsInWords(plan: PredictionPlan): string {
  const inWords = channelsOf(plan).map(({ name, scaling }) => {
    const how = isWindow(scaling) ? `a window from ${scaling.lowHu} to ${scaling.highHu} HU` : "z-scores";
    return plan.channels === undefined ? how : `${name} by ${how}`;
  });
  if (plan.clickMaps !== undefined) inWords.push(`clicks of ${plan.clickMaps.radiusMm} mm`);
  return inWords.join(", ");
}
