// Weights of a trained network to begin another training from.
import { InputError, type TrainingStep } from "@lnsnet/core";
import { partsOf } from "@lnsnet/core/networks";
import { type StartingPoint, startingPoint } from "@lnsnet/core/training";
import { loadModel } from "../files/model-file.js";

/** @throws InputError where the file is no model, or one of another network */
export async function startingWeights(path: string, step: TrainingStep): Promise<StartingPoint> {
  const model = await loadModel(path);
  const { parameters, buffers } = partsOf(model.plan.network, model.plan.patchSize);
  const held = new Map([...parameters, ...buffers].map(({ name, shape }) => [name, shape.join("×")]));
  const expectedParts = [...step.parameters, ...step.buffers];
  for (const { name, shape } of expectedParts) {
    const expected = shape.join("×");
    if (held.get(name) === expected) continue;
    throw new InputError(
      `${path} holds weights of another network: ${held.has(name) ? `${name} is ${held.get(name)}, and ${expected} is` : `${name} is missing, and ${expected} are`} expected; give the weights of a network trained with the same --network.`,
    );
  }
  if (held.size !== expectedParts.length)
    throw new InputError(
      `${path} holds weights of another network, of ${held.size} parameters where ${expectedParts.length} are expected; give the weights of a network trained with the same --network.`,
    );
  return startingPoint(model.weights, step);
}
