// npm run check -- load: many studies, workers that are killed, a Redis and a receiver that are restarted, against a quiet run.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InputError, readNifti } from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";
import { medianOf } from "@lnsnet/core/statistics";
import { runLnsnet } from "./command.js";
import { type LoadRun, type MemorySample, type Stretch, timelineSvg } from "./load-picture.js";
import {
  dicomJson,
  type Fields,
  freePort,
  type Program,
  requirePrograms,
  residentBytes,
  startLogging,
  startRedis,
  store,
  untilTrue,
} from "./load-processes.js";
import { cropAround, writeCtSeries } from "./load-series.js";

const help = `npm run check -- load [options]

Sends CT series of phantoms by C-STORE to \`lnsnet serve\`, which queues them on Redis for workers in processes of their own,
twice. The first run is quiet. In the second, the receiver is killed in the middle of an association, a worker is killed every
few seconds, and Redis is killed once and started again. All of it is on 127.0.0.1. Every result must be there exactly once and
equal to that of the quiet run, but for UIDs, times and folders; urgent studies go first; the memory of service and Redis stays flat. Needs
redis-server and dcmtk. About 15 minutes. Exit code 1 where something does not hold.

  --output FOLDER    a new or empty folder (load-check); timeline.svg and figures.json are written there
  --studies COUNT    at most 200 (50)
  --workers COUNT    at most 8 (3)
  --every SECONDS    between kills of workers (10)
  --longest SECONDS  after which a run is given up (1200)
  --help             print this`;

const { values } = parseArgs({
  options: {
    output: { type: "string", default: "load-check" },
    studies: { type: "string", default: "50" },
    workers: { type: "string", default: "3" },
    every: { type: "string", default: "10" },
    longest: { type: "string", default: "1200" },
    help: { type: "boolean", default: false },
  },
});

/** LNSNet, trained on phantoms. */
const phantomModel = fileURLToPath(new URL("../models/phantom.safetensors", import.meta.url));

if (values.help) console.log(help);
else process.exitCode = await main(resolve(values.output));

interface Study {
  /** The service's name for the job of the series. */
  readonly job: string;
  readonly folder: string;
  readonly slices: number;
  readonly isUrgent: boolean;
}

/** What a run came to, beside its picture. */
interface Ended {
  readonly run: LoadRun;
  /** By job: what its result holds. */
  readonly results: ReadonlyMap<string, string>;
  /** How often each job was segmented by its record. */
  readonly segmentations: ReadonlyMap<string, number>;
  /** Files that were sent on. */
  readonly delivered: number;
  readonly hasOrder: boolean;
}

async function main(output: string): Promise<number> {
  requirePrograms();
  const count = (name: "studies" | "workers" | "every" | "longest", most: number) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new InputError(
        `--${name} is "${values[name]}", and a whole number from 1 to ${most} was expected.`,
      );
    return value;
  };
  const settings = {
    workers: count("workers", 8),
    everyMs: 1000 * count("every", 600),
    longestMs: 1000 * count("longest", 7200),
  };
  mkdirSync(output, { recursive: true });
  if (readdirSync(output).length > 0) throw new InputError(`${output} is not empty; give another --output.`);
  const studies = await makeStudies(output, count("studies", 200));
  const quiet = await runOnce(join(output, "quiet"), studies, { ...settings, isDisturbed: false });
  console.log(`quiet: ${quiet.run.seconds.toFixed(0)} s`);
  const disturbed = await runOnce(join(output, "disturbed"), studies, { ...settings, isDisturbed: true });
  console.log(`disturbed: ${disturbed.run.seconds.toFixed(0)} s`);
  return report(output, studies, quiet, disturbed);
}

/** Series of the surroundings of a node in two phantoms, in turn; the last fifth of them is urgent. */
async function makeStudies(output: string, count: number): Promise<Study[]> {
  const cohort = ["phantom", "--output", "cohort", "--training", "2", "--test", "0", "--seed", "1601"];
  await runLnsnet(output, cohort);
  const read = (folder: string, name: string) =>
    readNifti(readFileSync(join(output, "cohort", folder, name)), name);
  const labels = readdirSync(join(output, "cohort", "labelsTr")).sort();
  const volumes = labels.map((name) =>
    cropAround(read("imagesTr", name.replace(".nii.gz", "_0000.nii.gz")), read("labelsTr", name), 44),
  );
  return Array.from({ length: count }, (_, n): Study => {
    const isUrgent = n >= 0.8 * count;
    const seriesUid = `2.25.16${String(n).padStart(4, "0")}`;
    const folder = join(output, "studies", String(n).padStart(3, "0"));
    const description = isUrgent ? "urgent neck" : "neck";
    const slices = writeCtSeries(folder, volumes[n % volumes.length], { seriesUid, description });
    return { job: jobOf(seriesUid), folder, slices, isUrgent };
  });
}

/** As the service names the job of a series. */
function jobOf(seriesUid: string): string {
  return `series-${createHash("sha256").update(seriesUid).digest("hex").slice(0, 16)}`;
}

interface RunSettings {
  readonly workers: number;
  readonly everyMs: number;
  readonly longestMs: number;
  readonly isDisturbed: boolean;
}

interface JobAnswer {
  readonly id: string;
  readonly state: string;
  readonly files: number;
  readonly results: readonly { readonly name: string; readonly sha256: string }[];
}

async function runOnce(folder: string, studies: readonly Study[], settings: RunSettings): Promise<Ended> {
  const ports = { redis: await freePort(), http: await freePort(), dicom: await freePort() };
  const queue = `redis://127.0.0.1:${ports.redis}`;
  const data = join(folder, "data");
  mkdirSync(join(folder, "redis"), { recursive: true });
  const configuration = join(folder, "service.yaml");
  writeFileSync(configuration, JSON.stringify(serviceConfiguration(ports)));
  const newToken = ["serve", "--config", configuration, "--new-token", "submit", "--user", "load"];
  const token = (await runLnsnet(folder, newToken)).stdout.trim();
  const began = performance.now();
  const now = () => (performance.now() - began) / 1000;

  const stretches: Stretch[] = [];
  const open = new Map<number, { job: string; from: number }>();
  const marks: LoadRun["marks"][number][] = [];
  const memory: MemorySample[] = [];
  const firstBegun = new Map<string, number>();
  const onWorkerLine = (worker: number) => (fields: Fields) => {
    const job = String(fields.job ?? "").replace(/-[^-]*$/, "");
    if (fields.event === "begun") {
      open.set(worker, { job, from: now() });
      if (!firstBegun.has(job)) firstBegun.set(job, now());
    }
    if (fields.event === "done") endStretch(worker, true);
  };
  const endStretch = (worker: number, isDone: boolean) => {
    const begun = open.get(worker);
    open.delete(worker);
    if (begun !== undefined) stretches.push({ worker, ...begun, until: now(), isDone });
  };
  const startWorker = (worker: number) =>
    startLogging(["worker", "--queue", queue, "--folder", data, "--threads", "1"], onWorkerLine(worker));
  const startService = async () => {
    const started = startLogging(["serve", "--config", configuration, "--queue", queue], () => undefined);
    await untilTrue(() => isReady(ports.http), "the service");
    return started;
  };
  const jobs = async () => {
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await fetch(`http://127.0.0.1:${ports.http}/api/jobs`, { headers });
    if (!answer.ok) throw new Error(`/api/jobs answered ${answer.status}.`);
    return (await answer.json()) as JobAnswer[];
  };

  let redis = await startRedis(join(folder, "redis"), ports.redis);
  let service = await startService();
  let workers: Program[] = [];
  try {
    // Everything is queued before anybody works, so that the order is the queue's.
    let isReceiverKilled = !settings.isDisturbed;
    for (const { folder: files, slices, job } of studies) {
      const sending = store(files, ports.dicom);
      if (!isReceiverKilled && (await isBetween(jobs, job, slices))) {
        await service.kill("SIGKILL");
        marks.push({ at: now(), what: "receiver killed" });
        isReceiverKilled = true;
        if (await sending) throw new Error("The association ended well although its receiver was killed.");
        service = await startService();
        if (!(await store(files, ports.dicom)))
          throw new Error("A study was not taken when it was sent again.");
      } else if (!(await sending)) throw new Error(`${files} was not taken.`);
    }
    if (!isReceiverKilled) throw new Error("No association lasted long enough to kill its receiver.");
    await untilTrue(async () => (await jobs()).every(({ state }) => state !== "receiving"), "the queue");
    marks.push({ at: now(), what: "all queued" });
    workers = Array.from({ length: settings.workers }, (_, n) => startWorker(n));
    const done: { at: number; count: number }[] = [];
    let nextKill = performance.now() + settings.everyMs;
    let victim = 0;
    let isRedisRestarted = !settings.isDisturbed;
    for (;;) {
      if (performance.now() - began > settings.longestMs)
        throw new Error(`The run took longer than ${settings.longestMs / 1000} s.`);
      const finished = (await jobs()).filter(({ state }) => state === "done").length;
      done.push({ at: now(), count: finished });
      memory.push({ at: now(), service: residentBytes(service), redis: residentBytes(redis) });
      if (finished === studies.length) break;
      if (!isRedisRestarted && finished >= studies.length / 3) {
        isRedisRestarted = true;
        marks.push({ at: now(), what: "Redis killed" });
        await redis.kill("SIGKILL");
        redis = await startRedis(join(folder, "redis"), ports.redis);
      }
      if (settings.isDisturbed && performance.now() >= nextKill) {
        nextKill += settings.everyMs;
        await workers[victim].kill("SIGKILL");
        endStretch(victim, false);
        marks.push({ at: now(), what: "worker killed", worker: victim });
        workers[victim] = startWorker(victim);
        victim = (victim + 1) % settings.workers;
      }
      await sleep(500);
    }
    const all = await jobs();
    const begunOf = (isUrgent: boolean) =>
      studies
        .filter((study) => study.isUrgent === isUrgent)
        .map(({ job }) => firstBegun.get(job) ?? Number.NaN);
    return {
      run: {
        ...{ workers: settings.workers, studies: studies.length, seconds: now() },
        ...{ stretches, marks, done, memory },
      },
      results: new Map(all.map(({ id }) => [id, contentOf(join(data, "jobs", id, "results"))])),
      segmentations: new Map(all.map(({ id }) => [id, segmented(data, id)])),
      delivered: existsSync(join(folder, "share")) ? readdirSync(join(folder, "share")).length : 0,
      // Workers' clocks are this one; a second is what starting beside each other may cost.
      hasOrder: Math.max(...begunOf(true)) <= Math.min(...begunOf(false)) + 1,
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.kill("SIGKILL")));
    await service.kill("SIGTERM");
    await redis.kill("SIGKILL");
  }
}

function serviceConfiguration(ports: { readonly http: number; readonly dicom: number }) {
  return {
    data: "data",
    http: { port: ports.http, requestsPerMinute: 100_000 },
    dicom: { port: ports.dicom, allow: [{ title: "LOAD", address: "127.0.0.1" }] },
    receiving: { quietSeconds: 5 },
    segmenting: { threads: 1, device: "cpu" },
    targets: { share: { kind: "folder", path: "share" } },
    rules: [
      ...[
        { description: "urgent neck", priority: 50 },
        { description: "neck", priority: 0 },
      ].map(({ description, priority }) => ({
        ...{ name: description, when: { SeriesDescription: description }, priority },
        ...{ model: phantomModel, outputs: ["seg", "rtstruct", "sr"], targets: ["share"] },
      })),
      { name: "everything else", discard: true },
    ],
  };
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Waits until some files of a series are there, and says whether others still come. */
async function isBetween(
  jobs: () => Promise<readonly JobAnswer[]>,
  job: string,
  slices: number,
): Promise<boolean> {
  for (;;) {
    const files = (await jobs()).find(({ id }) => id === job)?.files ?? 0;
    if (files >= slices / 4) return files < 0.75 * slices;
    await sleep(2);
  }
}

/** The files of a result, without what is its own in every run: UIDs, times and folders. */
function contentOf(results: string): string {
  const files = readdirSync(results, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map(({ parentPath, name }) => join(parentPath, name));
  return files
    .sort()
    .map(
      (path) =>
        `${path.slice(results.length)} ${createHash("sha256").update(comparable(path)).digest("hex")}`,
    )
    .join("\n");
}

function comparable(path: string): string | Buffer {
  if (path.endsWith(".dcm")) {
    return dicomJson(path)
      .replaceAll(/"2\.25\.\d+"/g, '"own UID"')
      .replaceAll(/"vr":"(DA|TM|DT)","Value":\[[^\]]*\]/g, '"time"');
  }
  if (!path.endsWith(".json")) return readFileSync(path);
  const own = new Set(["path", "started", "seconds", "files"]);
  return JSON.stringify(JSON.parse(readFileSync(path, "utf8")), (key, value) =>
    own.has(key) ? undefined : value,
  );
}

/** How often a job's record says that it was segmented. */
function segmented(data: string, id: string): number {
  const record = readFileSync(join(data, "jobs", id, "record.jsonl"), "utf8");
  return record.split("\n").filter((line) => line.includes('"event":"segmented"')).length;
}

function report(output: string, studies: readonly Study[], quiet: Ended, disturbed: Ended): number {
  const { run } = disturbed;
  const equal = studies.filter(({ job }) => {
    const expected = quiet.results.get(job);
    return expected !== undefined && expected !== "" && disturbed.results.get(job) === expected;
  });
  const once = studies.filter(({ job }) => disturbed.segmentations.get(job) === 1);
  const killed = run.marks.filter(({ what }) => what === "worker killed").length;
  const [early, late] = [memoryOf(run, 0.25, 0.5), memoryOf(run, 0.75, 1)];
  const isFlat = late.service < 1.25 * early.service && late.redis < 1.25 * early.redis;
  const rows = [
    { what: "studies", value: String(studies.length) },
    { what: "files received", value: String(studies.reduce((sum, { slices }) => sum + slices, 0)) },
    { what: "results equal to the quiet run's", value: `${equal.length} of ${studies.length}` },
    { what: "studies segmented exactly once by their record", value: `${once.length} of ${studies.length}` },
    { what: "files sent on, quiet and disturbed", value: `${quiet.delivered}, ${disturbed.delivered}` },
    { what: "urgent studies first, quiet and disturbed", value: `${quiet.hasOrder}, ${disturbed.hasOrder}` },
    { what: "workers killed", value: String(killed) },
    { what: "tasks cut short", value: String(run.stretches.filter(({ isDone }) => !isDone).length) },
    {
      what: "seconds, quiet and disturbed",
      value: `${quiet.run.seconds.toFixed(0)}, ${run.seconds.toFixed(0)}`,
    },
    {
      what: "memory of the service, second and last quarter",
      value: `${mb(early.service)}, ${mb(late.service)}`,
    },
    { what: "memory of Redis, second and last quarter", value: `${mb(early.redis)}, ${mb(late.redis)}` },
  ];
  const columns = (["what", "value"] as const).map((key) => ({ key, title: key }));
  console.log(`\n${textTable(columns, rows)}`);
  writeFileSync(join(output, "timeline.svg"), timelineSvg(run));
  writeFileSync(join(output, "figures.json"), `${JSON.stringify({ rows, run }, null, 1)}\n`);
  const holds =
    equal.length === studies.length &&
    once.length === studies.length &&
    disturbed.delivered === quiet.delivered &&
    quiet.delivered > 0 &&
    quiet.hasOrder &&
    disturbed.hasOrder &&
    isFlat;
  console.log(holds ? "Everything holds." : "Not everything holds.");
  return holds ? 0 : 1;
}

/** Medians over a part of the time in which workers worked. */
function memoryOf({ memory }: LoadRun, from: number, until: number): { service: number; redis: number } {
  const part = memory.slice(Math.floor(from * memory.length), Math.ceil(until * memory.length));
  const median = (which: "service" | "redis") =>
    medianOf(part.flatMap((sample) => (sample[which] === null ? [] : [sample[which]])));
  return { service: median("service"), redis: median("redis") };
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
