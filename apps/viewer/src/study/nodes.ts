// A node of the study: what a person sees and sets of it beside its voxels.
import type { Vector3 } from "@lnsnet/core/volume";

/** The two ends of a measured line, LPS mm. */
export type AxisEnds = readonly [Vector3, Vector3];

/** A point that a person clicked for a node, LPS mm. */
export interface NodeClick {
  readonly pointMm: Vector3;
  /** Whether the point lies in the node; false for a point beside it that was taken for it. */
  readonly isPositive: boolean;
}

/** Where a node came from: clicked, found in the whole scan, drawn by hand, split off another, or read from a file. */
type NodeOrigin = "clicked" | "found" | "drawn" | "split" | "read";

/** A node. Its voxels hold its number in the label buffer. Never changed in place: an edit makes a new one. */
export interface StudyNode {
  /** 1 to 255. */
  readonly number: number;
  readonly name: string;
  /** As "#rrggbb". */
  readonly colour: string;
  readonly visible: boolean;
  /** A locked node keeps its voxels and fields, whatever is done to others. */
  readonly locked: boolean;
  readonly origin: NodeOrigin;
  /** The model's mean probability in the node when it was segmented, 0 to 1; null for what no model gave. */
  readonly probability: number | null;
  /** By how much the models of an ensemble differed in it, as the standard deviation of their probabilities; null otherwise. */
  readonly disagreement: number | null;
  /** Clicks by which a promptable model goes on. */
  readonly clicks: readonly NodeClick[];
  /** Ends that a person set; null where the axis is measured. */
  readonly editedAxes: { readonly long: AxisEnds | null; readonly short: AxisEnds | null };
}

/** What a new node may be given; the rest has defaults. */
export type NodeFields = Partial<Omit<StudyNode, "number">>;

/** The most nodes of a study: the label buffer has a byte for each voxel. */
export const mostNodes = 255;

/** Colours that differ well on a grey image, also for most people who see fewer colours (after Okabe and Ito, 2008). */
const nodeColours = [
  "#ffb000",
  "#56b4e9",
  "#2ed6a0",
  "#f0e442",
  "#ff7f4d",
  "#dc8add",
  "#8fce00",
  "#7aa2ff",
  "#ff8fa3",
  "#c9b18c",
] as const;

/** A node with defaults for what is not given. */
export function newNode(number: number, fields: NodeFields): StudyNode {
  return {
    name: `Node ${number}`,
    colour: nodeColours[(number - 1) % nodeColours.length],
    visible: true,
    locked: false,
    origin: "drawn",
    probability: null,
    disagreement: null,
    clicks: [],
    editedAxes: { long: null, short: null },
    ...fields,
    number,
  };
}

/** The number of the next node: above all that exist, and only when these are used up the lowest free one; null if none is. */
export function nextNumber(nodes: readonly StudyNode[]): number | null {
  const used = new Set(nodes.map(({ number }) => number));
  const above = Math.max(0, ...used) + 1;
  if (above <= mostNodes) return above;
  for (let number = 1; number <= mostNodes; number++) if (!used.has(number)) return number;
  return null;
}
