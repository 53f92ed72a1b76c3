// Draws a plane of a scan with its labels on a canvas.
import type { Volume } from "@lnsnet/core/volume";
import { type LabelPaint, paintLabels } from "./label-paint.js";
import type { PlaneView } from "./plane.js";
import { type IntensityWindow, resliceGrey, resliceLabels } from "./reslice.js";

/** Nodes over a scan. */
export interface LabelOverlay {
  /** On the scan's own grid; 0 where there is no node. */
  readonly labels: Volume<Uint8Array>;
  readonly paint: LabelPaint;
}

/** What a plane shows. */
export interface PlaneContent {
  readonly scan: Volume;
  readonly window: IntensityWindow;
  readonly overlay: LabelOverlay | null;
}

/** Draws on one canvas again and again; keeps its buffers from picture to picture. */
export class PlanePainter {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #picture: ImageData | null = null;
  /** The scan without nodes, and what it shows: a stroke of the brush changes the nodes alone. */
  #grey = new Uint32Array(0);
  #greyOf: readonly unknown[] = [];
  #labels = new Uint8Array(0);

  /** @throws Error where the browser gives no 2D canvas */
  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    if (context === null) throw new Error("This browser draws no canvas.");
    this.#canvas = canvas;
    this.#context = context;
  }

  /** @param view in the canvas's own pixels, to whose size it is set */
  draw(view: PlaneView, content: PlaneContent): void {
    const { width, height } = view;
    if (width < 1 || height < 1) return;
    if (this.#picture?.width !== width || this.#picture.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#picture = this.#context.createImageData(width, height);
      this.#labels = new Uint8Array(width * height);
      this.#grey = new Uint32Array(width * height);
    }
    const { scan, window } = content;
    const greyOf = [scan, window, view.axes, ...view.centreMm, view.mmPerPixel, width, height];
    if (greyOf.some((part, at) => part !== this.#greyOf[at])) {
      resliceGrey(scan, view, window, this.#grey);
      this.#greyOf = greyOf;
    }
    const pixels = new Uint32Array(this.#picture.data.buffer);
    pixels.set(this.#grey);
    if (content.overlay !== null && resliceLabels(content.overlay.labels, view, this.#labels))
      paintLabels(this.#labels, width, content.overlay.paint, pixels);
    this.#context.putImageData(this.#picture, 0, 0);
  }
}
