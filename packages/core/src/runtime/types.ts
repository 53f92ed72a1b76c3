// What a runtime offers: a model in, a session that runs it. No import of onnxruntime here.
import type { Shape } from "../graph/shape.js";

/** A float32 tensor between us and a runtime, row-major. */
export interface RuntimeTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** A loaded model. Inputs and outputs are addressed by name. */
export interface Session {
  run(inputs: Readonly<Record<string, RuntimeTensor>>): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Threads of one operation; 0 for one a core. */
  readonly threads?: number;
}

/** Makes sessions on one device. */
export interface Runtime {
  createSession(model: Uint8Array, options?: SessionOptions): Promise<Session>;
}
