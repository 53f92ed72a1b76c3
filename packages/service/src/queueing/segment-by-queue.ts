// Lets a worker segment a job of the service, over the shared folder or over a store.
import { basename } from "node:path";
import type { SegmentedFolder } from "../segmenting/segment-job.js";
import type { Store } from "../storing/store.js";
import type { AskingHost, AskingQueue } from "./asking.js";
import { type StudyTask, studyResultSchema } from "./studies.js";

export interface QueuedStudy extends Omit<StudyTask, "isStored" | "input" | "results"> {
  /** The job's name, and its folders on this machine. */
  readonly id: string;
  readonly input: string;
  readonly results: string;
  readonly priority: number;
}

/**
 * @param store where workers do not see the service's folder; else null
 * @throws InputError where the input cannot be segmented; Error where workers failed; the signal's reason
 */
export async function segmentByQueue(
  { id, input, results, priority, ...settings }: QueuedStudy,
  queue: AskingQueue<StudyTask>,
  store: Store | null,
  host: AskingHost,
): Promise<SegmentedFolder> {
  const name = basename(results);
  const job = `jobs/${id}`;
  const places =
    store === null
      ? { input: `${job}/input`, results: `${job}/results/${name}` }
      : { input: `${job}/input-${name}`, results: `${job}/results-${name}` };
  await store?.put(input, places.input);
  const task = { ...settings, ...places, isStored: store !== null };
  const answer = await queue.ask({ key: `${id}-${name}`, name: "segment study", priority, task }, host);
  const { place, ...segmented } = studyResultSchema.parse(answer);
  if (store === null || place === null) return segmented;
  await store.take(place, results, new Map(segmented.files.map(({ name, sha256 }) => [name, sha256])));
  // What another attempt left goes too.
  await store.remove(job);
  return segmented;
}
