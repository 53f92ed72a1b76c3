import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apart, type Rectangle } from "./raster.js";

const rectangles = fc.array(
  fc.record({
    left: fc.integer({ min: 0, max: 60 }),
    top: fc.integer({ min: 0, max: 60 }),
    width: fc.integer({ min: 1, max: 30 }),
    height: fc.integer({ min: 1, max: 15 }),
  }),
  { maxLength: 20 },
);

const gapBetween = (one: Rectangle, other: Rectangle) =>
  Math.max(
    one.left - other.left - other.width,
    other.left - one.left - one.width,
    one.top - other.top - other.height,
    other.top - one.top - one.height,
  );

describe("apart", () => {
  it("keeps the gap between all, and every size", () => {
    fc.assert(
      fc.property(rectangles, fc.integer({ min: 0, max: 6 }), (given, gap) => {
        const placed = apart(given, gap);
        expect(placed.map(({ width, height }) => [width, height])).toEqual(
          given.map(({ width, height }) => [width, height]),
        );
        for (const [index, one] of placed.entries())
          for (const other of placed.slice(0, index))
            expect(gapBetween(one, other)).toBeGreaterThanOrEqual(gap);
      }),
    );
  });

  it("leaves in its place what meets nothing, and moves the rest no further than it must", () => {
    const label = { left: 10, top: 10, width: 8, height: 6 };
    const far = { ...label, left: 100 };
    expect(apart([label, far, label], 2)).toEqual([label, far, { ...label, top: 18 }]);
  });
});
