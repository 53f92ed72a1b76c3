// A stroke of the brush or the eraser: one step of undo from the first touch until the pointer is lifted.
import type { Vector3 } from "@lnsnet/core/volume";
import { type Brush, brushMask } from "./brush.js";
import type { PaintOptions, Study } from "./study.js";

export interface StrokeOptions extends PaintOptions {
  readonly brush: Brush;
  /** The node that is painted or erased; null for a new one. */
  readonly number: number | null;
  readonly isErasing: boolean;
}

export interface Stroke {
  /** The node that is painted or erased. */
  readonly number: number;
  /** Goes on in a straight line to a point, LPS mm. */
  to(pointMm: Vector3): void;
  /** Ends the stroke. A new node that got no voxel is taken back. */
  end(): void;
  /** Takes the whole stroke back. */
  cancel(): void;
}

/**
 * Touches the scan with a brush.
 *
 * @param pointMm LPS
 * @throws InputError where the node is locked, the study is only to be read, or there are 255 nodes; nothing is changed
 */
export function beginStroke(study: Study, options: StrokeOptions, pointMm: Vector3): Stroke {
  const { brush, isErasing } = options;
  const step = study.begin(isErasing ? "erase" : "brush");
  let last = pointMm;
  const draw = (number: number, fromMm: Vector3, toMm: Vector3) => {
    const mask = brushMask(study.scan, brush, fromMm, toMm);
    if (mask === null) return;
    if (isErasing) study.erase("erase", number, mask, options);
    else study.paint("brush", number, mask, options);
  };
  try {
    const number = options.number ?? study.addNode(null, { origin: "drawn" });
    draw(number, pointMm, pointMm);
    return {
      number,
      to: (next) => {
        draw(number, last, next);
        last = next;
      },
      end: () => (options.number === null && study.boxOf(number) === null ? step.cancel() : step.commit()),
      cancel: () => step.cancel(),
    };
  } catch (error) {
    step.cancel();
    throw error;
  }
}
