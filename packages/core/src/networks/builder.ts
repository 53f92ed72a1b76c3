// Makes parameters, random masks and running statistics for a network that is being built, and lists them.
import type { Value } from "../graph/graph.js";
import { scopedName } from "../graph/graph.js";
import { input, leafName, parameter } from "../graph/operations/leaves.js";
import type { Shape } from "../graph/shape.js";
import type { Initial } from "./initialization.js";

export interface ParameterEntry {
  readonly name: string;
  readonly shape: Shape;
  readonly initial: Initial;
  /** Whether weight decay applies: to weights of convolutions and linear layers, not to norms and biases. */
  readonly decays: boolean;
  readonly value: Value;
}

/** A random 0/1 mask that the host draws at each step: 1 with probability `keep`, scaled by 1/keep. */
export interface MaskEntry {
  readonly name: string;
  readonly shape: Shape;
  readonly keep: number;
  readonly value: Value;
}

/** A running statistic: not trained, given at each step and returned as `next`. */
export interface BufferEntry {
  readonly name: string;
  readonly shape: Shape;
  readonly initial: number;
  readonly value: Value;
  next: Value;
}

/** Collects what one network is made of. One builder builds one network. */
export class NetworkBuilder {
  readonly parameters: ParameterEntry[] = [];
  readonly masks: MaskEntry[] = [];
  readonly buffers: BufferEntry[] = [];

  /** @param training whether random masks apply and batch statistics are used. */
  constructor(readonly training: boolean) {}

  /** A weight of a convolution or linear layer, which decays. */
  weight(name: string, shape: Shape, initial: Initial): Value {
    return this.add(name, shape, initial, true);
  }

  /** A bias, zero at first unless said otherwise; it does not decay. */
  bias(name: string, channels: number, initial: Initial = { kind: "constant", value: 0 }): Value {
    return this.add(name, [channels], initial, false);
  }

  /** Scale (one at first) and shift (zero) of a norm, named `weight` and `bias`. */
  affine(channels: number): { weight: Value; bias: Value } {
    return {
      weight: this.add("weight", [channels], { kind: "constant", value: 1 }, false),
      bias: this.add("bias", [channels], { kind: "constant", value: 0 }, false),
    };
  }

  /** Any other parameter, such as a position embedding; it does not decay. */
  parameter(name: string, shape: Shape, initial: Initial): Value {
    return this.add(name, shape, initial, false);
  }

  /** A random mask, or null where nothing is dropped: in inference, and at a rate of 0. */
  mask(name: string, shape: Shape, rate: number): Value | null {
    if (!this.training || rate === 0) return null;
    const fullName = scopedName(name);
    const value = input(fullName, shape);
    this.masks.push({ name: fullName, shape, keep: 1 - rate, value });
    return value;
  }

  /** A running statistic; set `next` on the entry in training. */
  buffer(name: string, shape: Shape, initial: number): BufferEntry {
    const fullName = scopedName(name);
    const value = input(fullName, shape);
    const entry: BufferEntry = { name: fullName, shape, initial, value, next: value };
    this.buffers.push(entry);
    return entry;
  }

  private add(name: string, shape: Shape, initial: Initial, decays: boolean): Value {
    const value = parameter(name, shape);
    this.parameters.push({ name: leafName(value), shape, initial, decays, value });
    return value;
  }
}
