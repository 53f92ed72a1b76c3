// Optimisers over flat vectors: the whole of a network's weights is one vector, so each rule is a dozen operations.
import type { Value } from "./graph.js";
import { add, divide, maximum, multiply, reciprocal, sqrt, subtract } from "./operations/elementwise.js";
import { reshape } from "./operations/layout.js";
import { sum } from "./operations/reduction.js";

/** √Σg² of a vector, of shape []. */
export function globalNorm(gradient: Value): Value {
  return reshape(sqrt(sum(multiply(gradient, gradient), [0])), []);
}

/** The gradient scaled so that its norm is at most `limit`, as PyTorch clips: g · min(1, limit / (norm + 1e-6)). */
export function clipByNorm(gradient: Value, norm: Value, limit: number): Value {
  // min(1, limit / n) = 1 / max(1, n / limit)
  return multiply(gradient, reciprocal(maximum(multiply(add(norm, 1e-6), 1 / limit), 1)));
}

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export interface AdamWState {
  readonly theta: Value;
  readonly m: Value;
  readonly v: Value;
}

/** What weight decay leaves of a weight in one step, 1 − η·decay, of shape []. */
export const keptByDecay = (decay: number, learningRate: Value): Value =>
  subtract(1, multiply(decay, learningRate));

/**
 * One step of AdamW (Loshchilov 2019, as PyTorch): decay is decoupled, θ ← θ·(1 − η·decay) before the update.
 * @param kept what decay leaves of each weight, 1 − η·decay, [count] or [], see {@link keptByDecay}.
 * @param learningRate η, of shape [].
 * @param correction1 1 − β₁ᵗ at step t, of shape []; the host knows t. `correction2` is 1 − β₂ᵗ.
 */
export function adamW(
  { theta, m, v }: AdamWState,
  gradient: Value,
  {
    kept,
    learningRate,
    correction1,
    correction2,
  }: Readonly<Record<"kept" | "learningRate" | "correction1" | "correction2", Value>>,
  { beta1, beta2, epsilon }: AdamWOptions,
): AdamWState {
  const nextM = add(multiply(m, beta1), multiply(gradient, 1 - beta1));
  const nextV = add(multiply(v, beta2), multiply(multiply(gradient, gradient), 1 - beta2));
  const deviation = add(multiply(sqrt(nextV), reciprocal(sqrt(correction2))), epsilon);
  const update = divide(multiply(nextM, divide(learningRate, correction1)), deviation);
  return { theta: subtract(multiply(theta, kept), update), m: nextM, v: nextV };
}

/** One step of gradient descent with Nesterov momentum and L2 decay, as PyTorch's SGD. */
export function nesterov(
  { theta, momentum }: { readonly theta: Value; readonly momentum: Value },
  gradient: Value,
  {
    learningRate,
    factor,
    decay,
  }: { readonly learningRate: Value; readonly factor: number; readonly decay: number },
): { theta: Value; momentum: Value } {
  const decayed = add(gradient, multiply(theta, decay));
  const nextMomentum = add(multiply(momentum, factor), decayed);
  const direction = add(decayed, multiply(nextMomentum, factor));
  return { theta: subtract(theta, multiply(direction, learningRate)), momentum: nextMomentum };
}

/** average + (1 − keep)·(θ − average): the exponential moving average of the weights; `keep` of shape []. */
export function movingAverage(average: Value, theta: Value, keep: Value): Value {
  return add(theta, multiply(subtract(average, theta), keep));
}
