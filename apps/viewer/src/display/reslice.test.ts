// Cut planes have the values that arithmetic gives, in upright, oblique and one-slice scans.
import { type Geometry, pointOfIndex, type Volume } from "@lnsnet/core/volume";
import { describe, expect, test } from "vitest";
import { paintLabels } from "./label-paint.js";
import { type PlaneView, patientPlanes, pointOfPixel } from "./plane.js";
import { resliceGrey, resliceLabels } from "./reslice.js";

const upright: Geometry = {
  size: [6, 5, 4],
  spacingMm: [1, 2, 3],
  originMm: [10, 20, 30],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const [cosine, sine] = [Math.cos(0.3), Math.sin(0.3)];
const oblique: Geometry = { ...upright, direction: [cosine, -sine, 0, sine, cosine, 0, 0, 0, 1] };

/** HU that grow by the same amount with each millimetre are interpolated exactly. */
const ramp = ([x, y, z]: readonly number[]) => 3 * x - 2 * y + z;
const rampIn = (geometry: Geometry): Volume<Float32Array> => {
  const [width, height, depth] = geometry.size;
  const data = new Float32Array(width * height * depth);
  for (let n = 0; n < data.length; n++) {
    const i = n % width;
    const j = Math.floor(n / width) % height;
    data[n] = ramp(pointOfIndex(geometry, [i, j, Math.floor(n / (width * height))]));
  }
  return { ...geometry, data };
};

const viewOf = (plane: keyof typeof patientPlanes, geometry: Geometry): PlaneView => ({
  axes: patientPlanes[plane],
  centreMm: pointOfIndex(geometry, [2.5, 2, 1.5]),
  mmPerPixel: 0.25,
  width: 80,
  height: 80,
});

describe.each([
  ["upright", upright],
  ["oblique", oblique],
])("a ramp of HU in an %s scan", (_, geometry) => {
  test.each(["axial", "coronal", "sagittal"] as const)("is a ramp in the %s plane", (plane) => {
    const scan = rampIn(geometry);
    const view = viewOf(plane, geometry);
    const out = new Uint32Array(view.width * view.height);
    resliceGrey(scan, view, { centreHu: ramp(view.centreMm), widthHu: 256 }, out);
    expect(out[0]).toBe(0xff000000);
    for (const [x, y] of [
      [40, 40],
      [43, 38],
      [36, 41],
    ]) {
      const expected = ramp(pointOfPixel(view, x + 0.5, y + 0.5)) - ramp(view.centreMm) + 128;
      expect(out[y * view.width + x] & 0xff).toBeGreaterThan(expected * (255 / 256) - 1.5);
      expect(out[y * view.width + x] & 0xff).toBeLessThan(expected * (255 / 256) + 1.5);
    }
  });
});

test("half a voxel around a single slice has its value", () => {
  const scan: Volume<Int16Array> = { ...upright, size: [2, 1, 1], data: Int16Array.of(0, 100) };
  const view = {
    ...viewOf("coronal", upright),
    centreMm: [10.5, 20.9, 28.6],
    mmPerPixel: 0.5,
    width: 6,
  } as const;
  const out = new Uint32Array(view.width * view.height);
  resliceGrey(scan, { ...view, height: 1 }, { centreHu: 50, widthHu: 255 }, out);
  const grey = [...out.subarray(0, 6)].map((pixel) => pixel & 0xff);
  expect(grey).toEqual([0, 77, 102, 152, 177, 0]);
});

test("labels are those of the voxel under the pixel, outlined where they end", () => {
  const labels: Volume<Uint8Array> = { ...upright, size: [4, 4, 1], data: new Uint8Array(16) };
  for (const [i, j] of [
    [1, 1],
    [2, 1],
    [1, 2],
    [2, 2],
  ])
    labels.data[i + 4 * j] = 7;
  const view: PlaneView = {
    axes: patientPlanes.axial,
    centreMm: [11.5, 23, 30],
    mmPerPixel: 0.5,
    width: 8,
    height: 16,
  };
  const map = new Uint8Array(8 * 16);
  resliceLabels(labels, view, map);
  const rows = Array.from({ length: 16 }, (_, y) => map.subarray(8 * y, 8 * y + 8).join(""));
  expect(rows).toEqual([
    ...Array(4).fill("00000000"),
    ...Array(8).fill("00777700"),
    ...Array(4).fill("00000000"),
  ]);

  const picture = new Uint32Array(map.length).fill(0xff000000);
  const colours = new Uint32Array(256);
  colours[7] = 0x0000ff;
  const shown = new Uint8Array(256).fill(1);
  paintLabels(map, 8, { colours, shown, fillOpacity: 0.5, outlineWidth: 1, selected: 0 }, picture);
  expect(picture[4 * 8 + 2]).toBe(0xff0000ff);
  expect(picture[6 * 8 + 3]).toBe(0xff00007f);
  expect(picture[0]).toBe(0xff000000);
});
