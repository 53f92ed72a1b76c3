import { describe, expect, test } from "vitest";
import { generatePatient } from "../phantom/patient.js";
import { pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { bodyMask } from "./body-mask.js";

const air = -1000;

/** A drawn scan: HU by LPS point, on a grid of 2 × 2 × 3 mm centred at 0 whose axes run along x, y, z in `order`. */
function drawn(huOf: (point: Vector3) => number, order: readonly [number, number, number] = [0, 1, 2]) {
  const sizeLps = [100, 80, 6];
  const spacingLps = [2, 2, 3];
  const cosine = (patientAxis: number, index: number): number => (order[index] === patientAxis ? 1 : 0);
  const pick = (of: readonly number[]): Vector3 => [of[order[0]], of[order[1]], of[order[2]]];
  const scan: Volume<Int16Array> = {
    size: pick(sizeLps),
    spacingMm: pick(spacingLps),
    originMm: [-99, -79, -7.5],
    direction: [
      ...([cosine(0, 0), cosine(0, 1), cosine(0, 2)] as const),
      ...([cosine(1, 0), cosine(1, 1), cosine(1, 2)] as const),
      ...([cosine(2, 0), cosine(2, 1), cosine(2, 2)] as const),
    ],
    data: new Int16Array(sizeLps[0] * sizeLps[1] * sizeLps[2]),
  };
  forEachPoint(scan, (point, at) => {
    scan.data[at] = huOf(point);
  });
  return scan;
}

function forEachPoint(scan: Volume, visit: (point: Vector3, at: number) => void): void {
  for (let k = 0, at = 0; k < scan.size[2]; k++) {
    for (let j = 0; j < scan.size[1]; j++) {
      for (let i = 0; i < scan.size[0]; i++, at++) visit(pointOfIndex(scan, [i, j, k]), at);
    }
  }
}

/** How many voxels of the body's mask differ from a drawn shape, those of `anywhere` aside. */
function voxelsUnlike(
  scan: Volume,
  isBody: (point: Vector3) => boolean,
  anywhere: (point: Vector3) => boolean = () => false,
): number {
  const body = bodyMask(scan);
  let unlike = 0;
  forEachPoint(scan, (point, at) => {
    if (!anywhere(point) && body[at] !== (isBody(point) ? 1 : 0)) unlike++;
  });
  return unlike;
}

const disc = ([x, y]: Vector3, centreX: number, centreY: number, radius: number): boolean =>
  Math.hypot(x - centreX, y - centreY) <= radius;

const isNeck = (point: Vector3): boolean => disc(point, 0, 0, 50);
const isAirway = (point: Vector3): boolean => disc(point, 3, -20, 9);
/** A hollow table top: 4 mm of carbon around foam, 1 mm below the neck. */
const isTable = ([, y]: Vector3): boolean => (y > 51 && y < 55) || (y > 73 && y < 77);
const isArm = (point: Vector3): boolean => disc(point, 80, 10, 15);

function neckScan(point: Vector3): number {
  if (isAirway(point)) return air;
  if (isNeck(point) || isArm(point)) return 40;
  return isTable(point) ? -200 : air;
}

describe.each<[string, readonly [number, number, number]]>([
  ["axial", [0, 1, 2]],
  ["sagittal", [1, 2, 0]],
  ["coronal", [2, 0, 1]],
])("slices stored %s", (_, order) => {
  test("table, air and arm go, the airway is filled, also in the end slices", () => {
    const scan = drawn(neckScan, order);
    expect(voxelsUnlike(scan, isNeck)).toBe(0);
  });
});

test("a thin bridge does not hold two bodies together", () => {
  const isBridge = ([x, y]: Vector3): boolean => x > 40 && x < 70 && Math.abs(y - 5) < 3;
  const scan = drawn((point) => (isNeck(point) || isArm(point) || isBridge(point) ? 40 : air));
  expect(voxelsUnlike(scan, isNeck, isBridge)).toBe(0);
});

test("a sinus behind a wall thinner than the opening stays in the body", () => {
  const isSinus = (point: Vector3): boolean => disc(point, 0, -36, 12);
  const scan = drawn((point) => (isNeck(point) && !isSinus(point) ? 40 : air));
  expect(voxelsUnlike(scan, isNeck)).toBe(0);
});

test("shoulders that the field of view cuts keep their corners", () => {
  const isShoulder = ([, y]: Vector3): boolean => y > 0;
  expect(
    voxelsUnlike(
      drawn((point) => (isShoulder(point) ? 40 : air)),
      isShoulder,
    ),
  ).toBe(0);
});

test("a scan of air holds no body", () => {
  expect(bodyMask(drawn(() => air)).includes(1)).toBe(false);
});

test("a phantom: its nodes inside, hardly any tissue outside, the airway filled", () => {
  const { image, label } = generatePatient(3, 0, { maximumVoxels: 200_000 });
  const body = bodyMask(image);
  const count = (isCounted: (at: number) => boolean): number =>
    body.reduce((sum, _, at) => sum + (isCounted(at) ? 1 : 0), 0);
  const bodyVoxels = count((at) => body[at] === 1);
  expect(count((at) => label.data[at] === 1 && body[at] === 0)).toBe(0);
  expect(count((at) => image.data[at] > -300 && body[at] === 0) / bodyVoxels).toBeLessThan(0.01);
  const airShare = count((at) => image.data[at] < -500 && body[at] === 1) / bodyVoxels;
  expect(airShare).toBeGreaterThan(0.002);
  expect(airShare).toBeLessThan(0.05);
});
