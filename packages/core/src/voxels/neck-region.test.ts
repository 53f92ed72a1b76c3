import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generatePatient } from "../phantom/patient.js";
import { crop } from "../volume/crop.js";
import { numbers } from "../volume/geometries.test-helper.js";
import { type Geometry, indexOfPoint, pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { drawnPerson, huOfPerson, within } from "./drawn-body.test-helper.js";
import { maskTest } from "./mask-test.js";
import { findNeckRegion, type NeckRegion, type NoNeck } from "./neck-region.js";

/**
 * The lungs have 10 cm² (π · 60 · 80 mm² each, times 1 − t²) at z = −103 mm, and hold a disc of 24 mm from −104 mm
 * down. A voxel grown inwards from the skull, 30 cm² of brain are left at z = 80 mm.
 */
const expectedLowMm = -104 - 80;
const expectedHighMm = 80 + 60;
/** Two voxels: one by which a landmark may be missed, one to which the limit is rounded outwards. */
const toleranceMm = 8.5;

function regionOf(found: NeckRegion | NoNeck): NeckRegion {
  if (found.found === "none") throw new Error(`no neck: ${found.reason}`);
  return found;
}

const near = (value: number, expected: number): void => {
  expect(Math.abs(value - expected)).toBeLessThanOrEqual(toleranceMm);
};

test("lungs and skull limit the region, and its box is that of the body between them", () => {
  const region = regionOf(findNeckRegion(drawnPerson()));
  expect(region.found).toBe("neck");
  near(region.lowMm[2], expectedLowMm);
  near(region.highMm[2], expectedHighMm);
  near(region.lowMm[0], -188);
  near(region.highMm[1], 116);
  expect(region.reasons[0]).toMatch(/^Lungs reach up to z = -10\d mm: the region begins 80 mm below that\.$/);
  expect(region.reasons[1]).toMatch(/from z = (7|8)\d mm on: the region ends 60 mm above that\.$/);
});

describe("where a landmark is not in the scan, the scan's own end holds", () => {
  test.each<[string, readonly [number, number], readonly [number, number], "neck" | "whole"]>([
    ["a neck alone", [-60, 68], [-60, 68], "whole"],
    ["cut in the head", [-240, 100], [expectedLowMm, 100], "neck"],
    ["cut above the lungs", [-88, 256], [-88, expectedHighMm], "neck"],
    ["lungs seen for less than 100 ml", [-120, 68], [-120, 68], "whole"],
  ])("%s", (_, heights, [low, high], found) => {
    const region = regionOf(findNeckRegion(drawnPerson(heights)));
    expect(region.found).toBe(found);
    near(region.lowMm[2], low);
    near(region.highMm[2], high);
  });
});

test("a chest whose lungs reach the highest slice holds no neck", () => {
  const found = findNeckRegion(drawnPerson([-300, -140]));
  // 2 π · 60 · 80 mm² · (1 − (158 / 200)²) in the highest slice, whose centre is at −142 mm.
  expect(found).toEqual({ found: "none", reason: expect.stringMatching(/^lungs of 11\d cm² reach/) });
});

test("a chest whose lung is open to the side of a small field holds no neck", () => {
  const whole = drawnPerson([-300, -140]);
  const found = findNeckRegion(crop(whole, [45, 15, 0], [25, 30, 40]));
  expect(found).toEqual({ found: "none", reason: expect.stringMatching(/^lungs of \d+ cm² reach/) });
});

test("a scan of air holds no neck", () => {
  expect(findNeckRegion(drawnPerson([0, 40], () => -1000))).toEqual({
    found: "none",
    reason: "it holds nothing denser than air",
  });
});

describe("what looks like a landmark and is none", () => {
  const withNeck = (other: (point: Vector3) => number | null) =>
    regionOf(findNeckRegion(drawnPerson([-60, 68], (point) => other(point) ?? huOfPerson(point))));

  test("free air that the body encloses, as in a stomach, is no lung", () => {
    const stomach = { centre: [0, 0, -20], halfAxes: [40, 40, 45] } as const;
    expect(withNeck((point) => (within(stomach, point) ? -1000 : null)).found).toBe("whole");
    expect(withNeck((point) => (within(stomach, point) ? -850 : null)).found).toBe("neck");
  });

  test("air around a neck that was clipped at −900 HU is no lung", () => {
    const clipped = drawnPerson([-60, 68], (point) => Math.max(-900, huOfPerson(point)));
    expect(findNeckRegion(clipped).found).toBe("whole");
  });

  const ring = ([x, y, z]: Vector3, thickMm: number): boolean => {
    const radius = Math.hypot(x, y);
    return Math.abs(z) < thickMm / 2 && radius > 40 && radius < 50;
  };

  test("bone around soft tissue over less than 40 mm is no skull", () => {
    expect(withNeck((point) => (ring(point, 30) ? 900 : null)).found).toBe("whole");
    expect(withNeck((point) => (ring(point, 56) ? 900 : null)).found).toBe("neck");
  });

  test("streaks of metal that close a ring do not lower the region's end", () => {
    const isFilling = ([x, y, z]: Vector3) => Math.abs(x - 30) < 5 && Math.abs(y) < 5 && Math.abs(z) < 15;
    const highMmWith = (fillingHu: number) => {
      const huOf = (point: Vector3) =>
        isFilling(point) ? fillingHu : ring(point, 28) ? 900 : huOfPerson(point);
      return regionOf(findNeckRegion(drawnPerson([-60, 256], huOf))).highMm[2];
    };
    near(highMmWith(3000), expectedHighMm);
    expect(highMmWith(900)).toBeLessThan(60);
  });
});

test("the limits do not depend on axes, spacing and place", () => {
  const spacings = fc.tuple(numbers(2.5, 5), numbers(2.5, 5), numbers(2.5, 5));
  const orders = fc.constantFrom<readonly [0 | 1 | 2, 0 | 1 | 2, 0 | 1 | 2]>(
    [0, 1, 2],
    [1, 0, 2],
    [2, 0, 1],
    [0, 2, 1],
  );
  const flips = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(spacings, orders, flips, numbers(-500, 500), (spacingMm, order, flipped, shiftMm) => {
      const turned = rearranged(drawnPerson(undefined, huOfPerson, spacingMm), order, flipped);
      const [x, y, z] = turned.originMm;
      const region = regionOf(findNeckRegion({ ...turned, originMm: [x, y, z + shiftMm] }));
      near(region.lowMm[2] - shiftMm, expectedLowMm);
      near(region.highMm[2] - shiftMm, expectedHighMm);
    }),
    { numRuns: 8 },
  );
});

/** The same voxels in the same places, stored along other axes. */
function rearranged(
  { data, ...grid }: Volume<Int16Array>,
  order: readonly [0 | 1 | 2, 0 | 1 | 2, 0 | 1 | 2],
  flipped: readonly boolean[],
): Volume<Int16Array> {
  const [nx, ny] = grid.size;
  const size: Vector3 = [grid.size[order[0]], grid.size[order[1]], grid.size[order[2]]];
  const indexOf = (index: Vector3): Vector3 => {
    const old = [0, 0, 0];
    order.forEach((axis, at) => {
      old[axis] = flipped[at] ? size[at] - 1 - index[at] : index[at];
    });
    return [old[0], old[1], old[2]];
  };
  const cosine = (axis: number, at: number) => (order[at] === axis ? (flipped[at] ? -1 : 1) : 0);
  const turned = new Int16Array(data.length);
  for (let k = 0, at = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      for (let i = 0; i < size[0]; i++, at++) {
        const [a, b, c] = indexOf([i, j, k]);
        turned[at] = data[a + nx * (b + ny * c)];
      }
    }
  }
  return {
    size,
    spacingMm: [grid.spacingMm[order[0]], grid.spacingMm[order[1]], grid.spacingMm[order[2]]],
    originMm: pointOfIndex(grid, indexOf([0, 0, 0])),
    direction: [
      cosine(0, 0),
      cosine(0, 1),
      cosine(0, 2),
      cosine(1, 0),
      cosine(1, 1),
      cosine(1, 2),
      cosine(2, 0),
      cosine(2, 1),
      cosine(2, 2),
    ],
    data: turned,
  };
}

test.each([0, 1, 2])("phantom %i, a neck alone: whole, with every voxel of its nodes", (index) => {
  const { image, label } = generatePatient(5, index, { maximumVoxels: 120_000 });
  const region = regionOf(findNeckRegion(image));
  expect(region.found).toBe("whole");
  const isInRegion = maskTest(region.body, label);
  const outside = Array.from(label.data.keys()).filter((at) => {
    const [nx, ny] = label.size;
    const start: Vector3 = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
    return label.data[at] === 1 && !isInRegion({ start, size: [1, 1, 1] });
  });
  expect(outside).toEqual([]);
});

describe("boxes of voxels", () => {
  const body: Volume<Uint8Array> = {
    size: [5, 4, 3],
    spacingMm: [4, 4, 4],
    originMm: [2, 2, 2],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data: new Uint8Array(60),
  };
  /** One voxel, from (8, 4, 4) to (12, 8, 8) mm. */
  body.data[2 + 5 * (1 + 4 * 1)] = 1;
  const box = { lowMm: [8, 4, 4], highMm: [12, 8, 8] } as const;
  const region: NeckRegion = { found: "whole", lungTopMm: null, skullMm: null, reasons: [], body, ...box };
  const millimetres: Geometry = {
    size: [20, 16, 12],
    spacingMm: [1, 1, 1],
    originMm: [0.5, 0.5, 0.5],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };

  test.each<[Vector3, Vector3, boolean]>([
    [[8, 4, 4], [1, 1, 1], true],
    [[11, 7, 7], [1, 1, 1], true],
    [[0, 0, 0], [20, 16, 12], true],
    [[-10, -10, -10], [19, 15, 15], true],
    [[0, 0, 0], [8, 16, 12], false],
    [[12, 0, 0], [8, 16, 12], false],
    [[0, 8, 0], [20, 8, 12], false],
    [[0, 0, 0], [20, 16, 4], false],
    [[30, 0, 0], [20, 16, 12], false],
    [[-30, 0, 0], [20, 16, 12], false],
  ])("from %j, %j mm", (start, size, expected) => {
    expect(maskTest(region.body, millimetres)({ start, size })).toBe(expected);
  });

  test("on an oblique grid, no box with a point of the region in it is left out", () => {
    const place = fc.tuple(numbers(0, 20), numbers(0, 20), numbers(0, 20));
    fc.assert(
      fc.property(numbers(-1, 1), place, (angle, originMm) => {
        const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
        const grid: Geometry = {
          ...millimetres,
          originMm,
          direction: [cosine, -sine, 0, sine, cosine, 0, 0, 0, 1],
        };
        const [i, j, k] = indexOfPoint(grid, [10, 6, 6]).map(Math.round);
        return maskTest(region.body, grid)({ start: [i, j, k], size: [1, 1, 1] });
      }),
    );
  });
});
