// A picture of one node with its measures, large enough to be read on a station that shows no segmentations.
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import type { NodeMeasurement } from "../voxels/node-measurement.js";
import {
  black,
  captionLineHeight,
  captionLines,
  drawCaption,
  drawLegend,
  gap,
  softTissueHu,
} from "./picture.js";
import { createRaster, type Raster } from "./raster.js";
import {
  axialView,
  drawTile,
  nodeLegend,
  type PreviewOptions,
  sliceText,
  windowText,
} from "./segmentation-preview.js";

/** A node with what its picture says of it. */
export interface PicturedNode extends NodeMeasurement {
  /** What it is called; "Node" and its number by default. */
  readonly name?: string | undefined;
}

/**
 * An RGB picture, 800 pixels wide, of the axial plane of a node's short axis: its outline (orange), those of its
 * neighbours, long axis (blue) and short axis (white), with name, side, axes, volume and HU above, and "research use
 * only" below. The patient's right is on the left.
 *
 * @param instances - on the scan's grid, each node's voxels hold its id
 * @param node - measured on `instances`
 */
export function nodePicture(
  scan: Volume,
  instances: Volume<IntegerVoxelArray>,
  node: PicturedNode,
  { title, caption, windowHu = softTissueHu }: Omit<PreviewOptions, "className">,
): Raster {
  const heading = captionLines(`${title} · ${measuresText(node)} · ${sliceText(scan, node)}`, pictureWidth);
  const footer = captionLines(`${windowText(windowHu)} · ${caption} · research use only`, pictureWidth);
  const top = gap + heading.length * captionLineHeight;
  const footerTop = top + pictureWidth - 2 * gap + gap;
  const height = footerTop + (1 + footer.length) * captionLineHeight + gap;
  const raster = createRaster(pictureWidth, height, black);
  const area = { left: gap, top, width: pictureWidth - 2 * gap, height: pictureWidth - 2 * gap };
  drawCaption(raster, heading, gap - 2);
  drawTile(raster, axialView(node, area, fieldMm), scan, instances, node, windowHu);
  drawLegend(raster, nodeLegend, footerTop);
  drawCaption(raster, footer, footerTop + captionLineHeight);
  return raster;
}

const pictureWidth = 800;
/** A neck's width, so that it is seen where the node lies. */
const fieldMm = 150;

function measuresText({
  id,
  name,
  side,
  longAxisMm,
  shortAxisMm,
  volumeMl,
  huMean,
  huSd,
}: PicturedNode): string {
  const density = huMean === null || huSd === null ? [] : [`${Math.round(huMean)} ± ${Math.round(huSd)} HU`];
  return [
    name ?? `Node ${id}`,
    side,
    `${longAxisMm.toFixed(1)} × ${shortAxisMm.toFixed(1)} mm`,
    `${volumeMl.toFixed(2)} mL`,
    ...density,
  ].join(" · ");
}
