// A node's measurements under the names that the command line prints.
import type { NodeMeasurement } from "@lnsnet/core";

/** One node in the JSON of `measure` and `predict`. What could not be measured is null. */
export interface NodeJson {
  readonly id: number;
  readonly volume_ml: number;
  readonly short_axis_mm: number;
  readonly long_axis_mm: number;
  /** Two points (x, y, z), LPS mm. */
  readonly short_axis_ends_lps_mm: readonly (readonly number[])[];
  readonly long_axis_ends_lps_mm: readonly (readonly number[])[];
  readonly feret_max_mm: number;
  readonly feret_min_mm: number;
  readonly hu_mean: number | null;
  readonly hu_sd: number | null;
  readonly centroid_lps_mm: readonly number[];
  readonly side: string;
  readonly voxels: number;
}

export function nodeJson(node: NodeMeasurement): NodeJson {
  return {
    id: node.id,
    volume_ml: node.volumeMl,
    short_axis_mm: node.shortAxisMm,
    long_axis_mm: node.longAxisMm,
    short_axis_ends_lps_mm: node.shortAxisEndsLpsMm,
    long_axis_ends_lps_mm: node.longAxisEndsLpsMm,
    feret_max_mm: node.feretMaxMm,
    feret_min_mm: node.feretMinMm,
    hu_mean: node.huMean,
    hu_sd: node.huSd,
    centroid_lps_mm: node.centroidLpsMm,
    side: node.side,
    voxels: node.voxels,
  };
}
