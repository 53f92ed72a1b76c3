// Initial values of parameters: rules by which a host draws them.
import { type Shape, sizeOf } from "../graph/shape.js";

/** The distribution of a parameter's initial values. */
export type Initial =
  | { readonly kind: "constant"; readonly value: number }
  /** Normal about 0; numbers beyond ±`limit` are drawn again. */
  | { readonly kind: "normal"; readonly deviation: number; readonly limit?: number }
  /** Uniform between −`limit` and `limit`. */
  | { readonly kind: "uniform"; readonly limit: number };

/** Initial values of a layer's weight and bias, from the weight's shape and the number of inputs that one output sums. */
export interface Initialization {
  readonly weight: (fanIn: number, shape: Shape) => Initial;
  readonly bias: (shape: Shape) => Initial;
}

const constant = (value: number): Initial => ({ kind: "constant", value });

/** All zero, for a head that is not to disturb what is in front of it from the first step on. */
export const zeros: Initialization = { weight: () => constant(0), bias: () => constant(0) };

/** Normal of deviation 1/√fanIn (LeCun 1998), for layers without a rectifier behind them; biases are zero. */
export const lecun: Initialization = {
  weight: (fanIn) => ({ kind: "normal", deviation: 1 / Math.sqrt(fanIn) }),
  bias: () => constant(0),
};

/** Normal of deviation √(2/(1 + slope²))/√fanIn for layers before a (leaky) rectifier (He 2015); biases are zero. */
export const he = (slope = 0): Initialization => ({
  weight: (fanIn) => ({ kind: "normal", deviation: Math.sqrt(2 / (1 + slope ** 2)) / Math.sqrt(fanIn) }),
  bias: () => constant(0),
});

/** Uniform within ±√(6/(fanIn + fanOut)) for linear layers [out, in] (Glorot 2010); biases are zero. */
export const xavier: Initialization = {
  weight: (fanIn, [fanOut]) => ({ kind: "uniform", limit: Math.sqrt(6 / (fanIn + fanOut)) }),
  bias: () => constant(0),
};

/** Normal of a given deviation cut at ±2, as vision transformers begin; biases are zero. */
export const truncatedNormal = (deviation: number): Initialization => ({
  weight: () => ({ kind: "normal", deviation, limit: 2 }),
  bias: () => constant(0),
});

/** PyTorch's default: weight and bias uniform within ±1/√(numbers in `weight[0]`), for networks whose reference implementation keeps it. */
export const pytorchDefault: Initialization = {
  weight: (_, shape) => ({ kind: "uniform", limit: 1 / Math.sqrt(sizeOf(shape.slice(1))) }),
  bias: (shape) => ({ kind: "uniform", limit: 1 / Math.sqrt(sizeOf(shape.slice(1))) }),
};

/** PyTorch's `kaiming_normal_`: as {@link he}, with as many inputs as `weight[0]` has numbers, whichever way a convolution goes. */
export const kaimingNormal = (slope = 0): Initialization => ({
  weight: (_, shape) => he(slope).weight(sizeOf(shape.slice(1)), shape),
  bias: () => constant(0),
});
