// What the page and its worker say to each other: plain data alone. Points are LPS mm, voxel indices (x, y, z) in the scan's own grid.
import type { Geometry, Job, ModelIdentity, Plan, SegmentedNode, SourceSeries, Volume } from "@lnsnet/core";
import type { EarlyNode, OutlinedNode } from "@lnsnet/core/inference";

/** A file that a person chose or dropped. */
export interface ChosenFile {
  /** With the folders that it lies in, so that a header finds the file of its voxels. */
  readonly path: string;
  readonly file: Blob;
}

/** Something that can be opened: a DICOM series or a volume file. */
export interface FoundScan {
  /** By which {@link Workbench.read} reads it. */
  readonly id: number;
  readonly kind: "series" | "volume";
  /** Description of the series, or name of the file. */
  readonly title: string;
  /** Modality, slices and size, in words. */
  readonly detail: string;
  readonly geometry: Geometry | null;
  /** Why it cannot be opened; null where it can. */
  readonly refusal: string | null;
  /** What is odd about it and was dealt with, a sentence each. */
  readonly remarks: readonly string[];
  readonly thumbnail: Thumbnail | null;
}

/** A SEG or an RTSTRUCT: nodes that were drawn on a scan. */
export interface FoundDrawing {
  /** By which {@link Workbench.readBeside} reads it. */
  readonly id: number;
  readonly name: string;
}

/** A small picture, row by row, four bytes (red, green, blue, alpha) a pixel. */
export interface Thumbnail {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** What files hold. */
export interface Listing {
  readonly scans: readonly FoundScan[];
  /** They stand among `others` too. */
  readonly drawings: readonly FoundDrawing[];
  /** Files that are no image, with the reason. */
  readonly others: readonly { readonly name: string; readonly reason: string }[];
}

/** A scan that is open in the worker and in the page. */
export interface OpenedScan {
  /** By which later calls name it. */
  readonly scan: number;
  readonly name: string;
  /**
   * HU. Its voxels are shared with the worker where the page may share memory, so that they are there once: do not
   * change them, and copy them (`slice()`) before they are stored or transferred.
   */
  readonly volume: Volume;
  /** The DICOM series that it came from; null for a volume file. */
  readonly source: SourceSeries | null;
  readonly problems: readonly string[];
}

/** A model that is open in the worker, or an ensemble whose probabilities are averaged. */
export interface OpenedModel extends Omit<ModelIdentity, "sha256"> {
  readonly model: number;
  /** The model itself, or those of the ensemble. */
  readonly members: readonly ModelIdentity[];
  /** Whether it comes with the page. */
  readonly isShipped: boolean;
  /** What it finds, what it was trained on (`dataLabel`), and how. */
  readonly plan: Plan;
  /** Whether it takes several points of a node, and points beside it. */
  readonly isPromptable: boolean;
  /** Whether it finds nodes by itself. */
  readonly findsAll: boolean;
  /** Where it computes, a sentence. */
  readonly deviceNote: string;
  /** On how many threads; null on a graphics card. */
  readonly threads: number | null;
  /** What could not be told from its files, a sentence each. */
  readonly notes: readonly string[];
}

/** A node with its voxels and measures; its bounding box is in voxels of the scan. */
export interface NodeAnswer extends OutlinedNode {
  readonly node: SegmentedNode;
}

/** Where a model computed, which changes when a graphics card is lost. */
export type Computed = Pick<OpenedModel, "deviceNote" | "threads">;

/** The answer to clicks. */
export type ClickAnswer =
  | (NodeAnswer & {
      readonly found: "node";
      /** By which {@link Workbench.atThreshold} knows the probabilities. */
      readonly answer: number;
      /** Whether the node goes on beyond what was predicted. */
      readonly isCut: boolean;
      readonly computed: Computed;
    })
  | { readonly found: "none"; readonly reason: string };

/** All nodes of a scan. */
export interface SearchAnswer {
  /** By which {@link Workbench.searchAtThreshold} knows the probabilities. */
  readonly search: number;
  readonly nodes: readonly NodeAnswer[];
  /** Sentences that say how the searched part was found. */
  readonly reasons: readonly string[];
  /** Components that are no nodes: outside the body, of HU of no node, of too little confidence. */
  readonly leftOut: number;
  readonly computed: Computed;
}

/** A point of the curve that is drawn while a model learns. */
export interface LearningPoint {
  readonly step: number;
  /** Mean loss since the last one. */
  readonly loss?: number;
  /** Mean DSC of the held-out nodes. */
  readonly heldOutDsc?: number;
}

/** What a call of the engine takes beside its input. */
export interface EngineJob extends Job {
  readonly signal?: AbortSignal | undefined;
  /** Takes nodes of a search that is not over; the answer replaces them. */
  readonly onNodes?: ((nodes: readonly EarlyNode[]) => void) | undefined;
  /** Takes the curve of a model that learns, point by point. */
  readonly onLearning?: ((point: LearningPoint) => void) | undefined;
}
