// Reads and measures nodes away from the page's own thread, which goes on answering meanwhile.
import type { Vector3, Volume } from "@lnsnet/core/volume";
import type { IndexBox, NodeMeasurement } from "@lnsnet/core/voxels";
import { expose, transfer } from "comlink";
import { createMeasurer, huIn } from "./measures.js";
import { maskWithin, runsOfMask } from "./node-voxels.js";
import type { BoxedMask, OwnMask } from "./voxel-box.js";

/** A scan (HU) and its labels, in memory that the page shares. */
export interface SharedStudy {
  readonly scan: Volume;
  readonly labels: Volume<Uint8Array>;
}

let measurer: ReturnType<typeof createMeasurer> | null = null;
let shared: SharedStudy | null = null;

const worker = {
  /** Takes the study whose nodes are to be read, where the page shares memory. */
  share(study: SharedStudy): void {
    shared = study;
  },
  /** Makes ready to measure. @param coarse of it the body's midline is found */
  prepare(coarse: Volume): void {
    measurer = createMeasurer(coarse);
  },
  /** The voxels of a node of the shared study. @param bounds hold all of them */
  mask(number: number, bounds: IndexBox): OwnMask | null {
    const mask = maskWithin(opened(shared).labels, number, bounds);
    return mask === null ? null : transfer(mask, [mask.data.buffer]);
  },
  runs(number: number, bounds: IndexBox): Int32Array {
    const { labels } = opened(shared);
    const mask = maskWithin(labels, number, bounds);
    return mask === null ? new Int32Array(0) : runsOfMask(mask, labels.size);
  },
  measure(number: number, bounds: IndexBox): MeasuredNode | null {
    const { scan, labels } = opened(shared);
    const mask = maskWithin(labels, number, bounds);
    return mask === null ? null : measured(mask, huIn(scan, mask));
  },
  /** Measures a node of a study that is not shared. @param hu in the box of the mask */
  measureMask: (mask: BoxedMask, hu: Volume): MeasuredNode => measured(mask, hu),
};

/** What the page calls. */
export type NodeReaderWorker = typeof worker;

/** The measurements of a node, and the smallest box that holds it. */
export interface MeasuredNode {
  readonly measured: NodeMeasurement;
  readonly box: { readonly start: Vector3; readonly size: Vector3 };
}

function measured(mask: BoxedMask, hu: Volume): MeasuredNode {
  return { measured: opened(measurer)(mask, hu), box: { start: mask.start, size: mask.size } };
}

function opened<T>(part: T | null): T {
  if (part === null) throw new Error("No study is open.");
  return part;
}

expose(worker);
