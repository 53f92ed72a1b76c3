// What a measuring process is told, and what both sides have to know.
import type { Shape } from "@lnsnet/core/graph";

/** What a worker is asked to measure; its one argument, as JSON. */
export interface Task {
  /** The network's forward pass, its training step, or what the machine can do. */
  readonly kind: "forward" | "step" | "machine";
  /** The network's preset; nobody reads it of the machine. */
  readonly network: string;
  /** Shape of one batch of images, [N, C, D, H, W]. */
  readonly imageShape: Shape;
  readonly threads: number;
}

/** Edges of the square matrix products that the GEMM rate is taken from, and numbers in each sum for the memory rate. */
export const PRODUCT_EDGES = [1024, 2048];
export const SUM_LENGTH = 2 ** 24;
/** Two vectors read, their sum written and read again. */
export const SUM_BYTES = 4 * SUM_LENGTH * Float32Array.BYTES_PER_ELEMENT;
