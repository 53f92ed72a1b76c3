// Small networks that tell implanted nodes from own tissue, built and trained as every network here is.
import { gelu, mean, reshape, type Value, within } from "@lnsnet/core/graph";
import { binaryCrossEntropyLoss } from "@lnsnet/core/losses";
import { convolutionLayer, type NetworkBuilder } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import {
  averagedInputs,
  type BuildNetwork,
  buildTrainingStep,
  forwardModel,
  Trainer,
} from "@lnsnet/core/training";
import { indexedStream, uniformWhole } from "@lnsnet/core/transforms";
import { deviationOf, EDGE, featureNames, meanOf, type Specimen } from "./realism-specimens.js";

const BATCH = 16;
const LEARNING_RATE = 6e-3;

/** What a network sees of a specimen, and how it judges it. */
export interface Eye {
  /** [C, D, H, W]. */
  readonly shape: readonly [number, number, number, number];
  /** @param axes bit 0 mirrors x, bit 1 y, bit 2 z */
  readonly see: (specimen: Specimen, axes: number) => Float32Array;
  readonly build: BuildNetwork;
}

/** Sees the patch: three convolutions of stride 2, the mean over what is left, and a logit. */
export const patchEye: Eye = {
  shape: [1, EDGE, EDGE, EDGE],
  see: ({ patch }, axes) => mirrored(patch, axes),
  build: (image, builder) => {
    const features = [8, 16, 32].reduce((x, channels, stage) => {
      const layer = () => convolutionLayer(x, channels, builder, { stride: 2 });
      return gelu(within(`stage${stage}`, layer));
    }, image);
    return logitOf(mean(features, [2, 3, 4]), builder);
  },
};

/** Sees the measurements alone, each by its mean and deviation over the specimens: logistic regression. */
export function measuringEye(specimens: readonly Specimen[]): Eye {
  const scales = featureNames.map((name) => {
    const values = specimens.map(({ features }) => features[name]);
    return { name, mean: meanOf(values), deviation: deviationOf(values) || 1 };
  });
  return {
    shape: [featureNames.length, 1, 1, 1],
    see: ({ features }) =>
      Float32Array.from(scales, ({ name, mean, deviation }) => (features[name] - mean) / deviation),
    build: logitOf,
  };
}

function logitOf(features: Value, builder: NetworkBuilder) {
  const logits = within("head", () => convolutionLayer(features, 1, builder, { kernel: 1 }));
  return { logits: reshape(logits, [features.shape[0], 1, 1, 1, 1]) };
}

/**
 * How implanted each tested specimen looks to a network trained on the others: greater is more.
 *
 * @param settings the seed of weights and batches
 */
export async function suspicions(
  { shape, see, build }: Eye,
  trained: readonly Specimen[],
  tested: readonly Specimen[],
  { steps, seed }: { readonly steps: number; readonly seed: number },
): Promise<number[]> {
  const imageShape = [BATCH, ...shape];
  const optimizer = { weightDecay: 0.05 };
  const step = buildTrainingStep(build, { imageShape, loss: binaryCrossEntropyLoss, optimizer });
  const trainer = await Trainer.create(nodeRuntime, step, { seed, averageDecay: 0.98, threads: 1 });
  const kinds = [true, false].map((isImplant) =>
    trained.filter((specimen) => specimen.isImplant === isImplant),
  );
  const random = indexedStream(seed, 3);
  for (let n = 0; n < steps; n++) {
    const drawn = Array.from({ length: BATCH }, (_, at) => {
      const kind = kinds[at % 2];
      return kind[uniformWhole(random, kind.length)];
    });
    const image = joined(drawn.map((specimen) => see(specimen, uniformWhole(random, 8))));
    const label = Float32Array.from(drawn, ({ isImplant }) => (isImplant ? 1 : 0));
    await trainer.step([{ image, label }], LEARNING_RATE * (1 - n / steps));
  }
  const session = await nodeRuntime.createSession(forwardModel(build, imageShape), { threads: 1 });
  const weights = averagedInputs(trainer.state, step);
  const found: number[] = [];
  for (let first = 0; first < tested.length; first += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, at) => tested[Math.min(first + at, tested.length - 1)]);
    const totals = new Float32Array(BATCH);
    // The mean over all mirror images.
    for (let axes = 0; axes < 8; axes++) {
      const image = joined(batch.map((specimen) => see(specimen, axes)));
      const { logits } = await session.run({ image: { shape: imageShape, data: image }, ...weights });
      for (let at = 0; at < BATCH; at++) totals[at] += logits.data[at] / 8;
    }
    found.push(...totals);
  }
  await session.release();
  await trainer.release();
  return found.slice(0, tested.length);
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.length * parts[0].length);
  parts.forEach((part, at) => {
    all.set(part, at * part.length);
  });
  return all;
}

/** @param axes bit 0 mirrors x, bit 1 y, bit 2 z */
function mirrored(patch: Float32Array, axes: number): Float32Array {
  const result = new Float32Array(patch.length);
  const along = (at: number, bit: number) => ((axes >> bit) & 1 ? EDGE - 1 - at : at);
  let n = 0;
  for (let k = 0; k < EDGE; k++)
    for (let j = 0; j < EDGE; j++)
      for (let i = 0; i < EDGE; i++, n++)
        result[n] = patch[along(i, 0) + EDGE * (along(j, 1) + EDGE * along(k, 2))];
  return result;
}
