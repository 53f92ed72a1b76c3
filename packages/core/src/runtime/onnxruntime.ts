// Opens ONNX Runtime sessions; shared by the builds for Node and for browsers.
import type { InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import { openOnDevice } from "./devices.js";
import type { Device, DeviceChoice, ModelSource, Session } from "./types.js";

/** A build of ONNX Runtime. */
export interface OnnxRuntimeBuild {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
}

/**
 * Loads a model on the requested device, or on the CPU if that device is not available.
 *
 * @param buildFor the build that runs a device; throws where there is none
 * @param autoDevices the devices that `auto` tries, the fastest first
 * @param optionsOf the session options for a device
 */
export async function openSession(
  buildFor: (device: Device) => Promise<OnnxRuntimeBuild>,
  model: ModelSource,
  asked: DeviceChoice,
  autoDevices: readonly Device[],
  optionsOf: (device: Device) => InferenceSession.SessionOptions,
): Promise<Session> {
  const { opened, device, deviceNote } = await openOnDevice(asked, autoDevices, async (device) => {
    const build = await buildFor(device);
    const options = { ...deviceOptions[device], ...optionsOf(device) };
    const bytes = typeof model === "function" ? model(device === "webgpu" ? "webgpu" : "cpu") : model;
    return { build, session: await build.InferenceSession.create(bytes, options) };
  });
  const { build, session } = opened;
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
      const results = await session.run(feeds);
      return Object.fromEntries(
        Object.entries(results).map(([name, { data, dims }]) => {
          if (!(data instanceof Float32Array)) throw new Error(`output ${name} is not float32`);
          return [name, { data, shape: dims }];
        }),
      );
    },
    release: () => session.release(),
  };
}

/** Only fatal errors are printed: all errors are thrown anyway, and a device that is only tried should not print any. */
const deviceOptions: Readonly<Record<Device, InferenceSession.SessionOptions>> = {
  cpu: { logSeverityLevel: 3 },
  // Otherwise operations that the GPU lacks would silently run on the CPU, each with a copy there and back.
  webgpu: { logSeverityLevel: 4, extra: { session: { disable_cpu_ep_fallback: "1" } } },
  cuda: { logSeverityLevel: 4 },
};
