// What a job is: a list of events that only grows, and the state that follows from them.
import { dicomObjects } from "@lnsnet/node/manifest";
import { z } from "zod";

/** What a rule decided for a job; kept with it, so that a rule that changes later changes no job that waits. */
const planSchema = z.object({
  /** Path of the model; null for the shipped finder. */
  model: z.string().nullable(),
  /** DICOM objects to write. */
  outputs: z.array(z.enum(dicomObjects)),
  /** Names of the targets to send to. */
  targets: z.array(z.string()),
  /** Higher goes first. */
  priority: z.number(),
  /** Waits for the hours that the configuration calls off-peak. */
  offPeak: z.boolean(),
});
export type JobPlan = Readonly<z.infer<typeof planSchema>>;

const sourceSchema = z.object({
  way: z.enum(["upload", "watched folder", "STOW", "C-STORE", "pull"]),
  /** Who brought it: the name of a token, an AE title, or a folder. */
  from: z.string(),
});
export type JobSource = Readonly<z.infer<typeof sourceSchema>>;

const subjectSchema = z.object({
  kind: z.enum(["series", "file"]),
  seriesInstanceUid: z.string().nullable(),
  studyInstanceUid: z.string().nullable(),
  /** What a worklist shows; never a patient's name. */
  title: z.string(),
  /** By which rules decide. */
  attributes: z.record(z.string(), z.string()),
});
export type JobSubject = Readonly<z.infer<typeof subjectSchema>>;

const fileSchema = z.object({ name: z.string(), sha256: z.string(), bytes: z.number() });

const eventSchema = z.discriminatedUnion("event", [
  z.object({ event: z.literal("created"), source: sourceSchema, subject: subjectSchema }),
  /** Another file of it arrived; after the job was complete, this opens it again. */
  z.object({ event: z.literal("received"), file: fileSchema, stated: z.number().nullable() }),
  z.object({
    event: z.literal("completed"),
    rule: z.string(),
    plan: planSchema,
    /** SHA-256 over the files' hashes in order of name: equal input, equal content. */
    content: z.string(),
  }),
  z.object({ event: z.literal("discarded"), rule: z.string(), sentence: z.string() }),
  z.object({ event: z.literal("started"), attempt: z.number() }),
  z.object({
    event: z.literal("segmented"),
    nodes: z.number(),
    seconds: z.number(),
    files: z.array(fileSchema),
    remarks: z.array(z.string()),
  }),
  z.object({ event: z.literal("sent"), target: z.string() }),
  z.object({
    event: z.literal("not sent"),
    target: z.string(),
    attempt: z.number(),
    sentence: z.string(),
    /** ISO 8601; null where it is given up. */
    retryAt: z.string().nullable(),
  }),
  z.object({ event: z.literal("attempt failed"), sentence: z.string(), retryAt: z.string().nullable() }),
  z.object({ event: z.literal("cancelled"), by: z.string() }),
  z.object({ event: z.literal("retried"), by: z.string() }),
]);
/** What happened to a job. */
export type JobEvent = z.infer<typeof eventSchema>;

/** An event as it stands in a job's record: with its time, and a hash over it and everything before it. */
export const lineSchema = z.object({ at: z.string(), entry: eventSchema, hash: z.string() });
export type JobLine = Readonly<z.infer<typeof lineSchema>>;

export const jobStates = [
  ...(["receiving", "queued", "running", "sending"] as const),
  ...(["done", "failed", "cancelled", "discarded"] as const),
] as const;
type JobState = (typeof jobStates)[number];

export type JobFile = Readonly<z.infer<typeof fileSchema>>;

/** How far sending to one target is. */
interface Delivery {
  readonly target: string;
  readonly state: "waiting" | "sent" | "failed";
  readonly attempts: number;
  readonly sentence: string | null;
  readonly retryAt: string | null;
}

/** A job as its events make it. */
export interface Job {
  readonly id: string;
  readonly state: JobState;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly changedAt: string;
  readonly source: JobSource;
  readonly subject: JobSubject;
  readonly files: readonly JobFile[];
  /** How many files there should be; null where nobody stated it. */
  readonly stated: number | null;
  readonly rule: string | null;
  readonly plan: JobPlan | null;
  readonly content: string | null;
  readonly attempts: number;
  readonly retryAt: string | null;
  /** Why it failed or was discarded; null where it was not. */
  readonly sentence: string | null;
  readonly nodes: number | null;
  readonly seconds: number | null;
  readonly remarks: readonly string[];
  readonly results: readonly JobFile[];
  readonly deliveries: readonly Delivery[];
}

/**
 * The job after another event.
 *
 * @param job null before the first event, which must be "created"
 */
export function jobAfter(job: Job | null, id: string, { at, entry }: Omit<JobLine, "hash">): Job {
  if (entry.event === "created") return newJob(id, at, entry.source, entry.subject);
  if (job === null) throw new Error(`The record of ${id} begins with "${entry.event}".`);
  const changed = { ...job, changedAt: at };
  switch (entry.event) {
    case "received": {
      const others = job.files.filter(({ name }) => name !== entry.file.name);
      const files = [...others, entry.file];
      const stated = entry.stated ?? job.stated;
      // What a person cancelled stays so, whatever still arrives.
      const state = job.state === "cancelled" ? job.state : "receiving";
      return {
        ...changed,
        ...undecided,
        ...nothingFound,
        sentence: state === "cancelled" ? job.sentence : null,
        state,
        files,
        stated,
      };
    }
    case "completed": {
      const deliveries = entry.plan.targets.map(waitingFor);
      const { rule, plan, content } = entry;
      return { ...changed, ...nothingFound, state: "queued", rule, plan, content, deliveries };
    }
    case "discarded":
      return { ...changed, state: "discarded", rule: entry.rule, sentence: entry.sentence };
    case "started":
      return { ...changed, state: "running", attempts: entry.attempt, retryAt: null, sentence: null };
    case "segmented": {
      const { nodes, seconds, remarks, files: results } = entry;
      return stateOfDeliveries({ ...changed, nodes, seconds, remarks, results, sentence: null });
    }
    case "sent":
      return withDelivery(changed, entry.target, {
        state: "sent",
        attempts: attemptsAt(job, entry.target) + 1,
        sentence: null,
        retryAt: null,
      });
    case "not sent":
      return withDelivery(changed, entry.target, {
        state: entry.retryAt === null ? "failed" : "waiting",
        attempts: entry.attempt,
        sentence: entry.sentence,
        retryAt: entry.retryAt,
      });
    case "attempt failed": {
      const { sentence, retryAt } = entry;
      return { ...changed, state: retryAt === null ? "failed" : "queued", sentence, retryAt };
    }
    case "cancelled":
      return { ...changed, state: "cancelled", sentence: `Cancelled by ${entry.by}.`, retryAt: null };
    case "retried":
      return retried(changed);
  }
}

/** SHA-256 of a line's content and of all before it, as the caller's hash function has it. */
export const hashedText = (previous: string, { at, entry }: Omit<JobLine, "hash">): string =>
  `${previous}\n${at}\n${JSON.stringify(entry)}`;

/** Whether nothing more happens by itself. */
export const isAtRest = ({ state }: Job): boolean =>
  ["done", "failed", "cancelled", "discarded"].includes(state);

const undecided = { rule: null, plan: null, content: null };

const nothingFound = {
  ...{ attempts: 0, retryAt: null, sentence: null, nodes: null, seconds: null },
  ...{ remarks: [], results: [], deliveries: [] },
};

function newJob(id: string, at: string, source: JobSource, subject: JobSubject): Job {
  return {
    ...{ id, state: "receiving", createdAt: at, changedAt: at, source, subject, files: [], stated: null },
    ...undecided,
    ...nothingFound,
  };
}

/** A segmented job is only sent again; any other begins anew. */
function retried(job: Job): Job {
  if (job.results.length === 0)
    return {
      ...job,
      ...nothingFound,
      deliveries: job.deliveries,
      state: job.plan === null ? "receiving" : "queued",
    };
  const deliveries = job.deliveries.map((delivery) =>
    delivery.state === "sent" ? delivery : waitingFor(delivery.target),
  );
  return stateOfDeliveries({ ...job, deliveries });
}

const waitingFor = (target: string): Delivery => ({
  ...{ target, state: "waiting", attempts: 0, sentence: null, retryAt: null },
});

const attemptsAt = ({ deliveries }: Job, target: string): number =>
  deliveries.find((delivery) => delivery.target === target)?.attempts ?? 0;

function withDelivery(job: Job, target: string, delivery: Omit<Delivery, "target">): Job {
  return stateOfDeliveries({
    ...job,
    deliveries: job.deliveries.map((other) => (other.target === target ? { target, ...delivery } : other)),
  });
}

/** A segmented job is done when every target has it, and failed when one was given up and none waits any more. */
function stateOfDeliveries(job: Job): Job {
  if (job.state === "cancelled") return job;
  const isIn = (state: Delivery["state"]) => job.deliveries.some((delivery) => delivery.state === state);
  if (isIn("waiting")) return { ...job, state: "sending", sentence: null };
  const failed = job.deliveries.filter(({ state }) => state === "failed");
  if (failed.length === 0) return { ...job, state: "done", sentence: null };
  const sentence = failed.map(({ target, sentence }) => `Not sent to ${target}: ${sentence}`).join(" ");
  return { ...job, state: "failed", sentence };
}
