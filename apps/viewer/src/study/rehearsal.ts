// Draws with the brush where nobody sees it, so that a person's first stroke is as quick as the later ones.
import type { Volume } from "@lnsnet/core/volume";
import { beginStroke } from "./stroke.js";
import { createStudy } from "./study.js";

const edge = 56;
const strokes = 12;

/**
 * Browsers compile a function after it has run for a while; until then the first moves of a large brush take twice as long
 * (50 ms of the processor in place of 25). The page answers between the strokes.
 *
 * @returns ends it
 */
export function rehearseStrokes(): () => void {
  const scan: Volume = {
    size: [edge, edge, edge],
    spacingMm: [0.4, 0.4, 0.4],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data: new Int16Array(edge ** 3),
  };
  const study = createStudy(scan);
  const brush = { radiusMm: 8, planeNormal: null, limits: null };
  const options = { brush, number: null, isErasing: false };
  let left = strokes;
  let waiting = setTimeout(draw);
  function draw() {
    const stroke = beginStroke(study, options, [9, 11, 11]);
    stroke.to([11, 10 + 0.1 * left, 11]);
    stroke.end();
    study.undo();
    left--;
    if (left > 0) waiting = setTimeout(draw);
  }
  return () => clearTimeout(waiting);
}
