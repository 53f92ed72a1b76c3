// Draws with the brush where nobody sees it, so that a person's first stroke is as quick as the later ones.
import type { Volume } from "@lnsnet/core/volume";
import { beginStroke } from "./stroke.js";
import { createStudy } from "./study.js";

const edge = 56;

/**
 * Browsers compile a function after it has run for a while; until then the first moves of a large brush take twice as long
 * (50 ms of the processor in place of 25).
 *
 * @returns draws a stroke and takes it back
 */
export function strokeRehearsal(): () => void {
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
  let drawn = 0;
  return () => {
    const stroke = beginStroke(study, options, [9, 11, 11]);
    stroke.to([11, 10 + 0.1 * drawn++, 11]);
    stroke.end();
    study.undo();
  };
}
