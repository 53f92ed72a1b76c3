// Worker thread: draws the samples of the steps it is asked for, in order, and hands their arrays over.
import { type MessagePort, workerData } from "node:worker_threads";
import { type BatchPlan, drawBatch } from "@lnsnet/core/training";

export { type BatchPlan, drawBatch };

/** What training takes a step. */
export type Batch = ReturnType<typeof drawBatch>;

export interface BatchMessage extends Batch {
  readonly step: number;
}

const given: unknown = workerData;
if (given !== null && typeof given === "object" && "batchPort" in given && "plan" in given) {
  const { batchPort: port, plan } = given as { batchPort: MessagePort; plan: BatchPlan };
  port.on("message", (step: number) => {
    const batch = drawBatch(plan, step);
    const message: BatchMessage = { step, ...batch };
    port.postMessage(message, [batch.image.buffer as ArrayBuffer, batch.label.buffer as ArrayBuffer]);
  });
}
