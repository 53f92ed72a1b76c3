// What the planes show when one of them is moved.
import type { Volume } from "@lnsnet/core/volume";
import { expect, test } from "vitest";
import { type PlaneName, showTheSame } from "../display/plane.js";
import { createView, fitAll, planeView, scroll, type View, zoomAt } from "./view.js";

const scan: Volume = {
  size: [20, 30, 40],
  spacingMm: [0.7, 0.7, 1.3],
  originMm: [-12.3, 4.7, 810.1],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data: new Int16Array(20 * 30 * 40),
};
const planes: readonly PlaneName[] = ["axial", "coronal", "sagittal"];

/** The planes that show something else after it. */
function changed(view: View, act: () => void): readonly PlaneName[] {
  const now = () => planes.map((plane) => planeView(view, plane, 300, 200));
  const before = now();
  act();
  const after = now();
  return planes.filter((_, at) => !showTheSame(before[at], after[at]));
}

test("a slice further in one plane changes what that one shows, and no other", () => {
  const view = createView(scan);
  for (const plane of planes) {
    expect(changed(view, () => scroll(view, plane, 1))).toEqual([plane]);
    expect(changed(view, () => scroll(view, plane, -3))).toEqual([plane]);
  }
});

test("zooming a plane changes that one, and nothing changes where all fits already", () => {
  const view = createView(scan);
  const shown = planeView(view, "coronal", 300, 200);
  expect(changed(view, () => zoomAt(view, "coronal", 1.5, shown, 40, 50))).toEqual(["coronal"]);
  expect(changed(view, () => fitAll(view))).toEqual(["coronal"]);
  expect(changed(view, () => fitAll(view))).toEqual([]);
});
