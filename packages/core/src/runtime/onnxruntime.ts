// What ONNX Runtime's builds for Node and for browsers have in common.
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import { openOnDevice } from "./devices.js";
import type { Device, DeviceChoice, ModelSource, Session } from "./types.js";

/** A build of ONNX Runtime. */
export interface OnnxRuntimeBuild {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/**
 * Loads a model on the device asked for, or else on the CPU.
 *
 * @param automatic what `auto` stands for, the fastest first
 * @param optionsOf what the build is told for a device; throws where it never has that device
 */
export async function openSession(
  build: OnnxRuntimeBuild,
  model: ModelSource,
  asked: DeviceChoice,
  automatic: readonly Device[],
  optionsOf: (device: Device) => InferenceSession.SessionOptions,
): Promise<Session> {
  const { opened, device, deviceNote } = await openOnDevice(asked, automatic, (device) => {
    const options = { ...deviceOptions[device], ...optionsOf(device) };
    const bytes = typeof model === "function" ? model(device === "webgpu" ? "webgpu" : "cpu") : model;
    return build.InferenceSession.create(bytes, options);
  });
  return {
    device,
    deviceNote,
    async run(inputs) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, { data, shape }]) => [
          name,
          new build.Tensor("float32", data, [...shape]),
        ]),
      );
      const results = await opened.run(feeds);
      return Object.fromEntries(
        Object.entries(results).map(([name, { data, dims }]) => {
          if (!(data instanceof Float32Array)) throw new Error(`output ${name} is not float32`);
          return [name, { data, shape: dims }];
        }),
      );
    },
    release: () => opened.release(),
  };
}

/** Errors are thrown, and printed as well where a device is only tried: hence the level of fatal ones. */
const deviceOptions: Readonly<Record<Device, InferenceSession.SessionOptions>> = {
  cpu: { logSeverityLevel: 3 },
  // Nodes that the GPU lacks would run on the CPU unnoticed, each with a copy there and back.
  webgpu: { logSeverityLevel: 4, extra: { session: { disable_cpu_ep_fallback: "1" } } },
  cuda: { logSeverityLevel: 4 },
};
