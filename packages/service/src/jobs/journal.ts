// The journal of jobs on disk: one append-only record for each job, whose lines are chained by hashes and survive a crash.
import { createHash } from "node:crypto";
import { access, mkdir, open, readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { shown } from "@lnsnet/core/text";
import { hashedText, type Job, type JobEvent, type JobLine, jobAfter, lineSchema } from "./job.js";

/** The folder of a job: `record.jsonl`, `input/` and `results/`. */
export interface JobFolder {
  readonly folder: string;
  readonly record: string;
  readonly input: string;
  readonly results: string;
}

/** All jobs of a service. Every change is on the disk before it is seen. */
export class Journal {
  readonly #root: string;
  readonly #now: () => Date;
  readonly #jobs = new Map<string, Kept>();
  readonly #listeners = new Set<(job: Job | null, id: string) => void>();
  /** Sentences about records that could not be read whole. */
  readonly damage: string[] = [];

  private constructor(root: string, now: () => Date) {
    this.#root = root;
    this.#now = now;
  }

  /**
   * The jobs of a folder. What a crash left of a last line is cut off; a record that was changed by hand is left out and
   * named in `damage`.
   *
   * @param root exists, and is written to by this process alone
   */
  static async open(root: string, now: () => Date = () => new Date()): Promise<Journal> {
    const journal = new Journal(root, now);
    await mkdir(root, { recursive: true });
    for (const id of (await readdir(root)).sort()) {
      if (!idPattern.test(id)) continue;
      try {
        const kept = await readRecord(placeOf(root, id), id);
        // A job without a whole first line never was: its sender was told of no success.
        if (kept === null) await rm(join(root, id), { recursive: true, force: true });
        else journal.#jobs.set(id, kept);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        journal.damage.push(error.message);
      }
    }
    return journal;
  }

  list(): Job[] {
    return [...this.#jobs.values()].map(({ job }) => job);
  }

  get(id: string): Job | null {
    return this.#jobs.get(id)?.job ?? null;
  }

  placeOf(id: string): JobFolder {
    return placeOf(this.#root, id);
  }

  /** Where the results of a job's present input and plan lie: other input or another plan has another folder. */
  resultsOf({ id, content, plan }: Job): string {
    const key = sha256(JSON.stringify([content, plan?.model, plan?.outputs]));
    return join(this.placeOf(id).results, key.slice(0, 16));
  }

  /** Called after each change; with null where a job was removed. Returns a function that ends it. */
  onChange(listener: (job: Job | null, id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Begins a job.
   *
   * @param id letters, digits and hyphens
   */
  async create(id: string, entry: Extract<JobEvent, { event: "created" }>): Promise<Job> {
    if (!idPattern.test(id)) throw new Error(`"${id}" is no id of a job.`);
    const { input, results } = this.placeOf(id);
    await mkdir(input, { recursive: true });
    await mkdir(results, { recursive: true });
    return this.append(id, entry);
  }

  /**
   * Adds an event to a job, after those that were added before. The line is on the disk when this returns.
   *
   * @throws where the disk is full; the job then is as it was
   */
  append(id: string, entry: JobEvent): Promise<Job> {
    const kept = this.#jobs.get(id);
    const previous = kept?.pending ?? Promise.resolve();
    const next = previous.then(() => this.#write(id, entry));
    const settled = next.then(
      () => undefined,
      () => undefined,
    );
    if (kept !== undefined) kept.pending = settled;
    return next;
  }

  async #write(id: string, entry: JobEvent): Promise<Job> {
    const kept = this.#jobs.get(id);
    if (kept === undefined && entry.event !== "created") throw new Error(`There is no job ${id}.`);
    const timed = { at: this.#now().toISOString(), entry };
    const hash = sha256(hashedText(kept?.hash ?? id, timed));
    const line: JobLine = { ...timed, hash };
    const job = jobAfter(kept?.job ?? null, id, line);
    const { record } = this.placeOf(id);
    const text = `${JSON.stringify(line)}\n`;
    await appendDurably(record, text, kept?.length ?? 0).catch((error: unknown) => this.#lost(id, error));
    const length = (kept?.length ?? 0) + Buffer.byteLength(text);
    if (kept === undefined) this.#jobs.set(id, { job, hash, length, pending: Promise.resolve() });
    else Object.assign(kept, { job, hash, length });
    for (const listener of this.#listeners) listener(job, id);
    return job;
  }

  /** A job whose folder somebody has taken away is no job any more; every other fault leaves it as it was. */
  async #lost(id: string, error: unknown): Promise<never> {
    const exists = (path: string) =>
      access(path).then(
        () => true,
        () => false,
      );
    if ((await exists(this.placeOf(id).folder)) || !(await exists(this.#root))) throw error;
    this.#jobs.delete(id);
    for (const listener of this.#listeners) listener(null, id);
    throw new Error(`The folder of the job ${id} was taken away while the job was worked on.`, {
      cause: error,
    });
  }

  /** Removes a job with its files. */
  async remove(id: string): Promise<void> {
    await this.#jobs.get(id)?.pending;
    this.#jobs.delete(id);
    await rm(this.placeOf(id).folder, { recursive: true, force: true });
    for (const listener of this.#listeners) listener(null, id);
  }
}

interface Kept {
  job: Job;
  hash: string;
  /** Bytes of the record that count. */
  length: number;
  pending: Promise<void>;
}

const idPattern = /^[a-z]+-[0-9a-f]{16}$/;

function placeOf(root: string, id: string): JobFolder {
  const folder = join(root, id);
  const within = (name: string) => join(folder, name);
  return { folder, record: within("record.jsonl"), input: within("input"), results: within("results") };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Appends behind the bytes that count: what an earlier, failed attempt left there is cut off first. */
async function appendDurably(path: string, text: string, length: number): Promise<void> {
  const file = await open(path, "a");
  try {
    if ((await file.stat()).size > length) await file.truncate(length);
    await file.appendFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** @throws InputError where the chain is broken before its last line */
async function readRecord({ record }: JobFolder, id: string): Promise<Kept | null> {
  const bytes = await readFile(record).catch(() => Buffer.alloc(0));
  let job: Job | null = null;
  let hash = id;
  let length = 0;
  // A last line without its end is what a crash left.
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, length)) {
    const text = bytes.subarray(length, end).toString("utf8");
    const line = lineOf(text);
    if (line === null || line.hash !== sha256(hashedText(hash, line)))
      throw new InputError(
        `${record} was changed after it was written: "${shown(text, 40)}" does not follow from the lines before it; restore it from a backup, or remove its folder.`,
      );
    job = jobAfter(job, id, line);
    hash = line.hash;
    length = end + 1;
  }
  if (job === null) return null;
  if (length < bytes.length) await truncate(record, length);
  return { job, hash, length, pending: Promise.resolve() };
}

/** The line as it was written, since its hash is over its own order of names. */
function lineOf(text: string): JobLine | null {
  try {
    const raw: unknown = JSON.parse(text);
    return lineSchema.safeParse(raw).success ? (raw as JobLine) : null;
  } catch {
    return null;
  }
}
