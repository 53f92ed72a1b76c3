// Takes in files, whichever way they come: each instance goes to the job of its series, and a job that is complete is handed on.
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import {
  type InstanceHeader,
  instanceHeader,
  isZip,
  listZip,
  volumeCompanion,
  volumeFormatOf,
} from "@lnsnet/core/formats";
import { counted, safeFileName, shown } from "@lnsnet/core/text";
import { writeAtomically } from "@lnsnet/node/disk";
import type { Job, JobSource, JobSubject } from "../jobs/job.js";
import type { Journal } from "../jobs/journal.js";
import { decide, type Rule } from "../rules/rules.js";

export interface ReceptionOptions {
  readonly journal: Journal;
  readonly rules: readonly Rule[];
  /** After so long without a further file a series is complete. */
  readonly quietSeconds: number;
  /** The name of the target that a "sender" is; null where there is none. */
  readonly targetOfSender: (source: JobSource) => string | null;
  /** Stops the work on a job, because it gets further files. */
  readonly halt: (id: string) => Promise<void>;
  readonly onComplete: (job: Job) => void;
  readonly log: (sentence: string) => void;
}

/** What became of the files that were brought. */
export interface Received {
  /** Ids of the jobs that they belong to, each once. */
  readonly jobs: readonly string[];
  /** How many files were taken, those that were there already among them. */
  readonly taken: number;
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
}

export class Reception {
  readonly #options: ReceptionOptions;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** The last thing that is done to each job, so that one thing is done after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #isClosed = false;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Lets the quiet time run for jobs that an earlier process left open. */
  resume(): void {
    for (const { id, state } of this.#options.journal.list()) if (state === "receiving") this.#wait(id);
  }

  /**
   * Takes a file: a DICOM instance, a volume file, or a zip archive of either.
   *
   * @param name as its owner calls it; never used as a path
   * @throws where the disk cannot be written to
   */
  async take(bytes: Uint8Array, name: string, source: JobSource): Promise<Received> {
    if (!isZip(bytes)) return this.#takeOne(bytes, name, source);
    try {
      const parts: Received[] = [];
      for (const entry of listZip(bytes, name)) {
        const label = `${name}/${entry.name}`;
        parts.push(await refusable(label, async () => this.#takeOne(entry.read(), label, source)));
      }
      return together(parts);
    } catch (error) {
      return refusal(name, error);
    }
  }

  /** Says that nothing more comes for these jobs, so that nobody waits for the quiet time. */
  async complete(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#complete(id);
  }

  /** Waits for what is being written. Series that are open stay open for the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.allSettled(this.#turns.values());
  }

  #takeOne(bytes: Uint8Array, name: string, source: JobSource): Promise<Received> {
    return refusable(name, async () => {
      if (volumeFormatOf(name) !== null) return this.#takeVolume(bytes, name, source);
      return this.#takeInstance(bytes, instanceHeader(bytes, name), source);
    });
  }

  async #takeVolume(bytes: Uint8Array, name: string, source: JobSource): Promise<Received> {
    if (volumeCompanion(bytes, name) !== null)
      throw new InputError(
        `${name} has its voxels in another file, and a file that holds both was expected; convert it to .nii.gz, .nrrd or .mha first.`,
      );
    const sha256 = hashOf(bytes);
    const id = `file-${sha256.slice(0, 16)}`;
    const fileName = safeFileName(name.slice(name.lastIndexOf("/") + 1));
    const attributes = { Source: source.way, CallingAETitle: source.from, Modality: "CT" };
    const subject: JobSubject = {
      ...{ kind: "file", seriesInstanceUid: null, studyInstanceUid: null, title: fileName, attributes },
    };
    return this.#inTurn(id, async () => {
      const job = await this.#openJob(id, source, subject);
      if (job === null || job.files.some((file) => file.sha256 === sha256)) return taken(id);
      await this.#store(job, { name: fileName, sha256, bytes: bytes.length }, bytes, null);
      await this.#finish(id);
      return taken(id);
    });
  }

  async #takeInstance(bytes: Uint8Array, header: InstanceHeader, source: JobSource): Promise<Received> {
    const id = idOfSeries(header.seriesInstanceUid);
    const sha256 = hashOf(bytes);
    const name = `${hashOf(header.sopInstanceUid).slice(0, 32)}.dcm`;
    return this.#inTurn(id, async () => {
      const job = await this.#openJob(id, source, subjectOf(header, source));
      if (job === null) return taken(id);
      const isThere = job.files.some((file) => file.name === name && file.sha256 === sha256);
      if (!isThere) {
        await this.#options.halt(id);
        await this.#store(job, { name, sha256, bytes: bytes.length }, bytes, header.instancesInSeries);
      }
      const now = this.#options.journal.get(id);
      if (now?.state !== "receiving") return taken(id);
      if (now.stated !== null && now.files.length >= now.stated) await this.#finish(id);
      else this.#wait(id);
      return taken(id);
    });
  }

  /** The job that takes further files; null where the rules discard it, which is written down once. */
  async #openJob(id: string, source: JobSource, subject: JobSubject): Promise<Job | null> {
    const { journal, rules } = this.#options;
    const known = journal.get(id);
    if (known !== null && known.state !== "discarded") return known;
    const decision = decide(rules, subject.attributes);
    const job = known ?? (await journal.create(id, { event: "created", source, subject }));
    if (decision.kind === "segment") return job;
    if (known === null) {
      const { rule, sentence } = decision;
      await journal.append(id, { event: "discarded", rule, sentence });
    }
    return null;
  }

  async #store(
    job: Job,
    file: Job["files"][number],
    bytes: Uint8Array,
    stated: number | null,
  ): Promise<void> {
    const { input } = this.#options.journal.placeOf(job.id);
    await mkdir(input, { recursive: true });
    // Whatever is wrong with our own disk is no fault of the file: its sender must hear that it was not stored.
    await writeAtomically(join(input, file.name), bytes).catch((error: unknown) => {
      throw error instanceof InputError ? new Error(error.message, { cause: error }) : error;
    });
    await this.#options.journal.append(job.id, { event: "received", file, stated });
  }

  #wait(id: string): void {
    clearTimeout(this.#timers.get(id));
    if (this.#isClosed) return;
    const { quietSeconds, log } = this.#options;
    const timer = setTimeout(() => {
      this.#complete(id).catch((error: unknown) => {
        log(`The job ${id} could not be completed (${error instanceof Error ? error.message : error}).`);
        this.#wait(id);
      });
    }, 1000 * quietSeconds);
    this.#timers.set(id, timer);
  }

  #complete(id: string): Promise<void> {
    return this.#inTurn(id, () => this.#finish(id));
  }

  async #finish(id: string): Promise<void> {
    const { journal, rules, targetOfSender, onComplete, log } = this.#options;
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const job = journal.get(id);
    if (job?.state !== "receiving" || job.files.length === 0 || this.#isClosed) return;
    if (job.stated !== null && job.files.length < job.stated)
      log(
        `${job.subject.title}: ${counted(job.files.length, "file")} of ${job.stated} came, and no more for a while.`,
      );
    const decision = decide(rules, job.subject.attributes);
    if (decision.kind === "discard") {
      const { rule, sentence } = decision;
      await journal.append(id, { event: "discarded", rule, sentence });
      return;
    }
    const sender = targetOfSender(job.source);
    const targets = decision.plan.targets.flatMap((name) => {
      if (name !== "sender") return [name];
      if (sender === null)
        log(`No target has the AE title "${job.source.from}", so nothing is sent back there.`);
      return sender === null ? [] : [sender];
    });
    const plan = { ...decision.plan, targets: [...new Set(targets)] };
    onComplete(
      await journal.append(id, { event: "completed", rule: decision.rule, plan, content: contentOf(job) }),
    );
  }

  #inTurn<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work, work);
    this.#turns.set(id, turn);
    const forget = () => {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    };
    turn.then(forget, forget);
    return turn;
  }
}

/** One series is one job, whichever way its files come. */
export const idOfSeries = (seriesInstanceUid: string): string =>
  `series-${hashOf(seriesInstanceUid).slice(0, 16)}`;

function subjectOf({ attributes, ...header }: InstanceHeader, { way, from }: JobSource): JobSubject {
  const { Modality, SeriesDescription, StudyDate, AccessionNumber } = attributes;
  const parts = [Modality, SeriesDescription, StudyDate, AccessionNumber && `accession ${AccessionNumber}`];
  return {
    kind: "series",
    seriesInstanceUid: header.seriesInstanceUid,
    studyInstanceUid: header.studyInstanceUid,
    title: shown(parts.filter((part) => part !== undefined && part !== "").join(" · "), 120),
    attributes: { ...attributes, Source: way, CallingAETitle: from },
  };
}

const contentOf = ({ files }: Job): string =>
  hashOf(
    files
      .map(({ name, sha256 }) => `${name} ${sha256}`)
      .sort()
      .join("\n"),
  );

const hashOf = (content: Uint8Array | string): string => createHash("sha256").update(content).digest("hex");

const taken = (id: string): Received => ({ jobs: [id], taken: 1, refused: [] });

/** What was received in several parts. */
export function together(parts: readonly Received[]): Received {
  return {
    jobs: [...new Set(parts.flatMap(({ jobs }) => jobs))],
    taken: parts.reduce((sum, part) => sum + part.taken, 0),
    refused: parts.flatMap(({ refused }) => refused),
  };
}

async function refusable(name: string, work: () => Promise<Received>): Promise<Received> {
  try {
    return await work();
  } catch (error) {
    return refusal(name, error);
  }
}

/** A file that cannot be used is refused with its reason; every other error is one of ours or the disk's, and passes. */
function refusal(name: string, error: unknown): Received {
  if (!(error instanceof InputError)) throw error;
  return { jobs: [], taken: 0, refused: [{ name: shown(name), reason: error.message }] };
}
