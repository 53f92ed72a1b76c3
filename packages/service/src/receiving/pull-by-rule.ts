// Asks a PACS again and again for studies of the last days, and fetches each series that a rule wants and that was not done.
import { appendFile, readFile } from "node:fs/promises";
import type { Configuration } from "../configuration.js";
import type { Job } from "../jobs/job.js";
import { holdAll } from "../rules/rules.js";
import type { ListedSeries, PullSource } from "./pull-source.js";
import { idOfSeries, type Received } from "./reception.js";
import { repeatedly } from "./repeatedly.js";

type PullRule = Configuration["pull"][number];

export interface PullByRuleOptions {
  readonly rule: PullRule;
  readonly source: PullSource;
  /** A file that remembers what was fetched, so that a job that was removed does not come back. */
  readonly memory: string;
  readonly now: () => Date;
  readonly jobOf: (id: string) => Job | null;
  /** Told of a series that was taken in. */
  readonly fetched: (received: Received) => Promise<void>;
  /** Told when a turn failed, and with null when one did not. */
  readonly trouble: (sentence: string | null) => void;
}

/** Begins to ask, and returns what ends it and waits for the series that is being fetched. */
export function pullByRule(options: PullByRuleOptions): () => Promise<void> {
  const { rule, trouble } = options;
  let done: Set<string> | null = null;
  let before: ReadonlySet<string> = new Set();
  return repeatedly(
    rule.everySeconds,
    async (signal) => {
      done ??= new Set((await readFile(options.memory, "utf8").catch(() => "")).split("\n"));
      before = await lookThrough(options, before, done, signal);
      trouble(null);
    },
    (error) => trouble(error instanceof Error ? error.message : String(error)),
  );
}

/** Fetches every series that is as it was at the last look, and returns how all are now. */
async function lookThrough(
  { rule, source, memory, now, jobOf, fetched }: PullByRuleOptions,
  before: ReadonlySet<string>,
  done: Set<string>,
  signal: AbortSignal,
): Promise<Set<string>> {
  const listed = await source.list({ dates: datesOf(now(), rule.days) }, signal);
  const seen = new Set<string>();
  let failure: unknown = null;
  for (const series of listed.filter(({ attributes }) => holdAll(rule.when, attributes))) {
    const state = stateOf(series);
    seen.add(state);
    // A series that grows is still being made.
    if (done.has(state) || !before.has(state) || isThere(series, jobOf)) continue;
    try {
      await fetched(await source.fetch(series, signal));
    } catch (error) {
      signal.throwIfAborted();
      // One that cannot be fetched holds no other; it is tried again at the next look.
      failure ??= error;
      continue;
    }
    done.add(state);
    await appendFile(memory, `${state}\n`);
  }
  if (failure !== null) throw failure;
  return seen;
}

const stateOf = ({ seriesInstanceUid, instances }: ListedSeries): string =>
  `${idOfSeries(seriesInstanceUid)} ${instances ?? "unknown"}`;

/** Whether it came another way, or nobody wants it. */
function isThere({ seriesInstanceUid, instances }: ListedSeries, jobOf: (id: string) => Job | null): boolean {
  const job = jobOf(idOfSeries(seriesInstanceUid));
  if (job === null) return false;
  return job.state === "discarded" || job.state === "cancelled" || job.files.length >= (instances ?? 1);
}

/** Today and so many days before, as a range of DICOM (PS3.4, C.2.2.2.5), in this machine's time zone. */
function datesOf(now: Date, days: number): string {
  const from = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
  return `${dateOf(from)}-${dateOf(now)}`;
}

const dateOf = (date: Date): string =>
  [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("");
