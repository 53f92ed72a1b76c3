// The entry of a network in the table of networks: one object, in the network's own file.
import type { z } from "zod";
import type { Value } from "../graph/graph.js";
import type { NetworkBuilder } from "./builder.js";

/** What every configuration states. */
interface CommonConfiguration {
  /** Channels of the input; 1 for CT. */
  readonly inputs: number;
  /** Channels of the logits. */
  readonly classes: number;
}

export interface NetworkOutputs {
  /** [N, classes, D, H, W], of the image's size. */
  readonly logits: Value;
  /** Deep supervision: further logits, each coarser than the one before, that training compares with the label too. */
  readonly coarserLogits?: readonly Value[];
  /** [N, stations, D, H, W], which training alone reads: the station of each foreground voxel. */
  readonly stationLogits?: Value;
}

/** Voxels along depth, height and width. */
export type Size3 = readonly [number, number, number];

export interface Network<Configuration extends CommonConfiguration> {
  /** What tables and messages call it. */
  readonly title: string;
  /** Reads a configuration; what it leaves out takes its default. */
  readonly schema: z.ZodType<Configuration>;
  /** Configurations by the name that a person chooses. */
  readonly presets: Readonly<Record<string, Configuration>>;
  /** Builds the network on an image [N, inputs, D, H, W] whose size {@link Network.divisor} divides. */
  readonly build: (image: Value, configuration: Configuration, builder: NetworkBuilder) => NetworkOutputs;
  /** What depth, height and width must be multiples of. */
  readonly divisor: (configuration: Configuration) => Size3;
  /** How the names begin, up to a dot, of the parameters behind the last decoder features, which fine-tuning of the head trains. */
  readonly head: readonly string[];
}

/** The same divisor for all axes. */
export const cube = (edge: number): Size3 => [edge, edge, edge];

/** What strides one after the other divide depth, height and width by. */
export function productOf(strides: readonly Size3[]): Size3 {
  const along = (axis: 0 | 1 | 2): number => strides.reduce((product, steps) => product * steps[axis], 1);
  return [along(0), along(1), along(2)];
}
