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
  const measurer = startWorker();
  const prepared = measurer.remote.prepare(coarseScan(scan));
  if (!isShared(scan.data) || !isShared(labels.data)) {
    return {
      mask: async (number) => study.maskOf(number),
      runs: async (number) => study.stored(number).runs,
      async measure(number) {
        const mask = study.maskOf(number);
        if (mask === null) return null;
        const hu = huIn(scan, mask);
        await prepared;
        return measurer.remote.measureMask(transfer(mask, [mask.data.buffer, hu.data.buffer]), hu);
      },
      end: measurer.end,
    };
  }
  const measuring = Promise.all([measurer.remote.share({ scan, labels }), prepared]);
  // What is read is drawn and saved, and does not wait for a large node to be measured. A scan opens sooner without it.
  let reader: ReturnType<typeof startWorker> | null = null;
  let reading: Promise<void> | null = null;
  const theReader = async () => {
    reader ??= startWorker();
    reading ??= reader.remote.share({ scan, labels });
    await reading;
    return reader.remote;
  };
  return {
    async mask(number) {
      const remote = await theReader();
      const bounds = study.boundsOf(number);
      return bounds === null ? null : remote.mask(number, bounds);
    },
    async runs(number) {
      const remote = await theReader();
      const bounds = study.boundsOf(number);
      return bounds === null ? new Int32Array(0) : remote.runs(number, bounds);
    },
    async measure(number) {
      await measuring;
      const bounds = study.boundsOf(number);
      return bounds === null ? null : measurer.remote.measure(number, bounds);
    },
    end: () => {
      measurer.end();
      reader?.end();
    },
  };
}

function startWorker() {
  const worker = new Worker(new URL("./node-reader-worker.ts", import.meta.url), { type: "module" });
  return { remote: wrap<NodeReaderWorker>(worker), end: () => worker.terminate() };
}
