// Draws a scan with the outlines of its segmentation, in three planes, as a PNG.
import { encode } from "fast-png";
import { InputError } from "../errors.js";
import { reorientToLps } from "../volume/orientation.js";
import { indexOfPoint, sameGeometry, type Vector3, type Volume } from "../volume/volume.js";
import {
  black,
  captionLineHeight,
  captionLines,
  drawCaption,
  drawLegend,
  drawScaleBar,
  drawSideLetters,
  type GreyWindow,
  gap,
  greyOf,
  huWindow,
  type LegendEntry,
  outlineOf,
  predictionColour,
  softTissueHu,
  truthColour,
  white,
} from "./picture.js";
import { createRaster, drawText, type Raster, type Rectangle, setPixel } from "./raster.js";

/** A plane of the patient; in an oblique scan, the nearest plane of voxels. */
export type Plane = "axial" | "coronal" | "sagittal";

/** Options for drawing an overlay. */
export interface OverlayOptions {
  /** Centre and width of the grey window in HU; soft tissue, [40, 400], by default. */
  readonly windowHu?: readonly [center: number, width: number] | undefined;
  /** Panels from left to right; all three by default. */
  readonly planes?: readonly Plane[] | undefined;
  /** Point (LPS mm) that every plane goes through; by default each plane is the slice with the largest area of the truth (or of the prediction, if there is no truth). */
  readonly pointMm?: Vector3 | undefined;
  /** The part of the scan to show: the outlined foreground with a margin (default), or the whole scan. */
  readonly field?: "foreground" | "whole" | undefined;
  /** Written below the panels. State the data here (for instance "phantom"), because a picture is often copied without its page. */
  readonly caption?: string | undefined;
}

/**
 * A PNG, about 1200 pixels wide, of a scan with the outlines of truth (blue) and prediction (orange); where both outlines
 * coincide the colours alternate. All panels have the same scale in mm, whatever the spacing.
 *
 * Radiological convention: the patient's right is on the left of axial and coronal panels, anterior is on top of the axial
 * and on the left of the sagittal panel, superior is on top of coronal and sagittal panels. Volumes may have any axis order and flips.
 *
 * Outlines follow voxel faces, without smoothing, and so show exactly what the metrics count. Any label above zero is
 * outlined.
 *
 * @throws InputError when a mask does not have the same geometry as the scan.
 */
export function overlayPng(
  image: Volume,
  truth: Volume<Uint8Array> | null,
  prediction: Volume<Uint8Array>,
  options: OverlayOptions = {},
): Uint8Array {
  for (const [name, mask] of [
    ["truth", truth],
    ["prediction", prediction],
  ] as const) {
    if (mask !== null && !sameGeometry(image, mask)) {
      throw new InputError(
        `The ${name} of an overlay (size ${mask.size.join("×")}) does not have the same geometry as its scan (size ${image.size.join("×")}); resample the ${name} to the scan.`,
      );
    }
  }
  const scan = reorientToLps(image);
  const truthMask = truth === null ? null : reorientToLps(truth);
  const predictionMask = reorientToLps(prediction);
  const masks = truthMask === null ? [predictionMask] : [truthMask, predictionMask];
  const slices = options.pointMm === undefined ? fullestSlices(masks) : nearestVoxel(scan, options.pointMm);
  const field = options.field === "whole" ? wholeField(scan) : foregroundField(scan, masks, slices);
  const layout = layoutOverlay(field, scan.spacingMm, options.planes ?? ["axial", "coronal", "sagittal"]);

  const legend = legendOf(truthMask !== null);
  const caption = captionLines(options.caption ?? "", layout.width);
  const footerHeight = (1 + caption.length) * captionLineHeight + gap;
  const raster = createRaster(layout.width, layout.height + footerHeight, black);
  const window = huWindow(options.windowHu ?? softTissueHu);
  for (const panel of layout.panels) {
    drawScan(raster, panel, scan, slices, window);
    drawOutlines(raster, panel, truthMask, predictionMask, slices);
    drawText(raster, panel.plane, { left: panel.left, top: 10, size: "text" }, white);
    drawSideLetters(raster, panel, planeAxes[panel.plane].letters, "large");
  }
  drawScaleBar(raster, layout.panels[0], layout.pixelsPerMm);
  drawLegend(raster, legend, layout.height + gap);
  drawCaption(raster, caption, layout.height + gap + captionLineHeight);
  return encode({ width: raster.width, height: raster.height, data: raster.data, channels: 3, depth: 8 });
}

/** The position of a panel in the picture, and the voxels of the LPS-ordered volume that it shows. */
export interface Panel extends Rectangle {
  readonly plane: Plane;
  readonly across: PanelAxis;
  readonly down: PanelAxis;
}

/** One direction of a panel: pixel p shows index `first + (p + ½)·perPixel` of axis `axis` (0 right→left, 1 anterior→posterior, 2 inferior→superior). */
interface PanelAxis {
  readonly axis: 0 | 1 | 2;
  readonly first: number;
  readonly perPixel: number;
}

/** Panels side by side, all at `pixelsPerMm`, as large as fits in {@link pictureWidth}. `field` is in voxel edges: a whole axis of n voxels is [−½, n − ½]. */
export function layoutOverlay(
  field: Field,
  spacingMm: Vector3,
  planes: readonly Plane[],
): {
  readonly panels: readonly Panel[];
  readonly width: number;
  readonly height: number;
  readonly pixelsPerMm: number;
} {
  const extentMm = field.map(([low, high], axis) => (high - low) * spacingMm[axis]);
  const widthMm = planes.reduce((sum, plane) => sum + extentMm[planeAxes[plane].across], 0);
  const heightMm = Math.max(...planes.map((plane) => extentMm[planeAxes[plane].down]));
  const pixelsPerMm = Math.min((pictureWidth - gap * (planes.length + 1)) / widthMm, maxHeight / heightMm);
  const panelAxis = (axis: 0 | 1 | 2, flipped: boolean): PanelAxis => {
    const perPixel = 1 / (pixelsPerMm * spacingMm[axis]);
    return flipped
      ? { axis, first: field[axis][1], perPixel: -perPixel }
      : { axis, first: field[axis][0], perPixel };
  };
  let left = gap;
  const panels = planes.map((plane): Panel => {
    const { across, down } = planeAxes[plane];
    const panel = {
      plane,
      left,
      top: headerHeight,
      width: Math.max(1, Math.round(extentMm[across] * pixelsPerMm)),
      height: Math.max(1, Math.round(extentMm[down] * pixelsPerMm)),
      across: panelAxis(across, false),
      // Rows run downwards, but the third LPS axis runs upwards.
      down: panelAxis(down, down === 2),
    };
    left += panel.width + gap;
    return panel;
  });
  return {
    panels,
    width: left,
    height: headerHeight + Math.max(...panels.map(({ height }) => height)),
    pixelsPerMm,
  };
}

type Field = readonly (readonly [low: number, high: number])[];

const pictureWidth = 1200;
const maxHeight = 1000;
const headerHeight = 32;
const marginMm = 15;
const leastFieldMm = 90;

const planeAxes = {
  axial: { through: 2, across: 0, down: 1, letters: ["R", "L", "A", "P"] },
  coronal: { through: 1, across: 0, down: 2, letters: ["R", "L", "S", "I"] },
  sagittal: { through: 0, across: 1, down: 2, letters: ["A", "P", "S", "I"] },
} as const;

/** For each axis the slice with the largest area of the first mask that is not empty; the middle when all are empty. */
function fullestSlices(masks: readonly Volume<Uint8Array>[]): Vector3 {
  for (const mask of masks) {
    const areas = sliceAreas(mask);
    if (areas[0].some((area) => area > 0)) return forEachAxis((axis) => indexOfLargest(areas[axis]));
  }
  return forEachAxis((axis) => Math.floor(masks[0].size[axis] / 2));
}

function forEachAxis(value: (axis: 0 | 1 | 2) => number): Vector3 {
  return [value(0), value(1), value(2)];
}

/** The number of foreground voxels in each slice, across i, j and k. */
function sliceAreas({ data, size }: Volume<Uint8Array>): readonly Uint32Array[] {
  const areas = size.map((count) => new Uint32Array(count));
  let offset = 0;
  for (let k = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      for (let i = 0; i < size[0]; i++, offset++) {
        if (data[offset] === 0) continue;
        areas[0][i]++;
        areas[1][j]++;
        areas[2][k]++;
      }
    }
  }
  return areas;
}

function indexOfLargest(values: Uint32Array): number {
  return values.reduce((best, value, index) => (value > values[best] ? index : best), 0);
}

function nearestVoxel(volume: Volume, pointMm: Vector3): Vector3 {
  const index = indexOfPoint(volume, pointMm);
  return forEachAxis((axis) => clamp(Math.round(index[axis]), volume.size[axis]));
}

function clamp(index: number, count: number): number {
  return Math.min(count - 1, Math.max(0, index));
}

function wholeField(volume: Volume): Field {
  return volume.size.map((count) => [-0.5, count - 0.5] as const);
}

/** The box around all foreground voxels and the shown slices, with a margin and a minimum size of half a neck, clipped to the scan. */
function foregroundField(volume: Volume, masks: readonly Volume<Uint8Array>[], slices: Vector3): Field {
  const areas = masks.map(sliceAreas);
  if (areas.every(([area]) => area.every((count) => count === 0))) return wholeField(volume);
  return volume.size.map((count, axis) => {
    const marked = areas.flatMap((some) => [
      some[axis].findIndex((n) => n > 0),
      some[axis].findLastIndex((n) => n > 0),
    ]);
    const shown = [...marked.filter((index) => index >= 0), slices[axis]];
    const margin = marginMm / volume.spacingMm[axis];
    let low = Math.min(...shown) - 0.5 - margin;
    let high = Math.max(...shown) + 0.5 + margin;
    const lacking = leastFieldMm / volume.spacingMm[axis] - (high - low);
    if (lacking > 0) {
      low -= lacking / 2;
      high += lacking / 2;
    }
    const shift = Math.max(0, -0.5 - low) - Math.max(0, high - (count - 0.5));
    return [Math.max(-0.5, low + shift), Math.min(count - 0.5, high + shift)] as const;
  });
}

/** Grey values by linear interpolation within the slice, so that thick slices do not look like stairs. */
function drawScan(raster: Raster, panel: Panel, scan: Volume, slices: Vector3, window: GreyWindow): void {
  const { through } = planeAxes[panel.plane];
  const strides = [1, scan.size[0], scan.size[0] * scan.size[1]];
  const columns = samplesAlong(panel.across, panel.width, scan, strides);
  const rows = samplesAlong(panel.down, panel.height, scan, strides);
  const slice = slices[through] * strides[through];
  const { data } = scan;
  rows.forEach((y, row) => {
    columns.forEach((x, column) => {
      const upper =
        data[slice + y.below + x.below] * (1 - x.share) + data[slice + y.below + x.above] * x.share;
      const lower =
        data[slice + y.above + x.below] * (1 - x.share) + data[slice + y.above + x.above] * x.share;
      const hu = upper * (1 - y.share) + lower * y.share;
      setPixel(raster, panel.left + column, panel.top + row, greyOf(hu, window));
    });
  });
}

interface Sample {
  /** Offsets in the volume's data of the two neighbours, and the weight of the second. */
  readonly below: number;
  readonly above: number;
  readonly share: number;
  /** Offset of the nearest voxel. */
  readonly nearest: number;
}

function samplesAlong(
  line: PanelAxis,
  pixels: number,
  volume: Volume,
  strides: readonly number[],
): readonly Sample[] {
  const count = volume.size[line.axis];
  const stride = strides[line.axis];
  return Array.from({ length: pixels }, (_, pixel) => {
    const index = line.first + (pixel + 0.5) * line.perPixel;
    const below = Math.floor(index);
    return {
      below: clamp(below, count) * stride,
      above: clamp(below + 1, count) * stride,
      share: index - below,
      nearest: clamp(Math.round(index), count) * stride,
    };
  });
}

function drawOutlines(
  raster: Raster,
  panel: Panel,
  truth: Volume<Uint8Array> | null,
  prediction: Volume<Uint8Array>,
  slices: Vector3,
): void {
  const truthLine = truth === null ? null : outline(panel, truth, slices);
  const predictionLine = outline(panel, prediction, slices);
  predictionLine.forEach((predicted, offset) => {
    const isTrue = truthLine !== null && truthLine[offset] === 1;
    if (predicted === 0 && !isTrue) return;
    const column = offset % panel.width;
    const row = Math.floor(offset / panel.width);
    const colour = isTrue && (predicted === 0 || isOddTile(column, row)) ? truthColour : predictionColour;
    setPixel(raster, panel.left + column, panel.top + row, colour);
  });
}

/** A checkerboard, so that dashes alternate along lines of any direction. */
function isOddTile(column: number, row: number): boolean {
  return (Math.floor(column / 7) + Math.floor(row / 7)) % 2 === 1;
}

/** The {@link outlineOf} the part of a mask that a panel shows. */
function outline(panel: Panel, mask: Volume<Uint8Array>, slices: Vector3): Uint8Array {
  const { through } = planeAxes[panel.plane];
  const strides = [1, mask.size[0], mask.size[0] * mask.size[1]];
  const slice = slices[through] * strides[through];
  const columns = samplesAlong(panel.across, panel.width, mask, strides);
  const rows = samplesAlong(panel.down, panel.height, mask, strides);
  const inside = new Uint8Array(panel.width * panel.height);
  rows.forEach((y, row) => {
    columns.forEach((x, column) => {
      inside[column + panel.width * row] = mask.data[slice + y.nearest + x.nearest] === 0 ? 0 : 1;
    });
  });
  return outlineOf(inside, panel.width, panel.height);
}

function legendOf(hasTruth: boolean): readonly LegendEntry[] {
  const prediction = { text: "prediction", tiles: [predictionColour] };
  if (!hasTruth) return [prediction];
  return [
    { text: "truth", tiles: [truthColour] },
    prediction,
    { text: "both outlines", tiles: [truthColour, predictionColour] },
  ];
}
