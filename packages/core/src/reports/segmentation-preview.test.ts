import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import type { Geometry, Volume } from "../volume/volume.js";
import { measureNodes } from "../voxels/node-measurement.js";
import type { Rectangle } from "./raster.js";
import { segmentationPreviewPng } from "./segmentation-preview.js";

// 40 voxels of 1 mm along each axis. Overviews are 480 pixels high, so 12 pixels a mm; both are 480 wide, 10 apart, and
// so begin at 115 and 605, below the title at 34. The first tile is 287 pixels for 60 mm and begins at (10, 566).
const upright: Geometry = {
  size: [40, 40, 40],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
// Memory runs downwards along z first, then along x, then along y.
const turned: Geometry = { ...upright, originMm: [0, 0, 39], direction: [0, 1, 0, 0, 0, 1, -1, 0, 0] };

type Voxel = readonly [x: number, y: number, z: number];

/** Values by place in the patient, stored in either order. */
function volumeOn(grid: Geometry, valueAt: (voxel: Voxel) => number): Volume<Uint8Array> {
  const data = Uint8Array.from({ length: 40 ** 3 }, (_, at) => {
    const [a, b, c] = [at % 40, Math.floor(at / 40) % 40, Math.floor(at / 1600)];
    return valueAt(grid === turned ? [b, c, 39 - a] : [a, b, c]);
  });
  return { ...grid, data };
}

function previewOf(grid: Geometry, idAt: (voxel: Voxel) => number) {
  const instances = volumeOn(grid, idAt);
  const scan = { ...grid, data: Float32Array.from(instances.data, (id) => (id === 0 ? -1000 : 60)) };
  const nodes = measureNodes(instances, scan, "labels");
  return decode(segmentationPreviewPng(scan, instances, nodes, { title: "scan", caption: "phantom" }));
}

/** A node of 6 × 6 × 4 mm on the patient's left, in front and below. */
const isInside = ([x, y, z]: Voxel) => (x >= 28 && x < 34 && y >= 10 && y < 16 && z >= 5 && z < 9 ? 1 : 0);

const isOrange = (r: number, g: number, b: number) => r === 255 && g === 150 && b === 0;

/** The box of the pixels of a colour within an area. */
function boxOf(
  { data, width }: ReturnType<typeof decode>,
  area: Rectangle,
  passes: (r: number, g: number, b: number) => boolean,
) {
  const [columns, rows]: [number[], number[]] = [[], []];
  for (let row = area.top; row < area.top + area.height; row++) {
    for (let column = area.left; column < area.left + area.width; column++) {
      const at = 3 * (column + width * row);
      if (!passes(data[at], data[at + 1], data[at + 2])) continue;
      columns.push(column);
      rows.push(row);
    }
  }
  return [Math.min(...columns), Math.max(...columns), Math.min(...rows), Math.max(...rows)];
}

const coronal = { left: 115, top: 34, width: 480, height: 480 };
const sagittal = { ...coronal, left: 605 };
const tile = { left: 10, top: 566, width: 287, height: 287 };

describe("segmentationPreviewPng", () => {
  it.each([
    ["upright", upright],
    ["turned", turned],
  ])("shows a node where a radiologist expects it: stored %s", (_, grid) => {
    const picture = previewOf(grid, isInside);
    // Right on the left, superior on top: x from 28 to 34, z from 9 down to 5.
    expect(boxOf(picture, coronal, isOrange)).toEqual([
      115 + 28 * 12,
      115 + 34 * 12 - 1,
      34 + 31 * 12,
      34 + 35 * 12 - 1,
    ]);
    // Anterior on the left: y from 10 to 16.
    expect(boxOf(picture, sagittal, isOrange)).toEqual([
      605 + 120,
      605 + 191,
      34 + 31 * 12,
      34 + 35 * 12 - 1,
    ]);
  });

  it("outlines each node by itself where two lie one behind the other", () => {
    // One on the left; the other on the right, 3 mm further back, at the same height.
    const two = ([x, y, z]: Voxel) => isInside([x, y, z]) || 2 * isInside([x + 20, y - 3, z]);
    const picture = previewOf(upright, two);
    const middleRow = { ...sagittal, top: 34 + 32 * 12, height: 1 };
    const edges = [10, 13, 16, 19].map((y) => 605 + y * 12);
    for (const edge of edges) {
      const [left, right] = boxOf(picture, { ...middleRow, left: edge - 2, width: 4 }, isOrange);
      expect(left).toBeLessThanOrEqual(right);
    }
  });

  it("cuts the tile about the node, in mm, and draws the long axis as long as it is", () => {
    const picture = previewOf(upright, isInside);
    const pixelsPerMm = 287 / 60;
    const [left, right, top, bottom] = boxOf(picture, tile, isOrange);
    expect(Math.abs(right + 1 - left - 6 * pixelsPerMm)).toBeLessThanOrEqual(1.5);
    expect(Math.abs((left + right + 1) / 2 - (10 + 287 / 2))).toBeLessThanOrEqual(1.5);
    expect(Math.abs((top + bottom + 1) / 2 - (566 + 287 / 2))).toBeLessThanOrEqual(1.5);
    // The corners of the octagonal outline: from a half voxel before one corner to one behind the other, 6 by 5 mm.
    const blue = boxOf(picture, tile, (r, g, b) => r === 64 && g === 190 && b === 255);
    const spans = [blue[1] + 1 - blue[0], blue[3] + 1 - blue[2]].sort((a, b) => a - b);
    // The squares at the ends are 6 pixels wide.
    expect(Math.abs(spans[0] - (5 * pixelsPerMm + 6))).toBeLessThanOrEqual(2);
    expect(Math.abs(spans[1] - (6 * pixelsPerMm + 6))).toBeLessThanOrEqual(2);
  });

  it("grows by rows of four tiles, for at most twelve nodes; without a node it shows the scan", () => {
    const cubes = (count: number) => (voxel: Voxel) => {
      const [x, y, z] = voxel.map((n) => Math.floor(n / 4));
      const isInside = voxel.every((n) => n % 4 < 2);
      return isInside && y === 0 && x + 10 * z < count ? 1 + x + 10 * z : 0;
    };
    const heights = [0, 4, 13].map((count) => previewOf(upright, cubes(count)).height);
    const row = heights[1] - heights[0];
    expect(row).toBe(42 + 287 + 10);
    expect(heights.map((height) => (height - heights[0]) / row)).toEqual([0, 1, 3]);
  });

  it("refuses nodes of another grid", () => {
    const instances = volumeOn(upright, isInside);
    const elsewhere = { ...instances, originMm: [5, 0, 0] as const };
    expect(() => segmentationPreviewPng(elsewhere, instances, [], { title: "", caption: "" })).toThrow(
      InputError,
    );
  });
});
