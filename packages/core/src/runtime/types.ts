// The interface of a runtime, which makes sessions that run models. Does not import onnxruntime.
import type { OnnxTarget } from "../graph/graph.js";
import type { Shape } from "../graph/shape.js";

/** A float32 tensor passed to or from a runtime, row-major. */
export interface RuntimeTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** The choices for a device; "auto" is the fastest available. */
export const deviceChoices = ["auto", "cpu", "webgpu", "cuda"] as const;
export type DeviceChoice = (typeof deviceChoices)[number];
/** Where a model runs. In a browser "cpu" means WebAssembly. */
export type Device = Exclude<DeviceChoice, "auto">;

/** A loaded model. Inputs and outputs are addressed by name. */
export interface Session {
  /** Where it runs: on WebGPU the whole model; on CUDA, operations that CUDA lacks run on the CPU. */
  readonly device: Device;
  /** A sentence: the device used, and why it is not the requested device. */
  readonly deviceNote: string;
  run(inputs: Readonly<Record<string, RuntimeTensor>>): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Threads per operation; 0 means one per core. */
  readonly threads?: number;
  /**
   * The CPU by default. If the device is not available, the CPU is used and {@link Session.deviceNote} says so.
   */
  readonly device?: DeviceChoice;
}

/** An ONNX model; or a function that writes it for the device that it will run on. */
export type ModelSource = Uint8Array | ((target: OnnxTarget) => Uint8Array);

/** Creates sessions. */
export interface Runtime {
  /** @throws Error where not even the CPU can run the model */
  createSession(model: ModelSource, options?: SessionOptions): Promise<Session>;
}
