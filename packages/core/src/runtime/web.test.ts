// The runtime of browsers, run in Node on WebAssembly beside onnxruntime-node.
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { expect, test } from "vitest";
import { networkPresets } from "../networks/catalogue.js";
import { drawnNetwork, greatestGap } from "../networks/drawn-network.test-helper.js";
import { type SavedTraining, train } from "../training/loop.js";
import { buildTrainingStep } from "../training/step.js";
import { imageShape, tinyBatch, tinyNetwork } from "../training/tiny-task.test-helper.js";
import { nodeRuntime } from "./node.js";
import type { DeviceChoice } from "./types.js";

// Node 20's optimising compiler holds the process up over these 27 MB for minutes; unoptimised they start in seconds.
setFlagsFromString("--liftoff-only");
// Where it finds itself in Node, onnxruntime-web's bundle for browsers asks for Node's modules by a global `require`.
Object.assign(globalThis, { require: createRequire(import.meta.url) });
const { webRuntime } = await import("./web.js");

test("the small LNSNet's logits are those of onnxruntime-node", async () => {
  const { model, image } = drawnNetwork(networkPresets["lnsnet-small"], [16, 16, 16]);
  const results = [];
  for (const runtime of [webRuntime, nodeRuntime]) {
    const session = await runtime.createSession(model, { threads: 1 });
    results.push((await session.run({ image })).logits);
    await session.release();
  }
  expect(results[0].shape).toEqual([1, 1, 16, 16, 16]);
  expect(Math.max(...results[1].data.map(Math.abs))).toBeGreaterThan(0.1);
  expect(greatestGap(results[0], results[1])).toBeLessThan(1e-4);
});

test.each<[DeviceChoice, RegExp]>([
  ["cpu", /^The CPU is used, as requested\.$/],
  ["auto", /^The CPU is used, the fastest device found\.$/],
  ["webgpu", /^WebGPU cannot be used here \(.+\), so the CPU is used\.$/],
  ["cuda", /^CUDA cannot be used here \(browsers do not have it\), so the CPU is used\.$/],
])("where WebAssembly is all there is, %s is the CPU", async (asked, note) => {
  const { model, image } = drawnNetwork(networkPresets["lnsnet-small"], [8, 8, 8]);
  const session = await webRuntime.createSession(model, { device: asked, threads: 1 });
  expect(session.device).toBe("cpu");
  expect(session.deviceNote).toMatch(note);
  expect((await session.run({ image })).logits.data).toHaveLength(512);
  await session.release();
});

test("training is the same function, with the losses and weights of onnxruntime-node", async () => {
  const step = buildTrainingStep(tinyNetwork, { imageShape });
  const results: SavedTraining[] = [];
  for (const runtime of [webRuntime, nodeRuntime]) {
    const place = { save: async () => {}, saveBest: async () => {} };
    const batches = { next: async (index: number) => tinyBatch(index) };
    const host = { runtime, place, batches, nowSeconds: () => 0 };
    results.push(await train(step, { steps: 4, seed: 7, threads: 1 }, host));
  }
  const [web, node] = results;
  expect(web.state.step).toBe(4);
  expect(web.history.steps[0].loss).toBeCloseTo(node.history.steps[0].loss, 5);
  web.state.theta.forEach((weight, n) => {
    expect(weight).toBeCloseTo(node.state.theta[n], 5);
  });
});
