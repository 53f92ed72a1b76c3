// Figures for Prometheus.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { jobStates } from "../jobs/job.js";
import type { Journal } from "../jobs/journal.js";

export interface Metrics {
  readonly registry: Registry;
  close(): void;
}

/** Counts what the journal is told, from now on. */
export function createMetrics(journal: Journal): Metrics {
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
  const before = new Map(journal.list().map((job) => [job.id, job]));
  const close = journal.onChange((job, id) => {
    const last = before.get(id);
    if (job === null) {
      before.delete(id);
      return;
    }
    before.set(id, job);
    if (job.files.length > (last?.files.length ?? 0)) files.inc();
    if (job.state === "failed" && last?.state !== "failed") failures.inc();
    if (job.seconds !== null && last?.seconds == null) seconds.observe(job.seconds);
  });
  return { registry, close };
}
