// The brush covers what lies within its mm, on grids of any spacing and direction.
import {
  addScaled,
  dot,
  indexOfPoint,
  type Matrix3,
  pointOfIndex,
  type Vector3,
  type Volume,
} from "@lnsnet/core/volume";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { brushMask } from "./brush.js";
import { beginStroke } from "./stroke.js";
import { createStudy } from "./study.js";
import { block, evenScan, oblique, voxelsOf } from "./study.test-helper.js";
import type { BoxedMask } from "./voxel-box.js";

const upright: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const sphere = (radiusMm: number) => ({ radiusMm, planeNormal: null, limits: null });

describe("a sphere", () => {
  test("of 10 mm has its volume in voxels of the spike's oblique scan (5,699 of 0.735 mm³)", () => {
    const scan = evenScan([60, 60, 40], { spacingMm: [0.7, 0.7, 1.5], direction: oblique });
    const centre = pointOfIndex(scan, [30.3, 29.6, 20.2]);
    const voxels = count(brushMask(scan, sphere(10), centre, centre));
    expect(Math.abs(voxels / 5699 - 1)).toBeLessThan(0.005);
  });

  test("is every voxel whose centre is near enough, and the one under the pointer", () => {
    const grids = fc.record({
      spacingMm: fc.tuple(...Array.from({ length: 3 }, () => fc.double({ min: 0.4, max: 4, noNaN: true }))),
      direction: fc.constantFrom(upright, oblique),
      radiusMm: fc.double({ min: 0.5, max: 9, noNaN: true }),
      from: fc.tuple(...Array.from({ length: 3 }, () => fc.double({ min: -2, max: 13, noNaN: true }))),
      to: fc.tuple(...Array.from({ length: 3 }, () => fc.double({ min: -2, max: 13, noNaN: true }))),
    });
    fc.assert(
      fc.property(grids, ({ spacingMm, direction, radiusMm, from, to }) => {
        const scan = evenScan([12, 12, 12], { spacingMm: triple(spacingMm), direction });
        const [a, b] = [pointOfIndex(scan, triple(from)), pointOfIndex(scan, triple(to))];
        const covered = new Set(indices(brushMask(scan, sphere(radiusMm), a, b)));
        const nearest = new Set([from, to].map((end) => end.map(Math.round).join()));
        for (const index of everyIndex(scan)) {
          const distance = distanceToLine(pointOfIndex(scan, index), a, b);
          if (Math.abs(distance - radiusMm) < 1e-6) continue;
          expect(covered.has(index.join())).toBe(distance < radiusMm || nearest.has(index.join()));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("beyond the scan is nothing", () => {
    expect(brushMask(evenScan([5, 5, 5]), sphere(2), [20, 0, 0], [20, 0, 0])).toBeNull();
  });
});

describe("a circle", () => {
  test("in any plane is every voxel that the plane cuts and whose centre is near enough", () => {
    const number = fc.double({ min: -2, max: 13, noNaN: true });
    const strokes = fc.record({
      spacingMm: fc.tuple(...Array.from({ length: 3 }, () => fc.double({ min: 0.4, max: 4, noNaN: true }))),
      direction: fc.constantFrom(upright, oblique),
      radiusMm: fc.double({ min: 0.5, max: 9, noNaN: true }),
      tilt: fc.double({ min: 0, max: Math.PI, noNaN: true }),
      turn: fc.double({ min: 0, max: Math.PI, noNaN: true }),
      from: fc.tuple(number, number, number),
      to: fc.tuple(number, number, number),
    });
    fc.assert(
      fc.property(strokes, ({ spacingMm, direction, radiusMm, tilt, turn, from, to }) => {
        const scan = evenScan([12, 12, 12], { spacingMm: triple(spacingMm), direction });
        const n = [Math.sin(tilt) * Math.cos(turn), Math.sin(tilt) * Math.sin(turn), Math.cos(tilt)] as const;
        const along = (v: Vector3) => dot(v, n);
        const a = pointOfIndex(scan, triple(from));
        const inPlane = (p: Vector3): Vector3 => addScaled(p, n, along(a) - along(p));
        // A pointer stays in its plane.
        const b = inPlane(pointOfIndex(scan, triple(to)));
        const covered = new Set(indices(brushMask(scan, { radiusMm, planeNormal: n, limits: null }, a, b)));
        const nearest = new Set([a, b].map((end) => indexOfPoint(scan, end).map(Math.round).join()));
        const steps = [0, 1, 2].map((axis) =>
          Math.abs(
            spacingMm[axis] *
              (direction[axis] * n[0] + direction[3 + axis] * n[1] + direction[6 + axis] * n[2]),
          ),
        );
        const halfThicknessMm = (steps[0] + steps[1] + steps[2]) / 2;
        for (const index of everyIndex(scan)) {
          const point = pointOfIndex(scan, index);
          const off = Math.abs(along(point) - along(a));
          const distance = distanceToLine(inPlane(point), a, b);
          if (Math.abs(distance - radiusMm) < 1e-5 || Math.abs(off - halfThicknessMm) < 1e-4) continue;
          const isNear = off < halfThicknessMm && distance < radiusMm;
          expect(covered.has(index.join())).toBe(isNear || nearest.has(index.join()));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("in an axial plane is one slice, also midway between two", () => {
    const scan = evenScan([21, 21, 5], { spacingMm: [1, 1, 3] });
    const circle = { radiusMm: 5, planeNormal: [0, 0, 1] as const, limits: null };
    for (const z of [6, 6.4, 7.5, 4.5]) {
      const slices = new Set(
        indices(brushMask(scan, circle, [10, 10, z], [10, 10, z])).map((at) => at.split(",")[2]),
      );
      expect(slices.size).toBe(1);
    }
    // 81 pixels of 1 mm have their centres within 5 mm.
    expect(count(brushMask(scan, circle, [10, 10, 6], [10, 10, 6]))).toBe(81);
    expect(count(brushMask(scan, circle, [8, 10, 6], [12, 10, 6]))).toBe(81 + 4 * 11);
  });

  test("in a plane oblique to the grid is the voxels that the plane cuts", () => {
    const scan = evenScan([40, 40, 40], { direction: oblique });
    const centre = pointOfIndex(scan, [20, 20, 20]);
    const normal: Vector3 = [0, 0, 1];
    const covered = brushMask(scan, { radiusMm: 8, planeNormal: normal, limits: null }, centre, centre);
    // |cos 20°| + |sin 20°| of a voxel's height, over the circle's area of 201 mm².
    const expected = Math.PI * 64 * (Math.cos(Math.PI / 9) + Math.sin(Math.PI / 9));
    expect(Math.abs(count(covered) / expected - 1)).toBeLessThan(0.05);
  });
});

test("limits of HU keep to themselves, or to what lies outside", () => {
  const scan = evenScan([5, 1, 1]);
  scan.data.set([-50, 0, 30, 100, 200]);
  const limits = { lowHu: 0, highHu: 100 };
  const painted = (invert: boolean) =>
    indices(brushMask(scan, { ...sphere(9), limits: { ...limits, invert } }, [2, 0, 0], [2, 0, 0])).map(
      ([i]) => i,
    );
  expect(painted(false)).toEqual(["1", "2", "3"]);
  expect(painted(true)).toEqual(["0", "4"]);
});

describe("a stroke", () => {
  test("is one step from the first touch to the last", () => {
    const study = createStudy(evenScan([20, 20, 5]));
    study.addNode(block([10, 10, 2], [10, 10, 2]));
    const stroke = beginStroke(study, { brush: sphere(1), number: 1, isErasing: false }, [2, 2, 2]);
    stroke.to([6, 2, 2]);
    stroke.to([6, 6, 2]);
    stroke.end();
    expect(voxelsOf(study, 1)).toContain("4,2,2");
    expect(voxelsOf(study, 1)).toContain("6,4,2");
    expect(study.nextUndo).toBe("brush");
    study.undo();
    expect(voxelsOf(study, 1)).toEqual(["10,10,2"]);
  });

  test("without a node draws a new one; one that painted nothing leaves none", () => {
    const study = createStudy(evenScan([20, 20, 5]));
    const options = { brush: sphere(1), number: null, isErasing: false };
    const stroke = beginStroke(study, options, [2, 2, 2]);
    stroke.end();
    expect(study.node(stroke.number).origin).toBe("drawn");
    study.undo();
    expect(study.nodes).toEqual([]);
    beginStroke(study, options, [90, 2, 2]).end();
    expect(study.nodes).toEqual([]);
    expect(study.nextUndo).toBeNull();
  });

  test("of the eraser takes from its node alone", () => {
    const study = createStudy(evenScan([20, 20, 5]));
    study.addNode(block([0, 0, 0], [4, 0, 0]));
    study.addNode(block([5, 0, 0], [9, 0, 0]));
    beginStroke(study, { brush: sphere(2), number: 1, isErasing: true }, [5, 0, 0]).end();
    expect(voxelsOf(study, 1)).toEqual(["0,0,0", "1,0,0", "2,0,0"]);
    expect(voxelsOf(study, 2)).toHaveLength(5);
  });

  test("on a locked or hidden node is a sentence, and nothing stays open", () => {
    const study = createStudy(evenScan([20, 20, 5]));
    study.addNode(block([0, 0, 0], [4, 0, 0]));
    const touch = () => beginStroke(study, { brush: sphere(2), number: 1, isErasing: false }, [5, 0, 0]);
    study.setLocked(1, true);
    expect(touch).toThrow("locked");
    expect(study.undo()).toBe(true);
    study.setVisible(1, false);
    expect(touch).toThrow("hidden");
    expect(study.undo()).toBe(true);
  });
});

function indices(mask: BoxedMask | null): string[] {
  if (mask === null) return [];
  return everyIndex(mask)
    .filter((_, at) => mask.data[at] !== 0)
    .map((index) => index.map((part, axis) => part + mask.start[axis]).join());
}

const count = (mask: BoxedMask | null) => indices(mask).length;

function everyIndex({ size }: Pick<Volume, "size">): Vector3[] {
  return Array.from({ length: size[0] * size[1] * size[2] }, (_, at) => [
    at % size[0],
    Math.floor(at / size[0]) % size[1],
    Math.floor(at / (size[0] * size[1])),
  ]);
}

function distanceToLine(p: Vector3, a: Vector3, b: Vector3): number {
  const way = b.map((value, axis) => value - a[axis]);
  const length2 = way.reduce((sum, value) => sum + value ** 2, 0);
  const along = way.reduce((sum, value, axis) => sum + value * (p[axis] - a[axis]), 0);
  const share = length2 === 0 ? 0 : Math.max(0, Math.min(1, along / length2));
  return Math.hypot(...p.map((value, axis) => value - a[axis] - share * way[axis]));
}

const triple = ([x, y, z]: readonly number[]): Vector3 => [x, y, z];
