// Ten steps of training a small LNSNet with the default settings, beside PyTorch's (fixtures/training).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readSafetensors } from "../formats/safetensors.js";
import { buildNetwork, networkSchema } from "../networks/catalogue.js";
import { nodeRuntime } from "../runtime/node.js";
import { learningRateAt, usualSchedule } from "./schedule.js";
import { buildTrainingStep } from "./step.js";
import { startingPoint, Trainer } from "./trainer.js";
import { namedWeights } from "./weights.js";

const path = new URL("../../../../fixtures/training/lnsnet-trace.safetensors", import.meta.url);
const { tensors, metadata } = readSafetensors(readFileSync(path), "lnsnet-trace.safetensors");
const numbers = (name: string): number[] => Array.from(tensors.get(name)?.data ?? [], Number);
const floats = (name: string): Float32Array => Float32Array.from(numbers(name));

test("losses, gradient norms, weights and their average are PyTorch's", async () => {
  const network = networkSchema.parse({ name: "lnsnet", configuration: JSON.parse(metadata.configuration) });
  const step = buildTrainingStep((image, builder) => buildNetwork(network, image, builder), {
    imageShape: tensors.get("x.0")?.shape ?? [],
  });
  const weights = new Map(step.parameters.map(({ name }) => [name, floats(`p.${name}`)]));
  const start = startingPoint(weights, step);
  const trainer = await Trainer.create(nodeRuntime, step, { seed: 0, threads: 1, start });
  const steps = 10;
  const schedule = usualSchedule(steps);
  for (let at = 0; at < steps; at++) {
    const batch = { image: floats(`x.${at % 3}`), label: floats(`label.${at % 3}`) };
    const { loss, norm } = await trainer.step([batch], learningRateAt(at, schedule));
    expect(Math.abs(loss / numbers("loss")[at] - 1), `loss ${at}`).toBeLessThan(4e-6);
    expect(Math.abs(norm / numbers("norm")[at] - 1), `norm ${at}`).toBeLessThan(4e-6);
  }
  const zeroGradient: string[] = JSON.parse(metadata.zero_gradient);
  for (const [prefix, theta] of [
    ["after", trainer.state.theta],
    ["average", trainer.state.average],
  ] as const)
    for (const [name, found] of namedWeights(theta, step.parameters)) {
      if (zeroGradient.includes(name)) continue;
      const gaps = numbers(`${prefix}.${name}`).map((value, n) => Math.abs(value - found[n]));
      expect(Math.max(...gaps), `${prefix}.${name}`).toBeLessThan(2e-6);
    }
  await trainer.release();
});
