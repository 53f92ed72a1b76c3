// Where simulated clicks go, on boxes that a person can follow, and for any mask.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indexedStream } from "../random.js";
import type { Vector3 } from "../volume/volume.js";
import { masks } from "./mask.test-helper.js";
import { clickInto, correctingClick } from "./simulated-click.js";

const size: Vector3 = [20, 12, 10];
const spacing: Vector3 = [1, 1, 1];
const offset = ([i, j, k]: Vector3) => i + size[0] * (j + size[1] * k);

/** 1 in boxes, each [first voxel, voxels a side]. */
function boxes(...drawn: readonly (readonly [Vector3, Vector3])[]): Uint8Array {
  const mask = new Uint8Array(size[0] * size[1] * size[2]);
  for (const [[x, y, z], [a, b, c]] of drawn)
    for (let k = z; k < z + c; k++)
      for (let j = y; j < y + b; j++) mask.fill(1, offset([x, j, k]), offset([x + a, j, k]));
  return mask;
}

describe("clickInto", () => {
  test("goes to the middle of a box, and of the thicker of two", () => {
    expect(
      clickInto(
        boxes([
          [4, 3, 2],
          [5, 5, 5],
        ]),
        size,
        spacing,
      ),
    ).toEqual([6, 5, 4]);
    expect(
      clickInto(
        boxes(
          [
            [0, 0, 0],
            [2, 2, 2],
          ],
          [
            [10, 3, 2],
            [5, 5, 5],
          ],
        ),
        size,
        spacing,
      ),
    ).toEqual([12, 5, 4]);
  });

  test("finds nothing in an empty mask, and the first voxel of one that fills the grid", () => {
    expect(clickInto(boxes(), size, spacing)).toBeNull();
    expect(clickInto(boxes([[0, 0, 0], size]), size, spacing)).toEqual([0, 0, 0]);
  });

  test("with imprecision stays in the mask, and is not always the same", () => {
    const mask = boxes([
      [4, 3, 2],
      [9, 7, 5],
    ]);
    const random = indexedStream(1, 0);
    const clicks = Array.from({ length: 50 }, () =>
      clickInto(mask, size, spacing, { random, leastDepth: 0.5 }),
    );
    // Of a depth of 3 voxels, half is 1.5: none lies in the outermost layer.
    for (const click of clicks) {
      if (click === null) throw new Error("no click");
      expect(
        click[0] > 4 && click[0] < 12 && click[1] > 3 && click[1] < 9 && click[2] > 2 && click[2] < 6,
      ).toBe(true);
    }
    expect(new Set(clicks.map(String)).size).toBeGreaterThan(5);
  });
});

describe("correctingClick", () => {
  const truth = boxes([
    [2, 2, 2],
    [6, 6, 6],
  ]);

  test("is positive in the larger part that is missing", () => {
    const answer = boxes(
      [
        [2, 2, 2],
        [3, 6, 6],
      ],
      [
        [15, 2, 2],
        [3, 3, 3],
      ],
    );
    expect(correctingClick(truth, answer, size, spacing)).toEqual({ index: [6, 3, 3], isPositive: true });
  });

  test("is negative in the larger part that is too much", () => {
    const answer = boxes(
      [
        [2, 2, 2],
        [6, 6, 5],
      ],
      [
        [13, 2, 2],
        [5, 5, 5],
      ],
    );
    expect(correctingClick(truth, answer, size, spacing)).toEqual({ index: [15, 4, 4], isPositive: false });
  });

  test("is none where the answer is right", () => {
    expect(correctingClick(truth, truth, size, spacing)).toBeNull();
  });

  test("always lies where the answer is wrong, and says in which way", () => {
    const small: Vector3 = [5, 4, 3];
    fc.assert(
      fc.property(masks(small), masks(small), (one, other) => {
        const click = correctingClick(one.data, other.data, small, spacing);
        const isWrong = one.data.some((value, at) => value !== other.data[at]);
        if (!isWrong) return click === null;
        if (click === null) return false;
        const [i, j, k] = click.index;
        const at = i + small[0] * (j + small[1] * k);
        return one.data[at] === (click.isPositive ? 1 : 0) && other.data[at] === (click.isPositive ? 0 : 1);
      }),
    );
  });
});
