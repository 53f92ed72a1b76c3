// The process that segments jobs, one after the other.
import { loadModels, predictScans, shippedModelPath } from "@lnsnet/node/segmenting";
import { serveTasks } from "../processes/serve-tasks.js";
import { type Segmented, type SegmentTask, segmentTaskSchema } from "./tasks.js";

serveTasks(
  (sent) => segmentTaskSchema.parse(sent),
  async ({ input, results, model, outputs, device, threads }: SegmentTask, job): Promise<Segmented> => {
    const began = performance.now();
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
      job,
    );
    const [failure] = predicted.failures;
    if (failure !== undefined) throw failure.error;
    const nodes = predicted.results.reduce((sum, { manifest }) => sum + manifest.nodes.length, 0);
    return { nodes, seconds: (performance.now() - began) / 1000 };
  },
);
