// Weights of a trained network to begin another training from.
import { InputError } from "@lnsnet/core/errors";
import { sizeOf } from "@lnsnet/core/graph";
import type { Plan } from "@lnsnet/core/models";
import { partsOf } from "@lnsnet/core/networks";
import { type StartingPoint, startingPoint, type TrainingStep } from "@lnsnet/core/training";
import { channelsOf, inputChannels, labelSchemeOf } from "@lnsnet/core/transforms";
import { loadModel, type StoredModel } from "../files/model-file.js";

/**
 * The weights of a model. A promptable network may begin from one that is not: it then does what that one did, until it
 * has learned what clicks mean.
 *
 * @throws InputError where the file is no model, or one of another network, or of other channels or classes
 */
export async function startingWeights(path: string, plan: Plan, step: TrainingStep): Promise<StartingPoint> {
  const read = await loadModel(path);
  const model =
    plan.clickMaps !== undefined && read.plan.clickMaps === undefined ? withClicks(read, plan) : read;
  requireSameTask(path, model.plan, plan);
  const { parameters, buffers } = partsOf(model.plan.network, model.plan.patchSize);
  const held = new Map([...parameters, ...buffers].map(({ name, shape }) => [name, shape.join("×")]));
  const expectedParts = [...step.parameters, ...step.buffers];
  for (const { name, shape } of expectedParts) {
    const expected = shape.join("×");
    if (held.get(name) === expected) continue;
    throw new InputError(
      `${path} holds weights of another network: ${held.has(name) ? `${name} is ${held.get(name)}, and ${expected} is` : `${name} is missing, and ${expected} are`} expected; give a model of the same network (the option network).`,
    );
  }
  if (held.size !== expectedParts.length)
    throw new InputError(
      `${path} holds weights of another network, of ${held.size} parameters where ${expectedParts.length} are expected; give a model of the same network (the option network).`,
    );
  return startingPoint(model.weights, step);
}

/** A model as one of more input channels, whose weights are 0: clicks change nothing yet. */
function withClicks(model: StoredModel, { clickMaps }: Plan): StoredModel {
  const plan = { ...model.plan, clickMaps };
  const inputs = inputChannels(plan);
  const configuration = { ...plan.network.configuration, inputs };
  const network = { ...plan.network, configuration } as Plan["network"];
  const shapesOf = (of: Plan["network"]) =>
    new Map(partsOf(of, plan.patchSize).parameters.map(({ name, shape }) => [name, shape]));
  const before = shapesOf(model.plan.network);
  const weights = new Map(model.weights);
  for (const [name, shape] of shapesOf(network)) {
    const data = weights.get(name);
    const from = before.get(name);
    if (data === undefined || from === undefined || from.join() === shape.join()) continue;
    // Weights of a convolution: [outputs, inputs, …kernel].
    const [outputs] = shape;
    const longer = new Float32Array(sizeOf(shape));
    for (let output = 0; output < outputs; output++) {
      const own = data.subarray((output * data.length) / outputs, ((output + 1) * data.length) / outputs);
      longer.set(own, (output * longer.length) / outputs);
    }
    weights.set(name, longer);
  }
  return { ...model, plan: { ...plan, network }, weights };
}

/** Names may differ, so that a model can be tuned for a class of another name; numbers and kind may not. */
function requireSameTask(path: string, held: Plan, wanted: Plan): void {
  const shapeOf = (plan: Plan) => {
    const { kind, classes } = labelSchemeOf(plan);
    return `${inputChannels(plan)} ${classes.length} ${classes.length > 1 ? kind : ""}`;
  };
  const inWords = (plan: Plan) => {
    const { kind, classes } = labelSchemeOf(plan);
    const names = classes.map(({ name }) => name).join(", ");
    const found = classes.length === 1 ? `the class ${names}` : `the ${kind} classes ${names}`;
    const inputs = [...channelsOf(plan).map(({ name }) => name), ...(plan.clickMaps ? ["clicks"] : [])];
    return `${found} in ${inputs.join(", ")}`;
  };
  if (shapeOf(held) !== shapeOf(wanted))
    throw new InputError(
      `${path} was trained to find ${inWords(held)}, and this training is for ${inWords(wanted)}; give a model of as many channels and classes.`,
    );
}
