// Numbers of a configuration. Their limits are beyond any network that fits a machine: a file of a few bytes cannot ask
// for a billion of anything.
import { z } from "zod";

const upTo = (greatest: number) => z.int().positive().max(greatest);

/** Channels of features. */
export const channels = upTo(4096);

/** Channels of the image. */
export const inputs = upTo(64);

/** The fields that every configuration has. */
export const common = {
  /** Channels of the image; 1 for CT. */
  inputs: inputs.default(1),
  /** Channels of the logits. */
  classes: upTo(256).default(1),
};

/** How often something is repeated; may be none. */
export const repeats = z.int().min(0).max(100);

/** Edge of a kernel that has a middle voxel. */
export const oddKernel = upTo(15).refine((edge) => edge % 2 === 1, "is even");

/** Edges of a kernel along depth, height and width. */
export const oddKernels = z.tuple([oddKernel, oddKernel, oddKernel]).readonly();

/** A small multiple, such as an expansion. */
export const multiple = upTo(16);

/** The rate at which something is dropped in training. */
export const dropRate = z.number().min(0).lt(1);

const oneOrTwo = z.union([z.literal(1), z.literal(2)]);

/** What a stage divides depth, height and width by. */
export const stride = z.tuple([oneOrTwo, oneOrTwo, oneOrTwo]).readonly();
