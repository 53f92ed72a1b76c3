import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { type Matrix3, pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { layoutOverlay, overlayPng, type Plane } from "./overlay.js";

// In LPS order 12 × 14 × 8 voxels of 1 × 1 × 2 mm. One bright voxel near the patient's right, anterior, inferior corner.
const sizeLps: Vector3 = [12, 14, 8];
const spacingLps: Vector3 = [1, 1, 2];
const brightIndex: Vector3 = [2, 3, 1];
const brightMm: Vector3 = [2, 3, 2];

/** The same scan in another memory order: index axis a of the result runs along LPS axis `order[a]`, backwards where `flips[a]`. */
function storedAs(
  order: readonly number[],
  flips: readonly boolean[],
  tiltRadians = 0,
): Volume<Float32Array> {
  const pick = (values: readonly number[]): Vector3 => [values[order[0]], values[order[1]], values[order[2]]];
  const size = pick(sizeLps);
  const direction = Array.from({ length: 9 }, (_, entry) => {
    const axis = entry % 3;
    return order[axis] === Math.floor(entry / 3) ? (flips[axis] ? -1 : 1) : 0;
  });
  const origin = [0, 0, 0];
  const stored = pick(brightIndex).map((index, axis) => {
    if (flips[axis]) origin[order[axis]] = (size[axis] - 1) * spacingLps[order[axis]];
    return flips[axis] ? size[axis] - 1 - index : index;
  });
  const data = new Float32Array(size[0] * size[1] * size[2]).fill(-1000);
  data[stored[0] + size[0] * (stored[1] + size[1] * stored[2])] = 1000;
  return {
    size,
    spacingMm: pick(spacingLps),
    originMm: rotated(origin, tiltRadians),
    direction: [0, 1, 2].flatMap((row) =>
      [0, 1, 2].map(
        (axis) => rotated([direction[axis], direction[3 + axis], direction[6 + axis]], tiltRadians)[row],
      ),
    ) as unknown as Matrix3,
    data,
  };
}

/** Turned about the left–right axis, as a tilted gantry does. */
function rotated([x, y, z]: readonly number[], radians: number): Vector3 {
  return [x, y * Math.cos(radians) - z * Math.sin(radians), y * Math.sin(radians) + z * Math.cos(radians)];
}

function maskOf(image: Volume, marked: (value: number) => boolean): Volume<Uint8Array> {
  return { ...image, data: Uint8Array.from(image.data, (value) => (marked(value) ? 1 : 0)) };
}

/** Share of the panel's width and height at which the mean of the pixels that pass lies. */
function centreInPanels(png: Uint8Array, passes: (r: number, g: number, b: number) => boolean) {
  const { data, width } = decode(png);
  const field = sizeLps.map((count) => [-0.5, count - 0.5] as const);
  return layoutOverlay(field, spacingLps, ["axial", "coronal", "sagittal"]).panels.map((panel) => {
    let [count, across, down] = [0, 0, 0];
    for (let row = 0; row < panel.height; row++) {
      for (let column = 0; column < panel.width; column++) {
        const offset = 3 * (panel.left + column + width * (panel.top + row));
        if (!passes(data[offset], data[offset + 1], data[offset + 2])) continue;
        count++;
        across += column + 0.5;
        down += row + 0.5;
      }
    }
    return { plane: panel.plane, across: across / count / panel.width, down: down / count / panel.height };
  });
}

// Right on the left: column (2 + ½)/12. Anterior on top: row (3 + ½)/14. Superior on top: row 1 − (1 + ½)/8. Anterior on the left of sagittal.
const expected: readonly { plane: Plane; across: number; down: number }[] = [
  { plane: "axial", across: 2.5 / 12, down: 3.5 / 14 },
  { plane: "coronal", across: 2.5 / 12, down: 6.5 / 8 },
  { plane: "sagittal", across: 3.5 / 14, down: 6.5 / 8 },
];

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];
// Every order, each with another three of the eight flips: all 48 would take seconds.
const storages = orders.flatMap((order, place) =>
  [place, place + 3, place + 6].map((bits) => ({
    order,
    flips: [0, 1, 2].map((axis) => ((bits >> axis) & 1) === 1),
  })),
);

describe("overlayPng", () => {
  it.each(storages)(
    "outlines the voxel where a radiologist expects it: stored as $order, flipped $flips",
    ({ order, flips }) => {
      const image = storedAs(order, flips);
      expectNear(pointOfIndex(image, indexOfBrightest(image)), brightMm);
      const truth = maskOf(image, (value) => value > 0);
      const prediction = maskOf(image, () => false);
      const found = centreInPanels(
        overlayPng(image, truth, prediction, { field: "whole" }),
        (r, g, b) => b > 200 && r < 100 && g > 150,
      );
      found.forEach((place, index) => {
        expect(place.plane).toBe(expected[index].plane);
        expect(Math.abs(place.across - expected[index].across)).toBeLessThan(0.005);
        expect(Math.abs(place.down - expected[index].down)).toBeLessThan(0.005);
      });
    },
  );

  it("draws the scan itself in the same place as the outline, oblique scans by their nearest planes", () => {
    const image = storedAs([2, 0, 1], [true, false, true], 0.25);
    const prediction = maskOf(image, () => false);
    const png = overlayPng(image, null, prediction, { field: "whole", pointMm: rotated(brightMm, 0.25) });
    // Letters and scale bar are white too, so look at the greys that only interpolation makes.
    const found = centreInPanels(png, (r, g, b) => r === g && g === b && r > 20 && r < 235);
    found.forEach((place, index) => {
      expect(Math.abs(place.across - expected[index].across)).toBeLessThan(0.01);
      expect(Math.abs(place.down - expected[index].down)).toBeLessThan(0.01);
    });
  });

  it("shows millimetres, not voxels: panels share one scale", () => {
    const { panels, pixelsPerMm, width } = layoutOverlay(
      [
        [-0.5, 99.5],
        [-0.5, 79.5],
        [-0.5, 19.5],
      ],
      [0.5, 0.5, 3],
      ["axial", "coronal", "sagittal"],
    );
    const millimetres = panels.map((panel) =>
      [panel.width, panel.height].map((pixels) => Math.round(pixels / pixelsPerMm)),
    );
    expect(millimetres).toEqual([
      [50, 40],
      [50, 60],
      [40, 60],
    ]);
    expect(Math.abs(width - 1200)).toBeLessThanOrEqual(3);
  });

  it("alternates the colours where truth and prediction agree, and keeps each alone elsewhere", () => {
    const image = storedAs([0, 1, 2], [false, false, false]);
    const bright = maskOf(image, (value) => value > 0);
    const none = maskOf(image, () => false);
    const blue = (r: number, _: number, b: number) => b > 200 && r < 100;
    const orange = (r: number, _: number, b: number) => r > 200 && b < 100;
    const counts = (truth: Volume<Uint8Array> | null, prediction: Volume<Uint8Array>) => {
      const png = overlayPng(image, truth, prediction, { field: "whole" });
      return [blue, orange].map((passes) =>
        centreInPanels(png, passes).every(({ across }) => Number.isFinite(across)),
      );
    };
    expect(counts(bright, bright)).toEqual([true, true]);
    expect(counts(bright, none)).toEqual([true, false]);
    expect(counts(none, bright)).toEqual([false, true]);
    expect(counts(null, bright)).toEqual([false, true]);
  });

  it("keeps NaN voxels black and takes empty masks", () => {
    const image = storedAs([0, 1, 2], [false, false, false]);
    image.data.fill(Number.NaN);
    const empty = maskOf(image, () => false);
    const found = centreInPanels(
      overlayPng(image, empty, empty),
      (r, g, b) => r === g && g === b && r > 0 && r < 255,
    );
    expect(found.every(({ across }) => Number.isNaN(across))).toBe(true);
  });

  it("refuses a mask on another grid", () => {
    const image = storedAs([0, 1, 2], [false, false, false]);
    const moved = { ...maskOf(image, () => false), originMm: [5, 0, 0] as const };
    expect(() => overlayPng(image, null, moved)).toThrow(InputError);
  });
});

function indexOfBrightest(volume: Volume): Vector3 {
  const offset = volume.data.indexOf(1000);
  const [nx, ny] = volume.size;
  return [offset % nx, Math.floor(offset / nx) % ny, Math.floor(offset / (nx * ny))];
}

function expectNear(point: Vector3, other: Vector3): void {
  point.forEach((value, axis) => {
    expect(value).toBeCloseTo(other[axis], 9);
  });
}
