// A promptable network, really trained: further clicks bring its answer nearer to what is meant.

import { clickTargets, meanClickDsc } from "@lnsnet/core/inference";
import { buildNetwork, type NetworkSpecification, networkPresets } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import { drawBatch, prepareCase } from "@lnsnet/core/sampling";
import { averagedInputs, buildTrainingStep, clickBatch, forwardModel, Trainer } from "@lnsnet/core/training";
import { noAugmentation } from "@lnsnet/core/transforms";
import { expect, test } from "vitest";

const edge = 24;
const axes = { originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
const spacingMm = [1, 1, 1] as const;
const window = { lowHu: -160, highHu: 240 };

/** A bar of soft tissue in fat, of which a part is meant: by sight it cannot be told which. */
function bar(id: string, isMeant: (i: number) => boolean) {
  const hu = new Int16Array(edge ** 3).fill(-100);
  const label = new Uint8Array(edge ** 3);
  for (let k = 8; k < 16; k++)
    for (let j = 8; j < 16; j++)
      for (let i = 2; i < 22; i++) {
        const at = i + edge * (j + edge * k);
        hu[at] = 50;
        if (isMeant(i)) label[at] = 1;
      }
  return prepareCase(id, { ...axes, size: [edge, edge, edge], spacingMm, hu }, label);
}

test("a second click changes the answer in the right direction", async () => {
  const preset = networkPresets["lnsnet-small"];
  const configuration = { ...preset.configuration, inputs: 3, stages: [8, 16], depths: [1, 1], dropPath: 0 };
  const network = { ...preset, configuration } as NetworkSpecification;
  const patchSize = [16, 16, 24] as const;
  const plan = { patchSize, window, clickMaps: { radiusMm: 6 } };
  const cases = [bar("whole", () => true), bar("left", (i) => i < 12), bar("right", (i) => i >= 12)];
  const build: Parameters<typeof buildTrainingStep>[0] = (image, builder) =>
    buildNetwork(network, image, builder);
  const step = buildTrainingStep(build, { imageShape: [2, 3, ...patchSize] });
  const trainer = await Trainer.create(nodeRuntime, step, { seed: 1, threads: 1, averageDecay: 0.9 });
  const sampler = { ...plan, foregroundShare: 1, augmentation: noAugmentation };
  const session = await nodeRuntime.createSession(forwardModel(build, [1, 3, ...patchSize]), { threads: 1 });
  for (let n = 0; n < 150; n++) {
    const batch = drawBatch({ cases, seed: 1, batchSize: 2, sampler }, n);
    const weights = averagedInputs(trainer.state, step);
    await clickBatch(batch, 2 * n, { ...plan, spacingMm, seed: 1 }, session, weights);
    await trainer.step([batch], 0.005 * Math.min(1, (150 - n) / 75));
  }
  const constants = averagedInputs(trainer.state, step);
  const targets = clickTargets(cases, plan, 1);
  const after = await meanClickDsc(targets, session, { ...plan, overlap: 0, constants }, 3);
  await session.release();
  await trainer.release();
  expect(after[0]).toBeGreaterThan(0.5);
  expect(after[1]).toBeGreaterThan(after[0] + 0.05);
  expect(after[2]).toBeGreaterThan(0.85);
}, 300_000);
