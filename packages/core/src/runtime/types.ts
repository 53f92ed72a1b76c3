// What a runtime offers: a model in, a session that runs it. No import of onnxruntime here.
import type { Shape } from "../graph/shape.js";

/** A float32 tensor between us and a runtime, row-major. */
export interface RuntimeTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** A loaded model. Inputs and outputs are addressed by name. */
export interface Session {
  /**
   * Runs the model. `into` may name memory of ours for outputs, which spares the runtime an allocation and a copy;
   * it must not be memory that the same run reads.
   */
  run(
    inputs: Readonly<Record<string, RuntimeTensor>>,
    into?: Readonly<Record<string, RuntimeTensor>>,
  ): Promise<Readonly<Record<string, RuntimeTensor>>>;
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Threads of one operation; 0 leaves it to the runtime. */
  readonly threads?: number;
}

/** Makes sessions on one device. */
export interface Runtime {
  createSession(model: Uint8Array, options?: SessionOptions): Promise<Session>;
}
