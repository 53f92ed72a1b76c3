// Starts the worker that makes surfaces.
import { transfer, wrap } from "comlink";
import type { Body, BodyMask } from "./surface.js";
import type { SurfaceWorker } from "./surface-worker.js";

/** A worker that makes surfaces until it is ended. */
export interface Surfacing {
  /** @param mask is gone afterwards: its voxels are the worker's */
  bodyOf(mask: BodyMask): Promise<Body>;
  end(): void;
}

export function startSurfacing(): Surfacing {
  const worker = new Worker(new URL("./surface-worker.ts", import.meta.url), { type: "module" });
  const remote = wrap<SurfaceWorker>(worker);
  return {
    bodyOf: (mask) => remote.bodyOf(transfer(mask, [mask.data.buffer])),
    end: () => worker.terminate(),
  };
}
