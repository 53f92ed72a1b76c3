// What a runtime offers: a model in, a session that runs it. No import of onnxruntime here.
import type { Target } from "../graph/graph.js";
import type { Shape } from "../graph/shape.js";

/** A float32 tensor between us and a runtime, row-major. */
export interface RuntimeTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** What may be asked for: a device, or the fastest that is there. */
export const deviceChoices = ["auto", "cpu", "webgpu", "cuda"] as const;
export type DeviceChoice = (typeof deviceChoices)[number];
/** What computes. A browser's CPU is reached through WebAssembly. */
export type Device = Exclude<DeviceChoice, "auto">;

/** A loaded model. Inputs and outputs are addressed by name. */
export interface Session {
  /** Where it runs: every node of the model on WebGPU, nodes that CUDA lacks on the CPU. */
  readonly device: Device;
  /** One sentence: the device used, and why it is not the one asked for. */
  readonly deviceNote: string;
  run(inputs: Readonly<Record<string, RuntimeTensor>>): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Threads of one operation; 0 for one a core. */
  readonly threads?: number;
  /**
   * The CPU by default. In place of a device that cannot be had the CPU is used, and {@link Session.deviceNote} says so.
   */
  readonly device?: DeviceChoice;
}

/** An ONNX model; or what writes it, where it may run on a device that needs operations of its own. */
export type ModelSource = Uint8Array | ((target: Target) => Uint8Array);

/** Makes sessions. */
export interface Runtime {
  /** @throws Error where the CPU cannot run the model either */
  createSession(model: ModelSource, options?: SessionOptions): Promise<Session>;
}
