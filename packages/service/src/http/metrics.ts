// Figures for Prometheus.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { jobStates } from "../jobs/job.js";
import type { Journal } from "../jobs/journal.js";

export interface Metrics {
  readonly registry: Registry;
  close(): void;
}

/** Jobs of a queue on Redis by state, and how many workers listen. */
export type QueueCounts = () => Promise<Readonly<Record<string, number>>>;

/** Counts what the journal is told, from now on. */
export function createMetrics(journal: Journal, queueCounts: QueueCounts | null): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const jobs = new Gauge({
    name: "lnsnet_jobs",
    help: "Jobs by state",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      const all = journal.list();
      for (const state of jobStates) jobs.set({ state }, all.filter((job) => job.state === state).length);
    },
  });
  const files = new Counter({
    name: "lnsnet_received_files_total",
    help: "Files that were received",
    registers: [registry],
  });
  const failures = new Counter({
    name: "lnsnet_failed_jobs_total",
    help: "Jobs that failed",
    registers: [registry],
  });
  const seconds = new Histogram({
    name: "lnsnet_segmentation_seconds",
    help: "How long segmentations took",
    buckets: [1, 5, 15, 30, 60, 120, 300, 900, 3600],
    registers: [registry],
  });
  const turnaround = new Histogram({
    name: "lnsnet_turnaround_seconds",
    help: "From a job's last file until its results: waiting and segmentation",
    buckets: [5, 15, 30, 60, 120, 300, 900, 3600, 4 * 3600, 24 * 3600],
    registers: [registry],
  });
  if (queueCounts !== null) measureQueue(registry, queueCounts);
  const completeAt = new Map<string, number>();
  const before = new Map(journal.list().map((job) => [job.id, job]));
  const close = journal.onChange((job, id) => {
    const last = before.get(id);
    if (job === null) {
      before.delete(id);
      completeAt.delete(id);
      return;
    }
    before.set(id, job);
    if (job.files.length > (last?.files.length ?? 0)) files.inc();
    if (job.state === "failed" && last?.state !== "failed") failures.inc();
    if (job.state === "queued" && last?.state === "receiving") completeAt.set(id, Date.parse(job.changedAt));
    if (job.seconds === null || last?.seconds != null) return;
    seconds.observe(job.seconds);
    const since = completeAt.get(id);
    if (since !== undefined) turnaround.observe((Date.parse(job.changedAt) - since) / 1000);
    completeAt.delete(id);
  });
  return { registry, close };
}

/** A Redis that is away answers nobody, and the other figures do not wait for it. */
const patienceMs = 1000;

function measureQueue(registry: Registry, queueCounts: QueueCounts): void {
  let asked: Promise<Readonly<Record<string, number>> | null> | null = null;
  /** Asked once for all figures of a request; null where Redis does not answer. */
  const counts = () => {
    asked ??= Promise.race([
      queueCounts().catch(() => null),
      new Promise<null>((resolve) => setTimeout(() => resolve(null), patienceMs).unref()),
    ]).finally(() => {
      asked = null;
    });
    return asked;
  };
  const reachable = new Gauge({
    name: "lnsnet_queue_reachable",
    help: "1 while Redis answers, else 0",
    registers: [registry],
    async collect() {
      reachable.set((await counts()) === null ? 0 : 1);
    },
  });
  const workers = new Gauge({
    name: "lnsnet_queue_workers",
    help: "Workers that listen to the queue",
    registers: [registry],
    async collect() {
      const found = await counts();
      if (found !== null) workers.set(found.workers);
    },
  });
  const jobs = new Gauge({
    name: "lnsnet_queue_jobs",
    help: "Jobs in the queue on Redis by state, as BullMQ calls it",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      jobs.reset();
      for (const [state, count] of Object.entries((await counts()) ?? {}))
        if (state !== "workers") jobs.set({ state }, count);
    },
  });
}
