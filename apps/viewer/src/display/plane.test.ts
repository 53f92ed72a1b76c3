// Planes of the patient: directions, pixels, slices and letters that a person can check by hand.
import type { Geometry, Vector3 } from "@lnsnet/core/volume";
import { describe, expect, test } from "vitest";
import {
  atDepthOf,
  directionLetters,
  fittingScale,
  type PlaneView,
  patientPlanes,
  pixelOfPoint,
  pointOfPixel,
  scaleBarMm,
  sliceNumber,
  snapped,
} from "./plane.js";

const scan: Geometry = {
  size: [100, 80, 20],
  spacingMm: [1, 1, 3],
  originMm: [-50, -40, 10],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const half = Math.SQRT1_2;
const oblique: Geometry = { ...scan, direction: [1, 0, 0, 0, half, -half, 0, half, half] };

describe("what a plane shows", () => {
  const axial: PlaneView = {
    axes: patientPlanes.axial,
    centreMm: [0, 0, 30],
    mmPerPixel: 0.5,
    width: 200,
    height: 100,
  };

  test("the patient's left is on the right of the picture, posterior is below", () => {
    expect(pointOfPixel(axial, 200, 100)).toEqual([50, 25, 30]);
    expect(pixelOfPoint(axial, [50, 25, 99])).toEqual([200, 100]);
  });

  test("superior is at the top of the coronal and sagittal plane, anterior on the left of the sagittal", () => {
    const coronal = { ...axial, axes: patientPlanes.coronal };
    const sagittal = { ...axial, axes: patientPlanes.sagittal };
    expect(pointOfPixel(coronal, 0, 0)).toEqual([-50, 0, 55]);
    expect(pointOfPixel(sagittal, 0, 0)).toEqual([0, -50, 55]);
  });

  test("a point moved to another's depth stays at its pixel", () => {
    const moved = atDepthOf([7, 8, 9], [1, 2, 42], patientPlanes.axial);
    expect(moved).toEqual([7, 8, 42]);
    expect(pixelOfPoint(axial, moved)).toEqual(pixelOfPoint(axial, [7, 8, 9]));
  });

  test("the whole scan fits", () => {
    expect(fittingScale(scan, patientPlanes.axial, 50, 80)).toBe(2);
    expect(fittingScale(scan, patientPlanes.coronal, 100, 30)).toBe(2);
  });
});

describe("slices", () => {
  test.each<[Vector3, number]>([
    [[0, 0, 67], 1],
    [[0, 0, 10], 20],
    [[0, 0, 64], 2],
  ])("the axial slice at %j is number %i, counted from the head", (pointMm, number) => {
    expect(sliceNumber(scan, patientPlanes.axial, pointMm)).toEqual({ number, count: 20 });
  });

  test("a plane that cuts the scan obliquely shows none of its slices", () => {
    expect(sliceNumber(oblique, patientPlanes.axial, [0, 0, 30])).toBeNull();
    expect(sliceNumber(oblique, patientPlanes.sagittal, [0, 0, 30])).toEqual({ number: 50, count: 100 });
  });

  test("a point goes to the nearest voxel centre, and never leaves the scan", () => {
    expect(snapped(scan, [0.4, 0.4, 14])).toEqual([0, 0, 13]);
    expect(snapped(scan, [400, -400, 14])).toEqual([49, -40, 13]);
    expect(snapped(oblique, [0.4, -40, 12])[0]).toBeCloseTo(0.4, 12);
  });
});

test.each<[Vector3, string]>([
  [[1, 0, 0], "L"],
  [[-1, 0, 0], "R"],
  [[0, 1, 0], "P"],
  [[0, 0, 1], "S"],
  [[0, Math.sin(0.5), -Math.cos(0.5)], "IP"],
  [[0, Math.sin(0.2), -Math.cos(0.2)], "I"],
])("%j is marked %s", (direction, letters) => {
  expect(directionLetters(direction)).toBe(letters);
});

test.each([
  [49, 20],
  [50, 50],
  [9, 5],
  [150, 100],
])("of at most %d mm the scale bar is %d mm", (longest, bar) => {
  expect(scaleBarMm(longest)).toBe(bar);
});
