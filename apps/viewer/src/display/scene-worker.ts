// Makes surfaces and draws them away from the page's own thread: without a graphics card the processor draws, and would keep
// the page from answering meanwhile.
import { expose } from "comlink";
import { Scene, type SceneView } from "./scene.js";
import { type BodyMask, bodyOf } from "./surface.js";

/** Who draws: the graphics card or the processor; or why nobody does. */
export type SceneState = "card" | "processor" | "lost" | "unavailable";

let scene: Scene | null = null;
let view: SceneView | null = null;
let isDue = false;

function drawSoon(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    if (view !== null) scene?.draw(view);
  });
}

const worker = {
  /** @param tell called now, and whenever the graphics card is lost or comes back; what was drawn is gone then */
  open(canvas: OffscreenCanvas, tell: (state: SceneState) => void): void {
    const start = () => {
      scene = Scene.on(canvas);
      if (scene === null) tell("unavailable");
      else tell(scene.isSlow ? "processor" : "card");
    };
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      scene = null;
      tell("lost");
    });
    canvas.addEventListener("webglcontextrestored", start);
    start();
  },
  setBone(mask: BodyMask): void {
    scene?.setBone(bodyOf(mask));
    drawSoon();
  },
  /** @param mask null takes the node away */
  setNode(number: number, mask: BodyMask | null): void {
    scene?.setNode(number, mask === null ? null : bodyOf(mask));
    drawSoon();
  },
  /** Draws at the next frame; of several views before it, the last one. */
  draw(wanted: SceneView): void {
    view = wanted;
    drawSoon();
  },
};

/** What the page calls. */
export type SceneWorker = typeof worker;

expose(worker);
