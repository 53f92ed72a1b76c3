// Draws a preview of a segmented scan as a PNG: overviews with all nodes, and each of the largest nodes with its axes.
import { encode } from "fast-png";
import { InputError } from "../errors.js";
import { crop } from "../volume/crop.js";
import { type IntegerVoxelArray, resample } from "../volume/resample.js";
import {
  type Geometry,
  indexOfPoint,
  type Matrix3,
  pointOfIndex,
  sameGeometry,
  type Vector3,
  type Volume,
} from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import type { NodeMeasurement } from "../voxels/node-measurement.js";
import { textExtent } from "./lettering.js";
import {
  black,
  captionLineHeight,
  captionLines,
  drawCaption,
  drawLegend,
  drawScaleBar,
  drawSideLetters,
  gap,
  greyOf,
  huWindow,
  type LegendEntry,
  outlineOf,
  predictionColour,
  type SideLetters,
  scaleBarPlace,
  sideLetterPlaces,
  softTissueHu,
  truthColour,
  white,
} from "./picture.js";
import {
  type Colour,
  createRaster,
  drawLine,
  drawText,
  type Raster,
  type Rectangle,
  separatedLabels,
  setPixel,
} from "./raster.js";

/** Options for drawing a preview. */
export interface PreviewOptions {
  /** Written above; usually the scan's name. */
  readonly title: string;
  /** Written below: the model's training data, because a picture is often copied without its page. */
  readonly caption: string;
  /** What the model was trained to find; "lymph node" by default. Nodes with a class of their own are counted by it. */
  readonly className?: string;
  /** Centre and width in HU of the grey window for the nodes' tiles; soft tissue, [40, 400], by default. */
  readonly windowHu?: readonly [center: number, width: number];
}

/** A node with its class, where there are several. */
type PreviewNode = NodeMeasurement & { readonly className?: string | undefined };

/**
 * A PNG, 1200 pixels wide. Above, projections of the scan from the front and from the left, like a radiograph, with all
 * nodes outlined and the twelve largest numbered; below, these twelve, each in the axial plane of its short axis: its
 * outline (orange), long axis (blue) and short axis (white) with their ends, its number, class, side, long by short axis in mm,
 * and the position of the slice. A legend, the grey window and "research use only" are always written below.
 *
 * Radiological convention: the patient's right is on the left of coronal and axial views; anterior is on the left of the
 * sagittal one. Views are planes of the patient, whatever the scan's axes.
 *
 * @param instances - on the scan's grid, each node's voxels hold its id
 * @param nodes - measured on the labels of `instances`
 * @throws InputError where the instances do not have the same geometry as the scan
 */
export function segmentationPreviewPng(
  scan: Volume,
  instances: Volume<IntegerVoxelArray>,
  nodes: readonly PreviewNode[],
  options: PreviewOptions,
): Uint8Array {
  return pngOf(segmentationPreview(scan, instances, nodes, options));
}

/** The picture of {@link segmentationPreviewPng}, uncompressed. */
export function segmentationPreview(
  scan: Volume,
  instances: Volume<IntegerVoxelArray>,
  nodes: readonly PreviewNode[],
  { title, caption, className = "lymph node", windowHu = softTissueHu }: PreviewOptions,
): Raster {
  if (!sameGeometry(scan, instances)) {
    throw new InputError(
      `The nodes of a preview (${instances.size.join(" × ")} voxels) do not have the same geometry as its scan (${scan.size.join(" × ")} voxels); resample them to the scan.`,
    );
  }
  const shown = [...nodes].sort((a, b) => b.volumeMl - a.volumeMl).slice(0, mostTiles);
  const heading = captionLines(`${title} · ${countText(className, nodes, shown.length)}`, pictureWidth);
  const overviewsTop = gap + heading.length * captionLineHeight;
  const overviews = overviewsOf(scan, overviewsTop);
  const tilesTop = overviewsTop + Math.max(...overviews.map(({ area }) => area.height)) + gap;
  const rows = Math.ceil(shown.length / tileColumns);
  const footerTop = tilesTop + rows * (tileHeader + tilePixels + gap) + gap;
  const lines = captionLines(
    `${windowText(windowHu)} · Above: mean density along each ray · ${caption} · research use only`,
    pictureWidth,
  );
  const height = footerTop + (1 + lines.length) * captionLineHeight + gap;
  const raster = createRaster(pictureWidth, height, black);
  drawCaption(raster, heading, gap - 2);
  for (const view of overviews) drawOverview(raster, view, instances, nodes, shown);
  shown.forEach((node, place) => {
    const left = gap + (place % tileColumns) * (tilePixels + gap);
    const top = tilesTop + Math.floor(place / tileColumns) * (tileHeader + tilePixels + gap);
    drawText(raster, nodeTitle(node), { left, top, size: "text" }, white);
    drawText(raster, sliceText(scan, node), { left, top: top + tileLine, size: "text" }, grey);
    const area = { left, top: top + tileHeader, width: tilePixels, height: tilePixels };
    drawTile(raster, axialView(node, area, tileFieldMm), scan, instances, node, windowHu);
  });
  drawLegend(raster, nodeLegend, footerTop);
  drawCaption(raster, lines, footerTop + captionLineHeight);
  return raster;
}

/** A picture as the bytes of a PNG. */
export function pngOf({ width, height, data }: Raster): Uint8Array {
  return encode({ width, height, data, channels: 3, depth: 8 });
}

const pictureWidth = 1200;
const mostTiles = 12;
const tileColumns = 4;
const tilePixels = Math.floor((pictureWidth - gap * (tileColumns + 1)) / tileColumns);
const tileLine = 19;
const tileHeader = 2 * tileLine + 4;
const tileFieldMm = 60;
const tileMarginMm = 10;
const maxOverviewHeight = 480;
/** Distance between the rays of an overview, and between the samples along a ray. */
const rayStepMm = 2;
/** Distance between the numbers of two nodes, and between a node and its number, in pixels. */
const labelGap = 4;

const grey: Colour = [190, 190, 190];
const neighbourColour: Colour = [150, 90, 0];

export const nodeLegend: readonly LegendEntry[] = [
  { text: "outline of a node", tiles: [predictionColour] },
  { text: "of another node in the slice", tiles: [neighbourColour] },
  { text: "long axis", tiles: [truthColour] },
  { text: "short axis", tiles: [white] },
];

function countText(className: string, nodes: readonly PreviewNode[], shown: number): string {
  if (nodes.length === 0) return `${className}: none found`;
  const counts = new Map<string, number>();
  for (const { className: name = className } of nodes) counts.set(name, (counts.get(name) ?? 0) + 1);
  const found = [...counts].map(([name, count]) => `${name}: ${count} found`).join(", ");
  return `${found}${shown < nodes.length ? `, the ${shown} largest shown below` : ""}`;
}

export function windowText([center, width]: readonly [number, number]): string {
  return `Slices: grey from ${hu(center - width / 2)} to ${hu(center + width / 2)} HU`;
}

const hu = (value: number): string => String(Math.round(value)).replace("-", "−");

function nodeTitle({ id, className, side, longAxisMm, shortAxisMm }: PreviewNode): string {
  return `${id}  ${className === undefined ? "" : `${className}, `}${side}, ${longAxisMm.toFixed(1)} × ${shortAxisMm.toFixed(1)} mm`;
}

/** The position of the slice of a node's tile: its number (from 1, in the scan's order of slices) and its height. */
export function sliceText(scan: Geometry, { shortAxisEndsLpsMm }: NodeMeasurement): string {
  const point = middleOf(shortAxisEndsLpsMm);
  const cosines = [6, 7, 8].map((entry) => Math.abs(scan.direction[entry]));
  const across = cosines.indexOf(Math.max(...cosines));
  const slice = Math.min(scan.size[across], Math.max(1, Math.round(indexOfPoint(scan, point)[across]) + 1));
  const height = point[2].toFixed(1).replace("-", "−");
  return `slice ${slice} of ${scan.size[across]}, ${height} mm S`;
}

/** A part of the picture, and the plane of the patient that it shows: i along a row, j down, one voxel thick. */
interface View {
  readonly area: Rectangle;
  readonly plane: Geometry;
  readonly letters: SideLetters;
}

/** Columns of a direction matrix: to the right of the picture, down, and away from the viewer. */
const axialDirection: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const coronalDirection: Matrix3 = [1, 0, 0, 0, 0, 1, 0, -1, 0];
const sagittalDirection: Matrix3 = [0, 0, -1, 1, 0, 0, 0, -1, 0];

/** The axial plane of a node's short axis, around its long axis; of at least `leastFieldMm`. */
export function axialView(node: NodeMeasurement, area: Rectangle, leastFieldMm: number): View {
  const fieldMm = Math.max(leastFieldMm, node.longAxisMm + 2 * tileMarginMm);
  const [centre, [, , z]] = [middleOf(node.longAxisEndsLpsMm), middleOf(node.shortAxisEndsLpsMm)];
  const cornerMm: Vector3 = [centre[0] - fieldMm / 2, centre[1] - fieldMm / 2, z];
  return {
    area,
    plane: planeOf(area, axialDirection, cornerMm, area.width / fieldMm),
    letters: ["R", "L", "A", "P"],
  };
}

/** The pixels of an area as a plane of the patient whose upper left corner is given. */
function planeOf(
  { width, height }: Rectangle,
  direction: Matrix3,
  cornerMm: Vector3,
  pixelsPerMm: number,
): Geometry {
  const plane = {
    size: [width, height, 1] as const,
    spacingMm: [1 / pixelsPerMm, 1 / pixelsPerMm, 1] as const,
    originMm: cornerMm,
    direction,
  };
  return { ...plane, originMm: pointOfIndex(plane, [0.5, 0.5, 0]) };
}

/** Draws a node in its view: the scan, the outlines of it and of others, and its axes. */
export function drawTile(
  raster: Raster,
  view: View,
  scan: Volume,
  instances: Volume<IntegerVoxelArray>,
  node: NodeMeasurement,
  windowHu: readonly [number, number],
): void {
  const { area, plane, letters } = view;
  const window = huWindow(windowHu);
  drawPixels(raster, area, resample(scan, plane, "linear", Number.NaN).data, (hu) => greyOf(hu, window));
  const ids = resample(instances, plane, "nearest", 0).data;
  drawOutline(
    raster,
    area,
    maskWhere(ids, (id) => id !== 0 && id !== node.id),
    neighbourColour,
  );
  drawOutline(
    raster,
    area,
    maskWhere(ids, (id) => id === node.id),
    predictionColour,
  );
  drawAxis(raster, view, node.longAxisEndsLpsMm, truthColour);
  drawAxis(raster, view, node.shortAxisEndsLpsMm, white);
  drawSideLetters(raster, area, letters, "text");
  drawScaleBar(raster, area, 1 / plane.spacingMm[0]);
}

/** An axis between its ends, each a small square. */
function drawAxis(
  raster: Raster,
  { area, plane }: View,
  endsLpsMm: readonly [Vector3, Vector3],
  colour: Colour,
): void {
  const ends = endsLpsMm.map((point) => pixelOf(area, plane, point));
  drawLine(raster, [ends[0], ends[1]], 2, colour, area);
  for (const end of ends) drawLine(raster, [end, end], 6, colour, area);
}

/** A projection of the scan along one of the patient's axes. */
interface Overview extends View {
  /** Mean HU above air along each ray; `rays[column + width * row]`. */
  readonly rays: Float32Array;
}

/** The scan from the front and from the left, at the same scale, centred in the picture. */
function overviewsOf(scan: Volume, top: number): readonly [Overview, Overview] {
  const box = boxOf(scan);
  const [widthMm, depthMm, heightMm] = box.extentMm;
  const pixelsPerMm = Math.min((pictureWidth - 3 * gap) / (widthMm + depthMm), maxOverviewHeight / heightMm);
  const pixels = (lengthMm: number) => Math.max(1, Math.floor(lengthMm * pixelsPerMm));
  const left = Math.floor((pictureWidth - pixels(widthMm) - gap - pixels(depthMm)) / 2);
  const area = { top, height: pixels(heightMm) };
  const [x, y, z] = box.lowMm;
  const { alongX, alongY } = raysThrough(scan, box);
  const view = (
    place: Pick<Rectangle, "left" | "width">,
    direction: Matrix3,
    letters: View["letters"],
    rays: Volume,
  ): Overview => {
    const all = { ...area, ...place };
    const plane = planeOf(all, direction, [x, y, z + heightMm], pixelsPerMm);
    return { area: all, plane, letters, rays: resample(rays, plane, "linear", 0).data };
  };
  return [
    view({ left, width: pixels(widthMm) }, coronalDirection, ["R", "L", "S", "I"], alongY),
    view(
      { left: left + pixels(widthMm) + gap, width: pixels(depthMm) },
      sagittalDirection,
      ["A", "P", "S", "I"],
      alongX,
    ),
  ];
}

/** A box along the patient's axes. */
interface Box {
  readonly lowMm: Vector3;
  readonly extentMm: Vector3;
}

/** The smallest box along the patient's axes that contains every voxel of a grid. */
function boxOf(grid: Geometry): Box {
  const corners = Array.from({ length: 8 }, (_, corner) =>
    pointOfIndex(grid, [
      corner & 1 ? grid.size[0] - 0.5 : -0.5,
      corner & 2 ? grid.size[1] - 0.5 : -0.5,
      corner & 4 ? grid.size[2] - 0.5 : -0.5,
    ]),
  );
  const along = (axis: 0 | 1 | 2, of: (...values: number[]) => number) =>
    of(...corners.map((corner) => corner[axis]));
  const lowMm: Vector3 = [along(0, Math.min), along(1, Math.min), along(2, Math.min)];
  const extent = (axis: 0 | 1 | 2) => along(axis, Math.max) - lowMm[axis];
  return { lowMm, extentMm: [extent(0), extent(1), extent(2)] };
}

/** Means of HU above air along x and along y, each as a volume one voxel thick at the low side of the box. */
function raysThrough(scan: Volume, { lowMm, extentMm }: Box): { alongX: Volume; alongY: Volume } {
  const count = (axis: 0 | 1 | 2) => Math.max(1, Math.round(extentMm[axis] / rayStepMm));
  const size: Vector3 = [count(0), count(1), count(2)];
  const spacingMm: Vector3 = [extentMm[0] / size[0], extentMm[1] / size[1], extentMm[2] / size[2]];
  const half: Vector3 = [
    lowMm[0] + spacingMm[0] / 2,
    lowMm[1] + spacingMm[1] / 2,
    lowMm[2] + spacingMm[2] / 2,
  ];
  const grid = { size, spacingMm, originMm: half, direction: axialDirection };
  const { data } = resample(scan, grid, "linear", airHu);
  const alongX = new Float32Array(size[1] * size[2]);
  const alongY = new Float32Array(size[0] * size[2]);
  for (let k = 0, at = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      for (let i = 0; i < size[0]; i++, at++) {
        // The comparison is false for NaN, which so adds nothing.
        const aboveAir = data[at] > airHu ? data[at] - airHu : 0;
        alongX[j + size[1] * k] += aboveAir / size[0];
        alongY[i + size[0] * k] += aboveAir / size[1];
      }
    }
  }
  return {
    alongX: { ...grid, data: alongX, size: [1, size[1], size[2]], originMm: [lowMm[0], half[1], half[2]] },
    alongY: { ...grid, data: alongY, size: [size[0], 1, size[2]], originMm: [half[0], lowMm[1], half[2]] },
  };
}

const airHu = -1000;

function drawOverview(
  raster: Raster,
  view: Overview,
  instances: Volume<IntegerVoxelArray>,
  nodes: readonly NodeMeasurement[],
  numbered: readonly NodeMeasurement[],
): void {
  const { area, plane, letters, rays } = view;
  const brightest = rays.reduce((most, value) => Math.max(most, value), 1);
  drawPixels(raster, area, rays, (value) => greyOf(value, [0, brightest]));
  for (const node of nodes) drawOutline(raster, area, shadowOf(plane, instances, node), predictionColour);
  drawNumbers(raster, view, instances, numbered);
  drawSideLetters(raster, area, letters, "text");
  drawScaleBar(raster, area, 1 / plane.spacingMm[0]);
}

/** Draws the number of each node beside it, with a line to the node if there was no room. */
function drawNumbers(
  raster: Raster,
  { area, plane, letters }: Overview,
  instances: Volume<IntegerVoxelArray>,
  nodes: readonly NodeMeasurement[],
): void {
  const wanted = nodes.map((node) => {
    const { reachAcross } = footprintOf(instances, plane);
    const [column, row] = pixelOf(area, plane, node.centroidLpsMm);
    const half = halfWidthOf(node, instances, plane) + reachAcross;
    const { width, height } = textExtent(`${node.id}`, "text");
    return {
      left: Math.round(column + half + labelGap),
      top: Math.round(row - height / 2),
      width,
      height,
    };
  });
  const taken = [...sideLetterPlaces(area, letters, "text"), scaleBarPlace(area, 1 / plane.spacingMm[0])];
  separatedLabels(wanted, { gap: labelGap, taken, within: area }).forEach((label, at) => {
    const { left, top, width, height } = label;
    const distance = Math.hypot(left - wanted[at].left, top - wanted[at].top);
    if (distance > height) {
      const centre: readonly [number, number] = [left + width / 2, top + height / 2];
      drawLine(raster, [centre, pixelOf(area, plane, nodes[at].centroidLpsMm)], 1, grey, area);
    }
    drawText(raster, `${nodes[at].id}`, { left, top, size: "text" }, white);
  });
}

/** Half the width of a node's box projected to a plane, in pixels. */
function halfWidthOf(
  { boundingBoxIndex: { start, size } }: NodeMeasurement,
  grid: Geometry,
  plane: Geometry,
): number {
  const columns = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) => {
    const at = (axis: 0 | 1 | 2) => start[axis] + (corner & (1 << axis) ? size[axis] - 1 : 0);
    return indexOfPoint(plane, pointOfIndex(grid, [at(0), at(1), at(2)]))[0];
  });
  return (Math.max(...columns) - Math.min(...columns)) / 2;
}

/** The pixels that a node's voxels cover, seen along the plane's normal. */
function shadowOf(
  plane: Geometry,
  instances: Volume<IntegerVoxelArray>,
  { id, boundingBoxIndex: { start, size } }: NodeMeasurement,
): Uint8Array {
  const box = crop(instances, start, size);
  const [width, height] = plane.size;
  const shadow = new Uint8Array(width * height);
  const { reachAcross, reachDown } = footprintOf(box, plane);
  for (let at = 0; at < box.data.length; at++) {
    if (box.data[at] !== id) continue;
    const index: Vector3 = [
      at % size[0],
      Math.floor(at / size[0]) % size[1],
      Math.floor(at / (size[0] * size[1])),
    ];
    const [column, row] = indexOfPoint(plane, pointOfIndex(box, index));
    const [first, last] = [
      Math.max(0, Math.ceil(column - reachAcross)),
      Math.min(width - 1, column + reachAcross),
    ];
    for (let y = Math.max(0, Math.ceil(row - reachDown)); y <= Math.min(height - 1, row + reachDown); y++) {
      for (let x = first; x <= last; x++) shadow[x + width * y] = 1;
    }
  }
  return shadow;
}

/** Half the extent of a voxel projected to a plane, along rows and columns, in pixels; for an oblique voxel, of its box. */
function footprintOf(grid: Geometry, plane: Geometry): { reachAcross: number; reachDown: number } {
  const corner = indexOfPoint(plane, grid.originMm);
  const steps = (
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ] as const
  ).map((step) => indexOfPoint(plane, pointOfIndex(grid, step)));
  const reach = (axis: 0 | 1) =>
    steps.reduce((sum, step) => sum + Math.abs(step[axis] - corner[axis]), 0) / 2;
  return { reachAcross: reach(0), reachDown: reach(1) };
}

/** The pixel of the picture at a point, along the plane's normal. */
function pixelOf(area: Rectangle, plane: Geometry, pointMm: Vector3): readonly [number, number] {
  const [column, row] = indexOfPoint(plane, pointMm);
  return [area.left + column, area.top + row];
}

function middleOf([a, b]: readonly [Vector3, Vector3]): Vector3 {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2];
}

function drawPixels(
  raster: Raster,
  { left, top, width }: Rectangle,
  values: Float32Array,
  colourOf: (value: number) => Colour,
): void {
  values.forEach((value, at) => {
    setPixel(raster, left + (at % width), top + Math.floor(at / width), colourOf(value));
  });
}

function drawOutline(
  raster: Raster,
  { left, top, width, height }: Rectangle,
  inside: Uint8Array,
  colour: Colour,
): void {
  outlineOf(inside, width, height).forEach((isLine, at) => {
    if (isLine === 1) setPixel(raster, left + (at % width), top + Math.floor(at / width), colour);
  });
}
