// Worker thread: draws the batches it is asked for, in order, and hands their arrays over.
import { type MessagePort, workerData } from "node:worker_threads";
import { type BatchPlan, drawBatch, type TrainingBatch } from "@lnsnet/core/sampling";

export interface BatchMessage extends TrainingBatch {
  readonly index: number;
}

const { batchPort: port, plan } = workerData as { batchPort: MessagePort; plan: BatchPlan };
port.on("message", (index: number) => {
  const batch = drawBatch(plan, index);
  const message: BatchMessage = { index, ...batch };
  port.postMessage(message, [batch.image.buffer as ArrayBuffer, batch.label.buffer as ArrayBuffer]);
});
