// The service as a whole: opens its folder, puts the parts together, listens, and stops without losing anything.
import { mkdir, readdir, rm, statfs } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { isFullDisk } from "@lnsnet/node/disk";
import { whileWriting } from "@lnsnet/node/lock";
import type { Configuration } from "./configuration.js";
import { Events, type Progress } from "./http/events.js";
import { createMetrics } from "./http/metrics.js";
import { createServer } from "./http/server.js";
import type { Job, JobPlan, JobSource } from "./jobs/job.js";
import { Journal } from "./jobs/journal.js";
import { untilOffPeakMs } from "./jobs/off-peak.js";
import { Stopped } from "./jobs/queue.js";
import { Runner, type SegmentedJob } from "./jobs/runner.js";
import { openAsking } from "./queueing/asking.js";
import { openBoards } from "./queueing/boards.js";
import { segmentByQueue } from "./queueing/segment-by-queue.js";
import type { StudyTask } from "./queueing/studies.js";
import { type Receiver, receiveByDicom } from "./receiving/c-store-receiver.js";
import { openSource } from "./receiving/pull.js";
import { pullByRule } from "./receiving/pull-by-rule.js";
import { Reception } from "./receiving/reception.js";
import { watchFolder } from "./receiving/watched-folder.js";
import { Retention } from "./retention.js";
import { AuditLog } from "./security/audit.js";
import { Sessions } from "./security/sessions.js";
import { Tokens } from "./security/tokens.js";
import { segmentInProcess } from "./segmenting/segment-job.js";
import { sendFiles } from "./sending/send.js";
import { openStore } from "./storing/store.js";
import { Notices } from "./worklist/notices.js";

/** A line of the log, as JSON. Never holds a patient's name, a token or a file's content. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface ServiceHost {
  readonly signal: AbortSignal;
  readonly log: (fields: LogFields) => void;
  /** Told of every HTTP route, before the service listens. */
  readonly onRoute?: (method: string, path: string) => void;
  /** Told when the service listens. */
  readonly onListening?: (addresses: ServiceAddresses) => void;
}

export interface ServiceAddresses {
  /** Such as http://127.0.0.1:8080. */
  readonly http: string;
  /** The port of the DICOM receiver; null where there is none. */
  readonly dicomPort: number | null;
  /** A token that may administer, where there was none yet; shown this once. */
  readonly firstToken: string | null;
}

/**
 * Runs the service until the signal is aborted, and stops it: what is being received is cut off and was promised to
 * nobody, running jobs are stopped and begin again at the next start.
 *
 * @throws InputError where the folder belongs to another service, or an address cannot be listened on
 */
export async function runService(configuration: Configuration, host: ServiceHost): Promise<void> {
  await whileWriting(configuration.data, "lnsnet serve", () => runHolding(configuration, host));
}

/** The tokens of a service's folder. */
export const tokensOf = ({ data }: Pick<Configuration, "data">): Promise<Tokens> =>
  Tokens.open(join(data, "tokens.json"));

async function runHolding(configuration: Configuration, host: ServiceHost): Promise<void> {
  const { signal, log } = host;
  const { data, segmenting, sending, targets, rules, receiving } = configuration;
  const incoming = join(data, "incoming");
  // What was on its way when an earlier process ended was never promised to anybody.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const note = (sentence: string, job?: Job) => log({ event: "note", sentence, job: job?.id ?? null });
  const notices = new Notices(note);
  const trouble = (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    if (isFullDisk(error)) notices.tell("disk", fullDisk);
    else notices.tell("fault", `${new Date().toISOString().slice(0, 16)}Z: ${message}`);
  };
  const journal = await Journal.open(join(data, "jobs"));
  for (const sentence of journal.damage) notices.tell(sentence, sentence);
  const tokens = await tokensOf(configuration);
  const firstToken = tokens.list().length > 0 ? null : await tokens.create("first", "administer", null);
  const sessions = new Sessions(tokens);
  const audit = new AuditLog(join(data, "audit.jsonl"));
  const events = new Events();
  const studies =
    configuration.queue === undefined
      ? null
      : openAsking<StudyTask>(
          "studies",
          configuration.queue,
          (reason) => reason instanceof Stopped && reason.isCancelled,
          note,
        );
  const store = configuration.store === undefined ? null : openStore(configuration.store, process.env);
  const metrics = createMetrics(journal, studies && (() => studies.counts()));
  const runner = new Runner({
    journal,
    segment: (job, plan, stop) => segment(job, plan, stop),
    send: async (job, target, stop) => {
      const results = journal.resultsOf(job);
      const paths = job.results
        .filter(({ name }) => name.endsWith(".dcm"))
        .map(({ name }) => join(results, name));
      const known = targets[target];
      if (known === undefined)
        throw new InputError(`There is no target ${target} any more; add it to the configuration.`);
      if (paths.length > 0) await sendFiles(paths, target, known, stop);
      await audit.write({
        who: "the service",
        action: `send to ${target}`,
        subject: job.id,
        from: null,
        outcome: "done",
      });
    },
    // Over Redis everything is asked for at once, and the workers decide.
    concurrency: studies === null ? segmenting.jobs : 10_000,
    segmentingBackOff: segmenting.backOff,
    sendingBackOff: sending.backOff,
    untilOffPeakMs: () => untilOffPeakMs(configuration.offPeak, new Date()),
    now: () => new Date(),
    log: note,
    trouble,
  });
  const segment = async (job: Job, plan: JobPlan, stop: AbortSignal): Promise<SegmentedJob> => {
    const { input, results: root } = journal.placeOf(job.id);
    const results = journal.resultsOf(job);
    const onProgress = ({ stage, done, total }: Progress) => {
      events.progress.set(job.id, { stage, done, total });
      events.tell({ id: job.id, state: "running", progress: { stage, done, total } });
    };
    const { model } = plan;
    const outputs = job.subject.kind === "series" ? plan.outputs : [];
    const { device, threads, longestSeconds } = segmenting;
    try {
      const segmented =
        studies === null
          ? await segmentInProcess(
              { input, results, model, outputs, device, threads },
              { signal: stop, longestSeconds, onProgress },
            )
          : await segmentByQueue(
              {
                ...{ id: job.id, input, results, priority: plan.priority },
                model,
                outputs,
                device,
                longestSeconds,
              },
              studies,
              store,
              { signal: stop, onProgress },
            );
      // Results of earlier input, and what killed processes left.
      for (const name of await readdir(root))
        if (name !== basename(results)) await rm(join(root, name), { recursive: true, force: true });
      return segmented;
    } finally {
      events.progress.delete(job.id);
    }
  };
  const reception = new Reception({
    ...{ journal, rules, quietSeconds: receiving.quietSeconds, log: note },
    targetOfSender: ({ way, from }: JobSource) =>
      way !== "C-STORE"
        ? null
        : (Object.entries(targets).find(
            ([, target]) => target.kind === "c-store" && target.title === from,
          )?.[0] ?? null),
    halt: (id) => runner.halt(id),
    onComplete: (job) => runner.proceed(job),
  });
  journal.onChange((job, id) => {
    events.tell({ id, state: job?.state ?? "removed", progress: null });
    notices.tell("disk", null);
    if (job !== null)
      log({ event: "job", job: id, state: job.state, files: job.files.length, sentence: job.sentence });
  });
  const remove = async (id: string) => {
    await runner.cancel(id, "the service").catch(() => undefined);
    await journal.remove(id);
    await store?.remove(`jobs/${id}`);
  };
  const sources = Object.fromEntries(
    Object.entries(configuration.sources).map(([name, source]) => [
      name,
      openSource(name, source, {
        take: (bytes, file) => reception.take(bytes, file, { way: "pull", from: name }),
        receiverTitle: configuration.dicom?.title ?? null,
      }),
    ]),
  );
  const boards = configuration.queue === undefined ? null : openBoards(configuration.queue);
  const server = await createServer({
    queues: boards?.queues ?? [],
    ...{ configuration, journal, runner, reception, tokens, sessions, audit, events, metrics, remove, log },
    ...{ sources, notices, trouble, stopping: signal, onRoute: host.onRoute },
    notReady: () => whyNotReady(data),
    retry: async (id, by) => {
      const job = await runner.retry(id, by);
      if (job.state === "receiving") await reception.complete([id]);
      return journal.get(id) ?? job;
    },
  });
  const closers: (() => Promise<void>)[] = [];
  try {
    const http = await server
      .listen({ host: configuration.http.host, port: configuration.http.port })
      .catch((error: Error) => {
        throw new InputError(
          `The service cannot listen on ${configuration.http.host}:${configuration.http.port} (${error.message}); choose another address with the option port or host.`,
        );
      });
    closers.push(async () => {
      events.close();
      await server.close();
    });
    const receiver = await openReceiver(configuration, incoming, reception, audit, note, trouble);
    if (receiver !== null) closers.push(() => receiver.close());
    for (const folder of configuration.watch)
      closers.push(
        watchFolder({
          ...{
            folder,
            memory: join(data, "watched.jsonl"),
            everySeconds: receiving.watchEverySeconds,
            log: note,
          },
          take: (bytes, name) => reception.take(bytes, name, { way: "watched folder", from: folder }),
          trouble: (sentence) => notices.tell(`watch ${folder}`, sentence),
        }),
      );
    for (const rule of configuration.pull)
      closers.push(
        pullByRule({
          ...{ rule, source: sources[rule.source], memory: join(data, "pulled.txt") },
          now: () => new Date(),
          jobOf: (id) => journal.get(id),
          fetched: async ({ jobs }) => {
            await reception.complete(jobs);
            for (const subject of jobs)
              await audit.write({
                ...{ who: "the service", action: `pull from ${rule.source} by "${rule.name}"`, subject },
                ...{ from: null, outcome: "done" },
              });
          },
          trouble: (sentence) => notices.tell(`pull ${rule.name}`, sentence),
        }),
      );
    const retention = new Retention({
      ...{ days: configuration.retention, journal, audit, remove, log: note },
      trouble: (sentence) => notices.tell("clock", sentence),
      now: () => new Date(),
      countedMs: () => performance.now(),
    });
    const looking = setInterval(async () => notices.tell("room", await whyNotReady(data)), 60_000);
    const tidying = setInterval(() => void retention.tidy(), 3_600_000);
    closers.push(async () => {
      clearInterval(looking);
      clearInterval(tidying);
    });
    notices.tell("room", await whyNotReady(data));
    await retention.tidy();
    reception.resume();
    runner.resume();
    log({ event: "listening", http, dicom: receiver?.port ?? null });
    host.onListening?.({ http, dicomPort: receiver?.port ?? null, firstToken });
    await aborted(signal);
    log({ event: "stopping" });
  } finally {
    for (const close of closers) await close();
    await reception.close();
    await runner.close();
    await studies?.close();
    await boards?.close();
    metrics.close();
    log({ event: "stopped" });
  }
}

function openReceiver(
  { dicom }: Configuration,
  folder: string,
  reception: Reception,
  audit: AuditLog,
  log: (sentence: string) => void,
  trouble: (error: unknown) => void,
): Promise<Receiver | null> {
  if (dicom === undefined) return Promise.resolve(null);
  return receiveByDicom({
    ...{ configuration: dicom, folder, log, trouble },
    take: (bytes, name, source) => reception.take(bytes, name, source),
    refused: (title, address, why) => {
      log(`The association of "${title}" from ${address} was refused: ${why}.`);
      audit
        .write({ who: title, action: "associate", subject: "", from: address, outcome: `refused: ${why}` })
        .catch((error: Error) => log(error.message));
    },
  });
}

const fullDisk =
  "The disk of the service is full: nothing can be taken in or segmented until there is room. Free some space; what waits then goes on.";

/** Room that a service needs to take a study in. */
const leastFreeBytes = 2e9;

async function whyNotReady(data: string): Promise<string | null> {
  try {
    await readdir(data);
    const { bavail, bsize } = await statfs(data);
    return bavail * bsize < leastFreeBytes ? "Less than 2 GB of the disk are free." : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
