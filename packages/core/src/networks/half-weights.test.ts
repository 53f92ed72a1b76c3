// What float16 weights change in a network's logits.
import { expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.js";
import { nodeRuntime } from "../runtime/node.js";
import { networkPresets, partsOf } from "./catalogue.js";
import { drawnNetwork, greatestGap } from "./drawn-network.test-helper.js";
import { inferenceModel } from "./inference-model.js";

test("weights written as float16 move the small LNSNet's logits by less than a half percent of their greatest", async () => {
  const network = networkPresets["lnsnet-small"];
  const { weights, image } = drawnNetwork(network, [16, 16, 16]);
  const tensors = partsOf(network, image.shape.slice(2)).parameters.map(({ name, shape }) => {
    const data = weights.get(name) ?? new Float32Array(0);
    return [name, { dtype: "F16" as const, shape, data }] as const;
  });
  const bytes = writeSafetensors(new Map(tensors));
  const count = tensors.reduce((total, [, { data }]) => total + data.length, 0);
  expect(bytes.length / count).toBeLessThan(2.1);
  const halves = new Map(
    [...readSafetensors(bytes, "half.safetensors").tensors].map(([name, { data }]) => [
      name,
      Float32Array.from(data as Float32Array),
    ]),
  );
  const results = [];
  for (const used of [weights, halves]) {
    const session = await nodeRuntime.createSession(inferenceModel(network, image.shape, used));
    results.push((await session.run({ image })).logits);
    await session.release();
  }
  const gap = greatestGap(results[0], results[1]) / Math.max(...results[0].data.map(Math.abs));
  expect(gap).toBeGreaterThan(0);
  expect(gap).toBeLessThan(0.005);
});
