// No edit of a scan of 500 slices keeps the page from answering for 100 ms, and none copies the label buffer.
import type { Vector3 } from "@lnsnet/core/volume";
import { beforeAll, expect, test } from "vitest";
import { processorSeconds } from "../../../../packages/core/src/processor-time.test-helper.js";
import { fillHolesOf, fillRegion, growNode, interpolateNode, shrinkNode } from "./edits.js";
import { coarseScan, measuringInput } from "./measures.js";
import { beginStroke, type Stroke } from "./stroke.js";
import { createStudy, type Study } from "./study.js";
import { evenScan, oblique } from "./study.test-helper.js";

const limitMs = 100;
const axial: Vector3 = [0, 0, 1];
const brush = { radiusMm: 10, planeNormal: null, limits: { lowHu: 0, highHu: 100, invert: false } };
let study: Study;

beforeAll(() => {
  study = createStudy(evenScan([512, 512, 500], { spacingMm: [0.7, 0.7, 1], direction: oblique }));
  study.addNode(null);
});

test("each move of a stroke, its end, and its undo", () => {
  let stroke: Stroke | null = null;
  const at = (n: number): Vector3 => [20 + 3 * n, 100 + n, 150 + n];
  for (let n = 0; n < 20; n++) {
    quick(`move ${n}`, () => {
      if (stroke === null) stroke = beginStroke(study, { brush, number: 1, isErasing: false }, at(0));
      else stroke.to(at(n));
    });
  }
  quick("end", () => stroke?.end());
  const mask = study.maskOf(1);
  quick("what measuring needs", () => mask && measuringInput(study.scan, mask));
  quick("undo", () => study.undo());
  quick("redo", () => study.redo());
  quick("the scan for telling sides", () => coarseScan(study.scan));
});

test("growing, shrinking, filling and interpolating", () => {
  const number = study.addNode(null);
  const start: Vector3 = [60, 200, 200];
  beginStroke(study, { brush, number, isErasing: false }, start).end();
  quick("grow", () => growNode(study, number, 3));
  quick("shrink", () => shrinkNode(study, number, 2));
  const hole = beginStroke(study, { brush: { ...brush, radiusMm: 3 }, number, isErasing: true }, start);
  hole.end();
  quick("fill region", () => fillRegion(study, number, start, axial));
  study.undo();
  quick("fill holes", () => fillHolesOf(study, number, axial));
  const box = study.boxOf(number);
  for (let k = 1; box !== null && k < box.size[2] - 1; k++)
    if (k % 4 !== 0)
      study.erase("erase", number, {
        start: [box.start[0], box.start[1], box.start[2] + k],
        size: [box.size[0], box.size[1], 1],
        data: new Uint8Array(box.size[0] * box.size[1]).fill(1),
      });
  quick("interpolate", () => interpolateNode(study, number));
  quick("delete", () => study.deleteNode(number));
  quick("undo", () => study.undo());
});

/** Processor time, since other work of the machine must not fail it; `SHOW_TIMES=1` prints it. */
function quick(what: string, work: () => void): void {
  const before = processorSeconds();
  work();
  const ms = 1000 * (processorSeconds() - before);
  if (process.env.SHOW_TIMES === "1") process.stdout.write(`${what}: ${ms.toFixed(1)} ms\n`);
  expect(ms, what).toBeLessThan(limitMs);
}
