// Starts the worker that reads and measures the nodes of a study.
import { transfer, wrap } from "comlink";
import { coarseScan, huIn } from "./measures.js";
import type { MeasuredNode, NodeReaderWorker } from "./node-reader-worker.js";
import type { Study } from "./study.js";
import { isShared, type OwnMask } from "./voxel-box.js";

/**
 * A large node has millions of voxels, which are read after each stroke: where the page may share memory, the worker reads
 * them, else the page does. What changes while it is read may be read in part; whoever asks hears of the change, and asks
 * again.
 */
export interface NodeReader {
  /** The voxels (0 and 1) in the smallest box that holds them; null where there are none. */
  mask(number: number): Promise<OwnMask | null>;
  /** As `StoredNode.runs`. */
  runs(number: number): Promise<Int32Array>;
  /** Null for a node without voxels. */
  measure(number: number): Promise<MeasuredNode | null>;
  end(): void;
}

export function startNodeReader(study: Study): NodeReader {
  const { scan, labels } = study;
  const worker = new Worker(new URL("./node-reader-worker.ts", import.meta.url), { type: "module" });
  const remote = wrap<NodeReaderWorker>(worker);
  const end = () => worker.terminate();
  if (!isShared(scan.data) || !isShared(labels.data)) {
    const opened = remote.open(coarseScan(scan), null);
    return {
      mask: async (number) => study.maskOf(number),
      runs: async (number) => study.stored(number).runs,
      async measure(number) {
        const mask = study.maskOf(number);
        if (mask === null) return null;
        const hu = huIn(scan, mask);
        await opened;
        return remote.measureMask(transfer(mask, [mask.data.buffer, hu.data.buffer]), hu);
      },
      end,
    };
  }
  const opened = remote.open(coarseScan(scan), { scan, labels });
  return {
    async mask(number) {
      await opened;
      const bounds = study.boundsOf(number);
      return bounds === null ? null : remote.mask(number, bounds);
    },
    async runs(number) {
      await opened;
      const bounds = study.boundsOf(number);
      return bounds === null ? new Int32Array(0) : remote.runs(number, bounds);
    },
    async measure(number) {
      await opened;
      const bounds = study.boundsOf(number);
      return bounds === null ? null : remote.measure(number, bounds);
    },
    end,
  };
}
