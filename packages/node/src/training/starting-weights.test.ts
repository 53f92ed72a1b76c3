// What a training begins from: a promptable network that begins as a finder answers as the finder does, whatever is clicked.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plan } from "@lnsnet/core/models";
import { buildNetwork, inferenceModel } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import { buildTrainingStep, namedWeights } from "@lnsnet/core/training";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { afterAll, beforeAll, expect, test } from "vitest";
import { densityModel } from "../density-model.test-helper.js";
import { saveModel } from "../files/model-file.js";
import { startingWeights } from "./starting-weights.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-starting-"));
});
afterAll(() => rm(folder, { recursive: true }));

const patchSize = [8, 8, 8] as const;
const voxels = 512;

async function answer(
  network: Plan["network"],
  weights: ReadonlyMap<string, Float32Array>,
  data: Float32Array,
) {
  const shape = [1, data.length / voxels, ...patchSize];
  const session = await nodeRuntime.createSession(inferenceModel(network, shape, weights), { threads: 1 });
  const { logits } = await session.run({ image: { shape, data } });
  await session.release();
  return logits.data;
}

test("a promptable network begins as the finder that it is given", async () => {
  const finder = densityModel();
  const path = join(folder, "finder.safetensors");
  await saveModel(path, finder, false);
  const configuration = { ...finder.plan.network.configuration, inputs: 3 };
  const network = { ...finder.plan.network, configuration } as Plan["network"];
  const plan: Plan = { ...finder.plan, network, patchSize, clickMaps: { radiusMm: 6 } };
  const step = buildTrainingStep((image, builder) => buildNetwork(network, image, builder), {
    imageShape: [1, 3, ...patchSize],
  });
  const { theta } = await startingWeights(path, plan, step);
  const random = indexedStream(1, 0);
  const input = Float32Array.from({ length: 3 * voxels }, () => uniform(random, -1, 1));
  const begun = await answer(network, namedWeights(theta, step.parameters), input);
  const before = await answer(finder.plan.network, finder.weights, input.subarray(0, voxels));
  for (const [n, value] of before.entries()) expect(begun[n]).toBeCloseTo(value, 4);
  // The other way round there is nothing to begin from.
  const clicked = join(folder, "clicked.safetensors");
  await saveModel(clicked, { plan, steps: 0, weights: namedWeights(theta, step.parameters) }, false);
  const oneChannel = buildTrainingStep(
    (image, builder) => buildNetwork(finder.plan.network, image, builder),
    {
      imageShape: [1, 1, ...patchSize],
    },
  );
  await expect(startingWeights(clicked, { ...finder.plan, patchSize }, oneChannel)).rejects.toThrow(
    /clicked\.safetensors was trained to find the class lymph node in CT, clicks/,
  );
});
