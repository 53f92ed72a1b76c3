// The phantom neck that benchmarks segment.
import { type Geometry, pointOfIndex, resample, type Volume } from "@lnsnet/core";
import { generatePatient } from "@lnsnet/core/phantom";

/** A phantom patient on the grid that the figures are promised for. */
export function neckScan(): Volume<Float32Array> {
  const { image } = generatePatient(7, 1);
  const middle = pointOfIndex(image, [
    (image.size[0] - 1) / 2,
    (image.size[1] - 1) / 2,
    (image.size[2] - 1) / 2,
  ]);
  const grid: Geometry = {
    size: [256, 256, 160],
    spacingMm: [1, 1, 1],
    originMm: [middle[0] - 127.5, middle[1] - 127.5, middle[2] - 79.5],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
  return resample(image, grid, "linear", -1000);
}
