// The process that segments one job and ends. The service starts it, so that a crash or a lack of memory ends nothing else.
import { InputError } from "@lnsnet/core";
import { isFullDisk, loadModels, predictScans, shippedModelPath } from "@lnsnet/node";
import type { SegmentMessage, SegmentTask } from "./messages.js";

const stop = new AbortController();
process.on("SIGTERM", () => stop.abort(new Error("stopped")));
// Ctrl-C on a terminal goes to every process of it; the service stops this one itself.
process.on("SIGINT", () => undefined);
// Without the service nobody wants the result.
process.on("disconnect", () => process.exit(1));
process.once("message", async (task: SegmentTask) => {
  await tell(await outcomeOf(task));
  process.disconnect();
});

async function outcomeOf({
  input,
  results,
  model,
  outputs,
  device,
  threads,
}: SegmentTask): Promise<SegmentMessage> {
  const began = performance.now();
  try {
    const predicted = await predictScans(
      input,
      {
        models: await loadModels(model ?? shippedModelPath("finder")),
        output: results,
        form: { format: "nii.gz", numbered: false, pictures: true, dicom: [...outputs] },
        segmenting: {},
        device,
        threads,
      },
      {
        signal: stop.signal,
        onProgress: ({ stage, unit, done, total }) =>
          void tell({ kind: "progress", stage, unit, done, total }),
        log: (sentence) => void tell({ kind: "remark", sentence }),
      },
    );
    const [failure] = predicted.failures;
    if (failure !== undefined) throw failure.error;
    const nodes = predicted.results.reduce((sum, { manifest }) => sum + manifest.nodes.length, 0);
    return { kind: "done", nodes, seconds: (performance.now() - began) / 1000 };
  } catch (error) {
    if (isFullDisk(error)) return { kind: "full", sentence: error.message };
    if (error instanceof InputError) return { kind: "refused", sentence: error.message };
    return { kind: "failed", sentence: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns when the message is on its way. */
function tell(message: SegmentMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send(message, () => resolve());
  });
}
