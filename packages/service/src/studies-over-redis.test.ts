// Many machines: studies go over Redis to workers in processes of their own, of which one is killed, while Redis is restarted.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Queue } from "bullmq";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { queueNames } from "./queueing/queues.js";
import { noRedis, type Redis, startRedis } from "./redis.test-helper.js";
import {
  neckSeries,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
} from "./service.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 400_000 });

const bin = fileURLToPath(new URL("../../cli/bin/lnsnet.js", import.meta.url));

describe.skipIf(noRedis !== null)(
  `over Redis${noRedis === null ? "" : `: skipped, ${noRedis}`}`,
  { timeout: 400_000 },
  () => {
    let folder = "";
    let redis: Redis;
    let service: TestedService;
    const workers: ChildProcess[] = [];

    /** A worker that says something when it has begun. */
    async function startWorker(): Promise<ChildProcess> {
      const tokens = ["worker", "--queue", redis.url, "--folder", join(folder, "data"), "--threads", "1"];
      const child = spawn(process.execPath, [bin, ...tokens], { stdio: ["ignore", "pipe", "inherit"] });
      workers.push(child);
      await new Promise((resolve) => child.stdout.once("data", resolve));
      return child;
    }

    beforeAll(async () => {
      folder = await serviceFolder();
      redis = await startRedis(folder);
      service = await startService(folder, { queue: redis.url });
    });
    afterAll(async () => {
      for (const worker of workers) worker.kill("SIGKILL");
      await service?.stop();
      await redis?.stop();
      await removeFolder(folder);
    });

    /** How many studies are in each state of the queue, as Redis knows it. */
    async function queuedStudies() {
      const queue = new Queue(queueNames.studies, { connection: { url: redis.url } });
      const { active, waiting, prioritized } = await queue.getJobCounts();
      await queue.close();
      return { active, unbegun: waiting + prioritized };
    }

    /** Waits until the worker has begun with a study, which cannot end: the worker stands still until it is continued. */
    async function holdStudy(worker: ChildProcess): Promise<void> {
      await vi.waitFor(async () => expect((await queuedStudies()).active).toBe(1), {
        timeout: 60_000,
        interval: 10,
      });
      worker.kill("SIGSTOP");
      expect((await queuedStudies()).active).toBe(1);
    }

    const all = ["1.2.840.51", "1.2.840.52", "1.2.840.53", "1.2.840.54"];
    const isDone = async () => (await service.jobs()).filter(({ state }) => state === "done").length;

    test("every study is done once, though a worker is killed and Redis restarted", async () => {
      const first = await startWorker();
      await Promise.all(all.map((uid) => service.upload(neckSeries(uid))));
      while ((await isDone()) < 1) await new Promise((resolve) => setTimeout(resolve, 100));
      await holdStudy(first);
      first.kill("SIGKILL");
      await redis.restart();
      await startWorker();
      while ((await isDone()) < all.length) await new Promise((resolve) => setTimeout(resolve, 200));
      const jobs = await service.jobs();
      expect(jobs).toHaveLength(all.length);
      const masks = jobs.map(({ results }) => results.filter(({ name }) => name.endsWith(".nii.gz")));
      expect(masks.map(({ length }) => length)).toEqual(all.map(() => 1));
      // All studies have the same voxels, so that an undisturbed result is at hand.
      expect(new Set(masks.map(([{ sha256 }]) => sha256)).size).toBe(1);
      expect(jobs.every(({ nodes }) => nodes === 2)).toBe(true);
    });

    test("those who may administer see the queues, and the metrics count them", async () => {
      const { view, submit } = service.tokens;
      const statusOf = async (path: string, token?: string | null) =>
        (await service.ask(path, token === undefined ? {} : { token })).status;
      expect(await statusOf("/queue/")).toBe(200);
      expect(await (await service.ask("/queue/api/queues")).text()).toContain("lnsnet-studies");
      for (const path of ["/queue/", "/queue/api/queues"]) {
        expect(await statusOf(path, null)).toBe(401);
        expect(await statusOf(path, view)).toBe(403);
        expect(await statusOf(path, submit)).toBe(403);
      }
      const figures = await (await service.ask("/metrics")).text();
      expect(figures).toMatch(/^lnsnet_queue_reachable 1$/m);
      expect(figures).toMatch(/^lnsnet_queue_workers \d+$/m);
      expect(figures).toMatch(/^lnsnet_queue_jobs\{state="active"\} \d+$/m);
      expect(figures).toMatch(/^lnsnet_turnaround_seconds_count \d+$/m);
    });

    test("a study that is cancelled is stopped at its worker, and may be tried again", async () => {
      await service.upload(neckSeries("1.2.840.55"));
      const { id } = await service.jobWhen(({ state }) => state === "running");
      const [worker] = workers.slice(-1);
      await holdStudy(worker);
      expect((await service.ask(`/api/jobs/${id}/cancel`, { method: "POST" })).status).toBe(200);
      worker.kill("SIGCONT");
      expect((await service.ask(`/api/jobs/${id}/retry`, { method: "POST" })).status).toBe(200);
      await service.jobWhen((job) => job.id === id && job.state === "done");
    });

    test("a worker that is stopped gives its study back at once, and another one does it", async () => {
      await service.upload(neckSeries("1.2.840.57"));
      const { id } = await service.jobWhen(({ state }) => state === "running");
      const [worker] = workers.slice(-1);
      await holdStudy(worker);
      const ended = new Promise((resolve) => worker.once("close", resolve));
      worker.kill("SIGTERM");
      worker.kill("SIGCONT");
      await ended;
      expect(await queuedStudies()).toEqual({ active: 0, unbegun: 1 });
      await startWorker();
      await service.jobWhen((job) => job.id === id && job.state === "done");
    });

    test("a service that starts anew takes the answer of a study that was finished meanwhile", async () => {
      await service.upload(neckSeries("1.2.840.56"));
      await service.jobWhen(({ state }) => state === "running");
      await service.stop();
      service = await startService(folder, { queue: redis.url });
      const job = await service.jobWhen(({ state, id }) => state === "done" && id !== "");
      expect(job.nodes).toBe(2);
      while ((await isDone()) < all.length + 3) await new Promise((resolve) => setTimeout(resolve, 200));
    });
  },
);
