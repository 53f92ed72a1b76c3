// One class and one channel give what they gave before there could be several: figures stored then.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { predictProbability } from "../inference/sliding-window.js";
import { diceCrossEntropyLoss } from "../losses/segmentation.js";
import { buildNetwork, type NetworkSpecification } from "../networks/catalogue.js";
import { lnsnetDefaults } from "../networks/lnsnet.js";
import { nodeRuntime } from "../runtime/node.js";
import { defaultAugmentation } from "../transforms/augmentation.js";
import { IGNORED } from "../transforms/label-scheme.js";
import { prepareImage } from "../transforms/preprocess.js";
import type { Volume } from "../volume/volume.js";
import { drawSample, prepareCase } from "./sampler.js";
import { buildTrainingStep } from "./step.js";
import { Trainer } from "./trainer.js";

const window = { lowHu: -160, highHu: 240 };
const size = [24, 20, 18] as const;
const patchSize = [16, 16, 16] as const;

/** Waves of density, and a ball of label beside a corner that is ignored. */
const voxels = (value: (i: number, j: number, k: number) => number): number[] =>
  Array.from({ length: size[0] * size[1] * size[2] }, (_, n) =>
    value(n % size[0], Math.floor(n / size[0]) % size[1], Math.floor(n / (size[0] * size[1]))),
  );
const scan: Volume = {
  size,
  spacingMm: [1, 1, 1.5],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data: Int16Array.from(voxels((i, j, k) => ((37 * i + 53 * j + 71 * k) % 400) - 180)),
};
const prepared = prepareImage(scan, [1, 1, 1.5], window);
const label = Uint8Array.from(
  voxels((i, j, k) => (i + j + k < 6 ? IGNORED : Math.hypot(i - 14, j - 9, k - 8) < 4 ? 1 : 0)),
);
const cases = [prepareCase("one", prepared, label)];
const sampler = { patchSize, window, foregroundShare: 0.6, augmentation: defaultAugmentation };
const samples = Array.from({ length: 12 }, (_, index) => drawSample(1, index, cases, sampler));

const hashOf = (arrays: readonly Float32Array[]): string => {
  const hash = createHash("sha256");
  for (const array of arrays) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest("hex").slice(0, 16);
};

test("samples of a run", () => {
  expect(hashOf(samples.flatMap(({ image, label }) => [image, label]))).toBe("a9f03fc6a5cbd062");
});

test("the probability of a sliding window", async () => {
  const density = {
    run: async ({ image }: { image?: { data: Float32Array } }) => ({
      logits: { shape: [1, 1, ...patchSize], data: (image?.data ?? new Float32Array()).map((x) => 3 * x) },
    }),
  };
  const options = { patchSize, window, overlap: 0.5, mirrored: true };
  const [{ probability }] = await predictProbability(prepared, [density as never], options);
  expect(hashOf([probability.data])).toBe("cf5914ff350773e7");
});

test("the losses of a training", async () => {
  const network: NetworkSpecification = {
    name: "lnsnet",
    configuration: { ...lnsnetDefaults, stages: [4, 8], depths: [1, 1], decoderDepth: 1 },
  };
  const step = buildTrainingStep((image, builder) => buildNetwork(network, image, builder), {
    imageShape: [1, 1, ...patchSize],
    loss: diceCrossEntropyLoss,
    optimizer: { weightDecay: 0.01, clipNorm: 1 },
    accumulation: 1,
  });
  const trainer = await Trainer.create(nodeRuntime, step, { seed: 1, threads: 1, averageDecay: 0.998 });
  const losses: number[] = [];
  for (const { image, label } of samples.slice(0, 4)) {
    const counted = label.map((value) => Math.max(0, value));
    losses.push((await trainer.step([{ image, label: counted }], 1e-2)).loss);
  }
  await trainer.release();
  expect(losses).toEqual([1.625257, 1.425418, 1.3129, 1.234631].map((loss) => expect.closeTo(loss, 5)));
});
