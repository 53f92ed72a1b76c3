// All weights of a network as one flat vector: its order, its parts by name, and their initial values.
import type { Value } from "../graph/graph.js";
import { reshape, split } from "../graph/operations/layout.js";
import { sizeOf } from "../graph/shape.js";
import type { ParameterEntry } from "../networks/builder.js";
import type { Initial } from "../networks/initialization.js";
import { normal, type RandomGenerator, uniform } from "../random.js";

/** Parameters that decay come first, so that decay is two numbers and not a mask. */
export function inFlatOrder(parameters: readonly ParameterEntry[]): ParameterEntry[] {
  return [...parameters.filter((entry) => entry.decays), ...parameters.filter((entry) => !entry.decays)];
}

/** Length of the flat vector. */
export function flatCount(parameters: readonly ParameterEntry[]): number {
  return parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);
}

/** Each parameter with its part of the flat vector. */
export function viewsOf(theta: Value, parameters: readonly ParameterEntry[]): Map<Value, Value> {
  const parts = split(
    theta,
    0,
    parameters.map(({ shape }) => sizeOf(shape)),
  );
  return new Map(parameters.map(({ value, shape }, index) => [value, reshape(parts[index], shape)]));
}

/** The parts of a flat vector by full name, as views of it. */
export function namedWeights(
  theta: Float32Array,
  parameters: readonly ParameterEntry[],
): Map<string, Float32Array> {
  const named = new Map<string, Float32Array>();
  let offset = 0;
  for (const { name, shape } of parameters) {
    named.set(name, theta.subarray(offset, offset + sizeOf(shape)));
    offset += sizeOf(shape);
  }
  return named;
}

/**
 * Named weights as one flat vector, the inverse of {@link namedWeights}.
 *
 * @throws RangeError where a parameter is missing or of another length
 */
export function flatWeights(
  named: ReadonlyMap<string, Float32Array>,
  parameters: readonly ParameterEntry[],
): Float32Array {
  const theta = new Float32Array(flatCount(parameters));
  for (const [name, part] of namedWeights(theta, parameters)) {
    const weights = named.get(name);
    if (weights?.length !== part.length)
      throw new RangeError(
        `${name} has ${weights?.length ?? "no"} weights, and ${part.length} are expected.`,
      );
    part.set(weights);
  }
  return theta;
}

/** Draws a network's initial weights, in the order of the flat vector. */
export function initialWeights(parameters: readonly ParameterEntry[], random: RandomGenerator): Float32Array {
  const theta = new Float32Array(flatCount(parameters));
  let offset = 0;
  for (const { shape, initial } of parameters) {
    const part = theta.subarray(offset, offset + sizeOf(shape));
    for (let index = 0; index < part.length; index++) part[index] = drawInitial(initial, random);
    offset += part.length;
  }
  return theta;
}

function drawInitial(initial: Initial, random: RandomGenerator): number {
  switch (initial.kind) {
    case "constant":
      return initial.value;
    case "uniform":
      return uniform(random, -initial.limit, initial.limit);
    case "normal": {
      const { deviation, limit = Number.POSITIVE_INFINITY } = initial;
      let value = deviation * normal(random);
      while (Math.abs(value) > limit) value = deviation * normal(random);
      return value;
    }
  }
}
