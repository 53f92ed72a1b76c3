import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Rectangle, separatedLabels } from "./raster.js";

const rectangles = fc.array(
  fc.record({
    left: fc.integer({ min: 0, max: 60 }),
    top: fc.integer({ min: 0, max: 60 }),
    width: fc.integer({ min: 1, max: 30 }),
    height: fc.integer({ min: 1, max: 15 }),
  }),
  { maxLength: 20 },
);

const gapBetween = (a: Rectangle, b: Rectangle) =>
  Math.max(
    a.left - b.left - b.width,
    b.left - a.left - a.width,
    a.top - b.top - b.height,
    b.top - a.top - a.height,
  );

describe("apart", () => {
  it("keeps the gap between all, and every size", () => {
    fc.assert(
      fc.property(rectangles, fc.integer({ min: 0, max: 6 }), (given, gap) => {
        const placed = separatedLabels(given, { gap });
        expect(placed.map(({ width, height }) => [width, height])).toEqual(
          given.map(({ width, height }) => [width, height]),
        );
        for (const [index, label] of placed.entries())
          for (const other of placed.slice(0, index))
            expect(gapBetween(label, other)).toBeGreaterThanOrEqual(gap);
      }),
    );
  });

  it("leaves in its place what meets nothing, and moves the rest no further than it must", () => {
    const label = { left: 10, top: 10, width: 8, height: 6 };
    const far = { ...label, left: 100 };
    expect(separatedLabels([label, far, label], { gap: 2 })).toEqual([label, far, { ...label, top: 18 }]);
  });

  it("covers nothing that is taken, and stays within its area", () => {
    const within = { left: 0, top: 0, width: 100, height: 60 };
    const taken = [{ left: 0, top: 40, width: 60, height: 20 }];
    fc.assert(
      fc.property(fc.array(fc.nat(80), { minLength: 2, maxLength: 8 }), (places) => {
        const given = places.map((left, n) => ({ left, top: (7 * n + left) % 60, width: 10, height: 10 }));
        const placed = separatedLabels(given, { gap: 1, taken, within });
        for (const label of placed) {
          expect(gapBetween(label, taken[0])).toBeGreaterThanOrEqual(1);
          expect([label.left >= 0, label.top >= 0, label.left <= 90, label.top <= 50]).toEqual([
            true,
            true,
            true,
            true,
          ]);
        }
      }),
    );
  });

  it("leaves an area that is too small for all", () => {
    const label = { left: 0, top: 0, width: 10, height: 10 };
    const within = { left: 0, top: 0, width: 12, height: 12 };
    const [first, second] = separatedLabels([label, label], { gap: 0, within });
    expect(gapBetween(first, second)).toBeGreaterThanOrEqual(0);
  });
});
