// Runs models with onnxruntime-web: in WebAssembly or on WebGPU.
import { oneAtATime } from "./one-at-a-time.js";
import { type OnnxRuntimeBuild, openSession } from "./onnxruntime.js";
import type { Device, DeviceChoice, Runtime, Session } from "./types.js";

/** The only part of the browser's interface that the library uses. */
declare const navigator:
  | { readonly gpu?: { requestAdapter(): Promise<{ readonly info: AdapterInfo } | null> } }
  | undefined;

interface AdapterInfo {
  /** Whether the adapter is a software renderer. */
  readonly isFallbackAdapter?: boolean;
}

/** The build without WebGPU is half as large, is ready in two seconds in place of five, and computes a fifth faster. */
const builds = {
  cpu: () => import("onnxruntime-web/wasm"),
  webgpu: () => import("onnxruntime-web/webgpu"),
  cuda: () => Promise.reject(new Error("browsers do not have it")),
};

/**
 * onnxruntime-web in a browser. `auto` is WebGPU if its adapter is hardware. The number of threads is fixed by the first
 * session of a page, and several threads need a cross-origin isolated page; 0 leaves it to onnxruntime-web. A session whose
 * graphics card is lost goes on on the CPU, and says so in its note. Sessions that are asked at once compute one after another.
 */
export const webRuntime: Runtime = oneAtATime({
  async createSession(model, { threads = 0, device = "cpu" } = {}) {
    const automatic: Device[] = device === "auto" && (await hasGraphicsCard()) ? ["webgpu"] : ["cpu"];
    const buildFor = async (device: Device): Promise<OnnxRuntimeBuild> => {
      const build = await builds[device]();
      if (threads > 0) build.env.wasm.numThreads = threads;
      return build;
    };
    const open = (device: DeviceChoice) =>
      openSession(buildFor, model, device, automatic, (device) => ({
        executionProviders: [device === "cpu" ? "wasm" : device],
        enableMemPattern: false,
        graphOptimizationLevel: "all",
      }));
    return withoutLoss(await open(device), () => open("cpu"));
  },
});

/** A session that goes on on the CPU when the graphics card fails, as after a reset or when another program takes it. */
function withoutLoss(opened: Session, openOnCpu: () => Promise<Session>): Session {
  let session = opened;
  let note: string | null = null;
  return {
    get device() {
      return session.device;
    },
    get deviceNote() {
      return note ?? session.deviceNote;
    },
    async run(inputs) {
      try {
        return await session.run(inputs);
      } catch (error) {
        if (session.device !== "webgpu") throw error;
        // What is left of it cannot be freed.
        await session.release().catch(() => undefined);
        session = await openOnCpu();
        note = "The graphics card stopped, so the CPU is used.";
        return session.run(inputs);
      }
    },
    release: () => session.release(),
  };
}

async function hasGraphicsCard(): Promise<boolean> {
  if (typeof navigator === "undefined") return false;
  const adapter = await navigator.gpu?.requestAdapter();
  return adapter?.info.isFallbackAdapter === false;
}
