// JSON schemas of what the HTTP interface takes and gives: Fastify checks by them, and the OpenAPI description shows them.
import { type Job, jobStates } from "../jobs/job.js";
import type { Progress } from "./events.js";

const text = { type: "string" } as const;
const textOrNull = { type: ["string", "null"] } as const;
const numberOrNull = { type: ["number", "null"] } as const;
const object = <Properties extends object>(properties: Properties) =>
  ({ type: "object", properties, required: Object.keys(properties) }) as const;
const list = <Items extends object>(items: Items) => ({ type: "array", items }) as const;

export const fileSchema = object({ name: text, sha256: text, bytes: { type: "number" } });

export const jobSchema = {
  $id: "Job",
  ...object({
    id: text,
    state: { type: "string", enum: jobStates },
    title: text,
    source: object({ way: text, from: text }),
    created: text,
    changed: text,
    files: { type: "number", description: "How many files of it were received" },
    stated: { ...numberOrNull, description: "How many it should have, where the files say so" },
    rule: textOrNull,
    attempts: { type: "number" },
    retry_at: textOrNull,
    sentence: { ...textOrNull, description: "Why it failed or was discarded" },
    nodes: numberOrNull,
    seconds: numberOrNull,
    remarks: list(text),
    progress: {
      ...object({ stage: text, done: { type: "number" }, total: { type: "number" } }),
      type: ["object", "null"],
    },
    results: list(fileSchema),
    deliveries: list(
      object({
        target: text,
        state: text,
        attempts: { type: "number" },
        sentence: textOrNull,
        retry_at: textOrNull,
      }),
    ),
  }),
} as const;

export const errorSchema = { $id: "Error", ...object({ error: text }) } as const;

export const receivedSchema = {
  $id: "Received",
  ...object({
    jobs: list(text),
    taken: { type: "number" },
    refused: list(object({ name: text, reason: text })),
  }),
} as const;

/** A job as the interface gives it. */
export function jobJson(job: Job, progress: Progress | null) {
  const { id, state, subject, source, createdAt, changedAt, files, retryAt, deliveries } = job;
  const { stated, rule, attempts, sentence, nodes, seconds, remarks, results } = job;
  return {
    ...{ id, state, title: subject.title, source, created: createdAt, changed: changedAt },
    ...{ files: files.length, stated, rule, attempts, retry_at: retryAt, sentence, nodes, seconds, remarks },
    progress: state === "running" ? progress : null,
    results,
    deliveries: deliveries.map(({ retryAt: retry_at, ...delivery }) => ({ ...delivery, retry_at })),
  };
}
