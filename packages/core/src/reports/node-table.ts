// The table of a scan's nodes as JSON, CSV, text and HTML.
import type { Vector3 } from "../volume/volume.js";
import type { NeckSide } from "../voxels/neck-side.js";
import type { NodeConfidence } from "../voxels/node-confidence.js";
import type { NodeMeasurement } from "../voxels/node-measurement.js";
import { type Block, tableBlock } from "./html.js";
import { csvTable, decimals, htmlTable, type TableColumn, textTable } from "./table.js";

/** A node with the field names used in files. Unknown values are null. */
export interface NodeJson {
  readonly id: number;
  readonly name: string | null;
  /** Where the model knows several. */
  readonly class?: string;
  readonly volume_ml: number;
  readonly short_axis_mm: number;
  readonly long_axis_mm: number;
  /** Two points (x, y, z). */
  readonly short_axis_ends_lps_mm: readonly [Vector3, Vector3];
  readonly long_axis_ends_lps_mm: readonly [Vector3, Vector3];
  readonly feret_max_mm: number;
  readonly feret_min_mm: number;
  readonly hu_mean: number | null;
  readonly hu_sd: number | null;
  /** Share of the voxels that are bone or air, 0 … 1. */
  readonly bone_or_air_share: number | null;
  readonly centroid_lps_mm: Vector3;
  readonly side: NeckSide;
  readonly voxels: number;
  readonly mean_probability: number | null;
  /** The share of such nodes that are true, by the model's calibration; null where it has none. */
  readonly confidence: number | null;
  readonly ensemble_disagreement: number | null;
  /** Why this finding may not be a node; null where nothing speaks against it. */
  readonly remark: string | null;
}

/** What a segmentation says of a node beside its measurements. */
interface FoundThere extends Partial<NodeConfidence> {
  readonly confidence?: number | null;
  /** The class, where the model knows several. */
  readonly className?: string | undefined;
  /** Whether its HU fit no lymph node. */
  readonly isImplausible?: boolean;
}

/** The table entry of a node. */
export function nodeJson(
  node: NodeMeasurement,
  found: FoundThere | null = null,
  name: string | null = null,
): NodeJson {
  return {
    id: node.id,
    name,
    ...(found?.className === undefined ? {} : { class: found.className }),
    volume_ml: node.volumeMl,
    short_axis_mm: node.shortAxisMm,
    long_axis_mm: node.longAxisMm,
    short_axis_ends_lps_mm: node.shortAxisEndsLpsMm,
    long_axis_ends_lps_mm: node.longAxisEndsLpsMm,
    feret_max_mm: node.feretMaxMm,
    feret_min_mm: node.feretMinMm,
    hu_mean: node.huMean,
    hu_sd: node.huSd,
    bone_or_air_share: node.boneOrAirShare,
    centroid_lps_mm: node.centroidLpsMm,
    side: node.side,
    voxels: node.voxels,
    mean_probability: found?.meanProbability ?? null,
    confidence: found?.confidence ?? null,
    ensemble_disagreement: found?.ensembleDisagreement ?? null,
    remark: found?.isImplausible === true ? "HU of no node" : null,
  };
}

/**
 * CSV with every field of {@link NodeJson}; points have a column each for x, y and z.
 *
 * @param hasClasses whether there is a column for the class
 */
export function nodesCsv(
  nodes: readonly NodeJson[],
  hasClasses = nodes.some((node) => node.class !== undefined),
): string {
  const columns = [...shownColumns, ...furtherColumns].filter(({ key }) => hasClasses || key !== "class");
  return csvTable(columns, nodes.map(flatRow));
}

/** A text table for a person, without columns that are empty for all nodes. */
export function nodesText(nodes: readonly NodeJson[]): string {
  const rows = nodes.map(flatRow);
  return textTable(columnsOf(rows), rows);
}

/** The same table as a block of a report. */
export function nodesTable(caption: string, nodes: readonly NodeJson[]): Block {
  const rows = nodes.map(flatRow);
  return tableBlock(caption, columnsOf(rows), rows);
}

/** The same table as an HTML `<table>`. */
export function nodesHtml(nodes: readonly NodeJson[]): string {
  const rows = nodes.map(flatRow);
  return htmlTable(columnsOf(rows), rows);
}

type FlatRow = ReturnType<typeof flatRow>;

/** A node as a row of single values. */
function flatRow(node: NodeJson) {
  const { centroid_lps_mm, short_axis_ends_lps_mm, long_axis_ends_lps_mm, ...values } = node;
  return {
    ...values,
    class: node.class ?? null,
    ...pointCells("centroid", centroid_lps_mm),
    ...pointCells("short_axis_start", short_axis_ends_lps_mm[0]),
    ...pointCells("short_axis_end", short_axis_ends_lps_mm[1]),
    ...pointCells("long_axis_start", long_axis_ends_lps_mm[0]),
    ...pointCells("long_axis_end", long_axis_ends_lps_mm[1]),
  };
}

type PointKey<Name extends string> = `${Name}_${"x" | "y" | "z"}_lps_mm`;

function pointCells<Name extends string>(name: Name, [x, y, z]: Vector3): Record<PointKey<Name>, number> {
  return { [`${name}_x_lps_mm`]: x, [`${name}_y_lps_mm`]: y, [`${name}_z_lps_mm`]: z } as Record<
    PointKey<Name>,
    number
  >;
}

/** The columns shown to a person. */
const columnsOf = (rows: readonly FlatRow[]) =>
  shownColumns.filter(({ key }) => rows.some((row) => row[key] !== null));

const shownColumns: readonly TableColumn<keyof FlatRow>[] = [
  { key: "id", title: "node" },
  { key: "name", title: "name" },
  { key: "class", title: "class" },
  { key: "volume_ml", title: "volume", unit: "mL", format: decimals(2) },
  { key: "short_axis_mm", title: "short axis", unit: "mm", format: decimals(1) },
  { key: "long_axis_mm", title: "long axis", unit: "mm", format: decimals(1) },
  { key: "hu_mean", title: "mean", unit: "HU", format: decimals(0) },
  { key: "mean_probability", title: "probability", format: decimals(2) },
  { key: "confidence", title: "confidence", format: decimals(2) },
  { key: "ensemble_disagreement", title: "disagreement", format: decimals(2) },
  { key: "side", title: "side" },
  { key: "centroid_x_lps_mm", title: "L", unit: "mm", format: decimals(1) },
  { key: "centroid_y_lps_mm", title: "P", unit: "mm", format: decimals(1) },
  { key: "centroid_z_lps_mm", title: "S", unit: "mm", format: decimals(1) },
  { key: "remark", title: "remark" },
];

/** Further columns that only files have. */
const furtherColumns: readonly TableColumn<keyof FlatRow>[] = [
  "feret_max_mm" as const,
  "feret_min_mm" as const,
  "hu_sd" as const,
  "bone_or_air_share" as const,
  "voxels" as const,
  ...pointKeys("short_axis_start"),
  ...pointKeys("short_axis_end"),
  ...pointKeys("long_axis_start"),
  ...pointKeys("long_axis_end"),
].map((key) => ({ key, title: key }));

function pointKeys<Name extends string>(name: Name): PointKey<Name>[] {
  return [`${name}_x_lps_mm`, `${name}_y_lps_mm`, `${name}_z_lps_mm`];
}
