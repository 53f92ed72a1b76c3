// What a process is told of a segmentation, and what it answers.
import { deviceChoices } from "@lnsnet/core/runtime";
import { dicomObjects } from "@lnsnet/node/manifest";
import { z } from "zod";

/** What to segment, where to write it, and how. */
export const segmentTaskSchema = z.object({
  input: z.string(),
  results: z.string(),
  /** Path of a model or of the folder of an experiment; null for the shipped finder. */
  model: z.string().nullable(),
  outputs: z.array(z.enum(dicomObjects)).readonly(),
  device: z.enum(deviceChoices),
  threads: z.number(),
});
export type SegmentTask = Readonly<z.infer<typeof segmentTaskSchema>>;

export const segmentedSchema = z.object({ nodes: z.number(), seconds: z.number() });
export type Segmented = Readonly<z.infer<typeof segmentedSchema>>;
