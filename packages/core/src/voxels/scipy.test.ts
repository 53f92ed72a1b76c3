// Components, distance and morphology against scipy.ndimage (fixtures/voxels).

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Vector3 } from "../volume/volume.js";
import { type Connectivity, labelComponents } from "./components.js";
import { squaredDistanceMm } from "./distance.js";
import { boundary, dilate, erode, foregroundBox, type IndexBox } from "./morphology.js";

interface ScipyCase {
  name: string;
  size: Vector3;
  spacingMm: Vector3;
  radiusMm: number;
  mask: string;
  components: Record<string, number[]>;
  distanceMm: number[];
  boundary: string;
  erodedByFaces: string;
  dilatedByFaces: string;
  erodedByBall: string;
  dilatedByBall: string;
  box: IndexBox;
}

const file = new URL("../../../../fixtures/voxels/scipy.json", import.meta.url);
const cases = JSON.parse(readFileSync(file, "utf8")) as ScipyCase[];

describe.each(cases)("as scipy: $name", (expected) => {
  const { size, spacingMm, radiusMm } = expected;
  const mask = Uint8Array.from(expected.mask, Number);

  test.each([6, 18, 26] satisfies Connectivity[])("%i-connected components", (connectivity) => {
    const { labels, count, sizes } = labelComponents(mask, size, connectivity);
    const expectedLabels = expected.components[connectivity];
    expect([...labels]).toEqual(expectedLabels);
    expect(count).toBe(Math.max(...expectedLabels));
    expect(sizes).toEqual(sizes.map((_, at) => expectedLabels.filter((label) => label === at + 1).length));
  });

  test("distance", () => {
    const squared = squaredDistanceMm(mask, size, spacingMm);
    const worst = Math.max(...expected.distanceMm.map((d, at) => Math.abs(d - Math.sqrt(squared[at]))));
    expect(squared).toHaveLength(expected.distanceMm.length);
    expect(worst).toBeLessThan(1e-11);
  });

  test("morphology", () => {
    const ball = { radiusMm, spacingMm };
    expect(digits(boundary(mask, size))).toBe(expected.boundary);
    expect(digits(erode(mask, size))).toBe(expected.erodedByFaces);
    expect(digits(dilate(mask, size))).toBe(expected.dilatedByFaces);
    expect(digits(erode(mask, size, ball))).toBe(expected.erodedByBall);
    expect(digits(dilate(mask, size, ball))).toBe(expected.dilatedByBall);
    expect(foregroundBox(mask, size)).toEqual(expected.box);
  });
});

function digits(mask: Uint8Array): string {
  return mask.join("");
}
