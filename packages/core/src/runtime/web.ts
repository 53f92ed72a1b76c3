// Runs models with onnxruntime-web: in WebAssembly or on WebGPU.
import * as ort from "onnxruntime-web/webgpu";
import { openSession } from "./onnxruntime.js";
import type { Device, DeviceChoice, Runtime, Session } from "./types.js";

/** The only part of the browser's interface that the library uses. */
declare const navigator:
  | { readonly gpu?: { requestAdapter(): Promise<{ readonly info: AdapterInfo } | null> } }
  | undefined;

interface AdapterInfo {
  /** Whether the adapter is a software renderer. */
  readonly isFallbackAdapter?: boolean;
}

const providers: Readonly<Record<Device, string | null>> = { cpu: "wasm", webgpu: "webgpu", cuda: null };

/**
 * onnxruntime-web in a browser. `auto` is WebGPU if its adapter is hardware. The number of threads is fixed by the first
 * session of a page, and several threads need a cross-origin isolated page; 0 leaves it to onnxruntime-web. A session whose
 * graphics card is lost goes on on the CPU, and says so in its note.
 */
export const webRuntime: Runtime = {
  async createSession(model, { threads = 0, device = "cpu" } = {}) {
    if (threads > 0) ort.env.wasm.numThreads = threads;
    const automatic: Device[] = device === "auto" && (await hasGraphicsCard()) ? ["webgpu"] : ["cpu"];
    const open = (device: DeviceChoice) =>
      openSession(ort, model, device, automatic, (device) => {
        const provider = providers[device];
        if (provider === null) throw new Error("browsers do not have it");
        return { executionProviders: [provider], enableMemPattern: false, graphOptimizationLevel: "all" };
      });
    return withoutLoss(await open(device), () => open("cpu"));
  },
};

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
