// Experiments over Redis as a user does them: the built command, workers in processes of their own, of which some are killed.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Queue } from "bullmq";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { queueNames } from "./queueing/queues.js";
import { noRedis, type Redis, startRedis } from "./redis.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 400_000 });

const bin = fileURLToPath(new URL("../../cli/bin/lnsnet.js", import.meta.url));

/** Runs the command in a folder to its end. */
const lnsnetIn = (cwd: string, words: readonly string[]) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [bin, ...words], { cwd }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });

const network = ["--network", "lnsnet-small", "--patch", "16,16,16", "--spacing", "1,1,1.5"];
const regime = ["--validate-every", "0", "--threads", "1", "--seed", "3"];

interface WorkerLine {
  readonly event: string;
  readonly what?: string;
  readonly sentence?: string;
}

interface TestedWorker {
  readonly child: ChildProcess;
  readonly lines: readonly WorkerLine[];
  /** Returns when the worker has said this. */
  said(event: string, what?: string): Promise<void>;
  kill(): Promise<void>;
}

describe.skipIf(noRedis !== null)(
  `experiments over Redis${noRedis === null ? "" : `: skipped, ${noRedis}`}`,
  () => {
    let shared = "";
    let redis: Redis;
    let workers: TestedWorker[] = [];

    function startWorker(folder = shared): TestedWorker {
      const words = ["worker", "--queue", redis.url, "--folder", folder];
      const child = spawn(process.execPath, [bin, ...words], { stdio: ["ignore", "pipe", "inherit"] });
      const lines: WorkerLine[] = [];
      createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
      const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
      const worker: TestedWorker = {
        ...{ child, lines },
        async said(event, what) {
          while (!lines.some((line) => line.event === event && line.what === what)) await sleep(20);
        },
        async kill() {
          child.kill("SIGKILL");
          await ended;
        },
      };
      workers.push(worker);
      return worker;
    }

    /** Runs the command in a folder of its own below the shared one, so that paths are the same in every run. */
    async function run(name: string, words: readonly string[]) {
      await mkdir(join(shared, name), { recursive: true });
      return lnsnetIn(join(shared, name), words);
    }
    const overRedis = () => ["--queue", redis.url, "--shared", ".."];

    /** The tables and masks of a folder, by their paths in it. */
    async function resultsOf(...path: string[]): Promise<Map<string, string>> {
      const folder = join(shared, ...path);
      const results = new Map<string, string>();
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        const isResult =
          /^(cases|nodes|summary)\.(csv|json|tex)$|^(model|best)\.safetensors$|\.nii\.gz$/.test(entry.name) ||
          /predictions|test/.test(entry.parentPath.slice(folder.length));
        if (!entry.isFile() || !isResult) continue;
        const file = join(entry.parentPath, entry.name);
        results.set(file.slice(folder.length), (await readFile(file)).toString("base64"));
      }
      return results;
    }

    beforeAll(async () => {
      shared = await mkdtemp(join(tmpdir(), "lnsnet-shared-"));
      redis = await startRedis(shared);
      const patients = Array.from({ length: 5 }, (_, n) => boxPatient(n));
      await writeBoxes(join(shared, "boxes"), patients, [boxPatient(5)]);
      await writeBoxes(join(shared, "pair"), patients.slice(0, 2));
    });
    afterEach(async () => {
      await Promise.all(workers.map((worker) => worker.kill()));
      workers = [];
      // A test that failed leaves work in the queue.
      await redis.empty();
    });
    afterAll(async () => {
      await redis?.stop();
      await rm(shared, { recursive: true, force: true });
    });

    test("a cross-validation of 5 folds by 3 workers, of which one is killed, has the results of one process bit for bit", async () => {
      const words = ["crossvalidate", "../boxes", "--output", "experiment", "--folds", "5", "--steps", "4"];
      const alone = await run("alone", [...words, ...network, ...regime]);
      expect(alone.code, alone.stderr).toBe(0);
      const [first] = [startWorker(), startWorker(), startWorker()];
      const spreading = run("spread", [...words, ...network, ...regime, ...overRedis()]);
      await first.said("begun", "train fold");
      await first.kill();
      startWorker();
      const spread = await spreading;
      expect(spread.code, spread.stderr).toBe(0);
      const expected = await resultsOf("alone", "experiment");
      // 7 tables, 5 models, masks and figures of 5 cases and of the test case by 5 folds and the ensemble.
      expect(expected.size).toBeGreaterThanOrEqual(7 + 5 + 2 * 5 + 2 * 6);
      expect(await resultsOf("spread", "experiment")).toEqual(expected);
      // Training and prediction went through the workers.
      const done = workers.flatMap(({ lines }) => lines.filter(({ event }) => event === "done"));
      expect(done.filter(({ what }) => what === "train fold")).toHaveLength(5);
      expect(done.filter(({ what }) => what === "predict case").length).toBeGreaterThanOrEqual(6);
    });

    test("a training whose worker is killed goes on at another one from where it was saved", async () => {
      const words = [
        "crossvalidate",
        "../boxes",
        "--output",
        "experiment",
        "--folds",
        "2",
        "--steps",
        "5000",
      ];
      const settings = ["--protocol", "node-level", ...network, ...regime, ...overRedis()];
      await mkdir(join(shared, "resumed"));
      const command = spawn(process.execPath, [bin, ...words, ...settings], {
        ...{ cwd: join(shared, "resumed"), stdio: "ignore" },
      });
      const ended = new Promise<number | null>((resolve) => command.once("close", resolve));
      const queue = new Queue(queueNames.experiments, { connection: { url: redis.url } });
      /** Steps that trainings have told of, by the job of their fold. */
      const told = async () =>
        (await queue.getActive()).flatMap(({ id, progress }) =>
          typeof progress === "object" &&
          "stage" in progress &&
          "done" in progress &&
          progress.stage === "train"
            ? [{ id: String(id), step: Number(progress.done) }]
            : [],
        );
      const waitFor = async (isMeant: (job: { readonly id: string; readonly step: number }) => boolean) => {
        for (;;) {
          const found = (await told()).find(isMeant);
          if (found !== undefined) return found;
          await sleep(20);
        }
      };
      const first = startWorker();
      const killed = await waitFor(({ step }) => step >= 20);
      // The other fold goes to another worker, so that only the one whose worker is killed waits for a third.
      startWorker();
      while ((await queue.getActiveCount()) < 2) await sleep(50);
      await first.kill();
      // The process that trains notices that its worker is gone, and saves.
      const states = [0, 1].map((fold) =>
        join(shared, "resumed", "experiment", `fold_${fold}`, "state.safetensors"),
      );
      const isThere = (path: string) => readFile(path).then(Boolean, () => false);
      while (!(await Promise.all(states.map(isThere))).some(Boolean)) await sleep(50);
      await (await queue.getJob(killed.id))?.updateProgress({ stage: "killed", done: 0, total: 1 });
      startWorker();
      const again = await waitFor(({ id }) => id === killed.id);
      expect(again.step).toBeGreaterThanOrEqual(20);
      // Whoever stops the command takes back what it asked for, and the training that runs is saved.
      command.kill("SIGINT");
      expect(await ended).toBe(130);
      while ((await queue.getActiveCount()) > 0) await sleep(50);
      expect(await queue.getWaitingCount()).toBe(0);
      await queue.close();
    });

    test("a comparison by workers has the results of one process, and an evaluation too", async () => {
      const words = [
        "compare",
        "../pair",
        "--output",
        "comparison",
        "--networks",
        "lnsnet-small,segresnet-16",
      ];
      const settings = [
        "--folds",
        "2",
        "--steps",
        "2",
        "--protocol",
        "node-level",
        "--patch",
        "16,16,16",
        "--spacing",
        "1,1,1.5",
      ];
      const alone = await run("alone", [...words, ...settings, ...regime]);
      expect(alone.code, alone.stderr).toBe(0);
      startWorker();
      startWorker();
      const spread = await run("spread", [...words, ...settings, ...regime, ...overRedis()]);
      expect(spread.code, spread.stderr).toBe(0);
      expect(await resultsOf("spread", "comparison")).toEqual(await resultsOf("alone", "comparison"));

      const evaluation = ["evaluate", "../boxes/labelsTr", "../boxes/labelsTr", "--nodes", "--json"];
      const here = await run("alone", evaluation);
      const there = await run("alone", [...evaluation, ...overRedis()]);
      expect(there.code, there.stderr).toBe(0);
      expect(JSON.parse(there.stdout)).toEqual(JSON.parse(here.stdout));
      const evaluated = workers.flatMap(({ lines }) => lines.filter(({ event }) => event === "done"));
      expect(evaluated.filter(({ what }) => what === "evaluate case")).toHaveLength(5);
    });

    test("what a person must correct ends the command with its sentence, and nothing is left in the queue", async () => {
      startWorker();
      const outside = await lnsnetIn(shared, [
        "evaluate",
        "boxes/labelsTs",
        "boxes/labelsTs",
        "--queue",
        redis.url,
        "--shared",
        "boxes/imagesTr",
      ]);
      expect(outside).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/is not in .*imagesTr.*--shared/),
      });
      const refused = await lnsnetIn(shared, [
        "evaluate",
        "boxes/labelsTs",
        "boxes/imagesTs",
        "--queue",
        redis.url,
      ]);
      expect(refused.code, refused.stderr).toBe(2);
      const queue = new Queue(queueNames.experiments, { connection: { url: redis.url } });
      const { waiting, active, prioritized } = await queue.getJobCounts();
      expect({ waiting, active, prioritized }).toEqual({ waiting: 0, active: 0, prioritized: 0 });
      await queue.close();
      const both = await run("both", ["crossvalidate", "../boxes", "--queue", redis.url, "--fold", "0"]);
      expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("--queue does all folds") });
      const nowhere = await run("nowhere", [
        "evaluate",
        "../boxes/labelsTs",
        "../boxes/labelsTs",
        "--queue",
        "http://x",
      ]);
      expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("is no address such as") });
    });
  },
);
