// Learns from the nodes that a person corrected or drew: core's training loop on one scan, judged by nodes held out of it.
import {
  buildNetwork,
  buildTrainingStep,
  InputError,
  type Model,
  networkPresets,
  type Plan,
  type Runtime,
  type Session,
  type TrainingState,
  type TrainingStep,
  type Volume,
} from "@lnsnet/core";
import {
  clickTargets,
  type LabelledScan,
  meanClickDsc,
  meanDsc,
  type OutlinedNode,
} from "@lnsnet/core/inference";
import { isOfHead } from "@lnsnet/core/networks";
import {
  averagedInputs,
  averagedWeights,
  drawBatch,
  forwardModel,
  initialState,
  type LogEntry,
  lossOf,
  prepareCase,
  startingPoint,
  train,
  usualSchedule,
} from "@lnsnet/core/training";
import {
  channelsOf,
  defaultAugmentation,
  IGNORED,
  labelSchemeOf,
  outsideOf,
  prepareChannels,
  prepareLabel,
  scalingsOf,
  workingGrid,
} from "@lnsnet/core/transforms";
import { crop, nodeCropStart, paste, type Vector3 } from "@lnsnet/core/volume";
import type { EngineJob, LearningPoint } from "./answers.js";

/** A node of the scan to learn from, or to be judged by. */
export interface LearningNode extends OutlinedNode {
  /** 1 … 254. */
  readonly number: number;
  /** Nothing is learned from it: it tells whether what was learned helps. */
  readonly isHeldOut: boolean;
}

export interface LearningRequest {
  /** All nodes of the scan that are known. What is outside them is learned as background. */
  readonly nodes: readonly LearningNode[];
  readonly steps: number;
  /** What the model is to be called after, such as the scan's name. */
  readonly source: string;
}

/** What was learned. */
export interface Learned {
  readonly model: Model;
  /** DSC of each held-out node by the model before and after. */
  readonly heldOut: readonly { readonly number: number; readonly before: number; readonly after: number }[];
  /** At which step the held-out nodes were outlined best; the model is that of this step. 0 where it never got better. */
  readonly bestStep: number;
  readonly steps: number;
  readonly seconds: number;
}

/** The least number of nodes to learn from. */
const leastTraining = { tuned: 1, anew: 3 } as const;

/**
 * Fine-tunes a model, or teaches a new one, by the nodes of a scan.
 *
 * @param before the model to start from; null for a new one
 * @param runtime where it learns
 * @throws InputError where nodes are too few, none is held out, or the model cannot learn here; the signal's reason
 */
export async function learn(
  scan: Volume,
  before: Model | null,
  { nodes, steps, source }: LearningRequest,
  runtime: Runtime,
  job: EngineJob,
): Promise<Learned> {
  requireLearnable(before, nodes);
  const training = nodes.filter(({ isHeldOut }) => !isHeldOut);
  const plan = planOf(before, training.length, source);
  const { patchSize } = plan;
  const { labelled, numbers } = prepared(scan, plan, nodes);
  const step = buildTrainingStep((image, builder) => buildNetwork(plan.network, image, builder), {
    imageShape: [1, plan.network.configuration.inputs, ...patchSize],
    loss: lossOf(labelSchemeOf(plan)),
    // With a few nodes the whole network would soon forget what it knew, and a step would take three times as long.
    trains: (name) => before === null || isOfHead(plan.network, name),
  });
  const start = before === null ? null : startingPoint(before.weights, step);
  const judge = await openJudge(labelled, numbers, plan, nodes, runtime);
  try {
    const first = initialState(step, { seed, ...(start ? { start } : {}) });
    const scoresBefore = await judge.scores(first, step);
    const untrained = mean(scoresBefore);
    job.onLearning?.({ step: 0, heldOutDsc: untrained });
    let best: Best = { dsc: untrained, state: first, scores: scoresBefore };
    const isHeldOut = new Set(nodes.flatMap(({ number, isHeldOut }) => (isHeldOut ? [number] : [])));
    const isPromptable = plan.clickMaps !== undefined;
    const label = numbers.map((number) =>
      number === 0 ? 0 : isHeldOut.has(number) ? IGNORED : isPromptable ? number : 1,
    );
    const cases = [prepareCase(source, labelled, label)];
    const sampler = {
      ...plan,
      patchSize,
      foregroundShare: isPromptable ? 1 : 0.75,
      augmentation: defaultAugmentation,
    };
    const peak = before === null ? 0.003 : 0.001;
    let scores = scoresBefore;
    const { history, state } = await train(
      step,
      {
        steps,
        seed,
        schedule: usualSchedule(steps, peak),
        start,
        validateEvery: Math.max(2, Math.round(steps / 6)),
      },
      {
        runtime,
        batches: { next: async (index) => drawBatch({ cases, seed, batchSize: 1, sampler }, index) },
        validate: async (weights) => {
          scores = await judge.scoresOf(weights);
          return { dsc: mean(scores) };
        },
        place: {
          save: async () => undefined,
          saveBest: async (state) => {
            if (mean(scores) > best.dsc) best = { dsc: mean(scores), state, scores };
          },
          record: async (entry) => job.onLearning?.(pointOf(entry)),
        },
        nowSeconds: () => performance.now() / 1000,
      },
      job,
    );
    const heldOut = judge.numbers.map((number, at) => ({
      number,
      before: scoresBefore[at],
      after: best.scores[at],
    }));
    return {
      model: {
        plan,
        weights: averagedWeights(best.state, step),
        steps: (before?.steps ?? 0) + best.state.step,
      },
      heldOut,
      bestStep: best.state.step,
      steps: state.step,
      seconds: history.seconds,
    };
  } finally {
    await judge.release();
  }
}

/** The same nodes and steps give the same model. */
const seed = 1;

interface Best {
  readonly dsc: number;
  readonly state: TrainingState;
  readonly scores: readonly number[];
}

/** @throws InputError */
function requireLearnable(before: Model | null, nodes: readonly LearningNode[]): void {
  const heldOut = nodes.filter(({ isHeldOut }) => isHeldOut).length;
  const least = before === null ? leastTraining.anew : leastTraining.tuned;
  if (heldOut === 0)
    throw new InputError(
      "No node is held out, and without one nobody can tell whether the model gets better; hold one out.",
    );
  if (nodes.length - heldOut < least)
    throw new InputError(
      `There ${nodes.length - heldOut === 1 ? "is 1 node" : `are ${nodes.length - heldOut} nodes`} to learn from, and at least ${least} are needed beside the held-out one; draw or correct more.`,
    );
  if (before === null) return;
  if (before.plan.nnunet !== undefined)
    throw new InputError(
      "A model of nnU-Net cannot learn here, for its scans are prepared in another way; choose another model.",
    );
  if (channelsOf(before.plan).length > 1 || labelSchemeOf(before.plan).classes.length > 1)
    throw new InputError(
      "The model has several channels or classes, and the nodes of the page have one; choose another model.",
    );
}

/** The plan of the model that comes out; results say what it learned from. */
function planOf(before: Model | null, nodes: number, source: string): Plan {
  const learned = `${nodes} nodes of ${source}, corrected or drawn by a person`;
  // A calibration belongs to the weights that it was fitted to.
  if (before !== null) {
    const { calibration: _, ...plan } = before.plan;
    return { ...plan, dataLabel: `${plan.dataLabel}, then ${learned}` };
  }
  return {
    network: networkPresets["lnsnet-small"],
    patchSize: [32, 32, 32],
    spacingMm: [1.5, 1.5, 1.5],
    window: { lowHu: -160, highHu: 240 },
    foreground: "lymph node",
    dataLabel: learned,
  };
}

/** The scan on the working grid, and the number of the node in each of its voxels. */
function prepared(scan: Volume, plan: Plan, nodes: readonly LearningNode[]) {
  const grid = workingGrid(scan, plan.spacingMm);
  const drawn = { ...scan, data: new Uint8Array(scan.data.length) };
  for (const { mask, start, number } of nodes) {
    const held = crop(drawn, start, mask.size);
    paste(
      { ...held, data: held.data.map((value, at) => (mask.data[at] === 1 ? number : value)) },
      start,
      drawn,
    );
  }
  return { labelled: prepareChannels([scan], grid, scalingsOf(plan)), numbers: prepareLabel(drawn, grid) };
}

/** Judges weights by the held-out nodes. Release it when done. */
interface Judge {
  /** Of the held-out nodes. */
  readonly numbers: readonly number[];
  scores(state: TrainingState, step: TrainingStep): Promise<readonly number[]>;
  scoresOf(weights: ReturnType<typeof averagedInputs>): Promise<readonly number[]>;
  release(): Promise<void>;
}

/**
 * The DSC of each held-out node in a patch around it, where other nodes do not count; of a promptable model, after one
 * click into it.
 */
async function openJudge(
  scan: ReturnType<typeof prepared>["labelled"],
  numbers: Uint8Array,
  plan: Plan,
  nodes: readonly LearningNode[],
  runtime: Runtime,
): Promise<Judge> {
  const heldOut = nodes.filter(({ isHeldOut }) => isHeldOut).map(({ number }) => number);
  const patches = heldOut.map((number) => patchAround(scan, numbers, number, plan));
  const isPromptable = plan.clickMaps !== undefined;
  const model = forwardModel(
    (image, builder) => buildNetwork(plan.network, image, builder),
    [1, plan.network.configuration.inputs, ...plan.patchSize],
  );
  const session: Session = await runtime.createSession(model, {});
  const scoresOf: Judge["scoresOf"] = async (constants) => {
    const scores: number[] = [];
    for (const patch of patches) {
      const options = { ...plan, overlap: 0, constants };
      scores.push(
        isPromptable
          ? (await meanClickDsc(clickTargets([patch], plan, 1), session, options, 1))[0]
          : await meanDsc([patch], session, options),
      );
    }
    return scores;
  };
  return {
    numbers: heldOut,
    scoresOf,
    scores: (state, step) => scoresOf(averagedInputs(state, step)),
    release: () => session.release(),
  };
}

/** @throws InputError where the node has no voxel on the working grid */
function patchAround(
  { hu, ...grid }: ReturnType<typeof prepared>["labelled"],
  numbers: Uint8Array,
  number: number,
  plan: Plan,
): LabelledScan {
  const [depth, height, width] = plan.patchSize;
  const [nx, ny] = grid.size;
  let [i, j, k, voxels] = [0, 0, 0, 0];
  for (let at = 0; at < numbers.length; at++) {
    if (numbers[at] !== number) continue;
    i += at % nx;
    j += Math.floor(at / nx) % ny;
    k += Math.floor(at / (nx * ny));
    voxels++;
  }
  if (voxels === 0)
    throw new InputError(
      `Node ${number} is smaller than a voxel of the model, so it cannot be held out; hold another one out.`,
    );
  const size: Vector3 = [width, height, depth];
  const start = nodeCropStart([i / voxels, j / voxels, k / voxels], size);
  const image = crop({ ...grid, data: hu }, start, size, outsideOf(scalingsOf(plan)[0]));
  const label = crop({ ...grid, data: numbers }, start, size, 0).data.map((value) =>
    value === number ? 1 : value === 0 ? 0 : IGNORED,
  );
  return { size, spacingMm: grid.spacingMm, hu: image.data, label };
}

const pointOf = ({ step, loss, validationDsc }: LogEntry): LearningPoint => ({
  step,
  ...(loss === undefined ? {} : { loss }),
  ...(validationDsc === undefined ? {} : { heldOutDsc: validationDsc }),
});

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
