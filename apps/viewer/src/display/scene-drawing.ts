// Starts the worker that draws in 3D.
import { proxy, transfer, wrap } from "comlink";
import type { SceneView } from "./scene.js";
import type { SceneState, SceneWorker } from "./scene-worker.js";
import type { BodyMask } from "./surface.js";

/** A 3D picture, drawn by a worker until it is ended. Masks are gone afterwards: their voxels are the worker's. */
export interface SceneDrawing {
  setBone(mask: BodyMask): Promise<void>;
  setNode(number: number, mask: BodyMask | null): Promise<void>;
  draw(view: SceneView): Promise<void>;
  end(): void;
}

/** @param canvas is the worker's from now on */
export async function startSceneDrawing(
  canvas: HTMLCanvasElement,
  tell: (state: SceneState) => void,
): Promise<SceneDrawing> {
  const worker = new Worker(new URL("./scene-worker.ts", import.meta.url), { type: "module" });
  const remote = wrap<SceneWorker>(worker);
  const offscreen = canvas.transferControlToOffscreen();
  await remote.open(transfer(offscreen, [offscreen]), proxy(tell));
  return {
    setBone: (mask) => remote.setBone(transfer(mask, [mask.data.buffer])),
    setNode: (number, mask) =>
      remote.setNode(number, mask === null ? null : transfer(mask, [mask.data.buffer])),
    draw: (view) => remote.draw(view),
    end: () => worker.terminate(),
  };
}
