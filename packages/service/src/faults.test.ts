// What goes wrong around the service: targets, disks, clocks and people. Each time a sentence says so, nothing is lost, and other studies go on.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  jobOfSeries,
  neckSeries,
  quickRule,
  removeFolder,
  serviceFolder,
  startService,
  type TestedService,
  tinyRule,
} from "./service.test-helper.js";

// A machine that is busy with other work takes a minute for what takes seconds.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

const isAtRest = ({ state }: { state: string }) => ["done", "failed", "cancelled"].includes(state);

describe("targets that are slow or dead", () => {
  let folder = "";
  let service: TestedService;
  const silent: { server: Server; sockets: Set<Socket>; port: number }[] = [];

  beforeAll(async () => {
    folder = await serviceFolder();
    silent.push(await silentServer(), await silentServer());
    const [dicom, web] = silent;
    service = await startService(folder, {
      targets: {
        node: {
          ...{ kind: "c-store", host: "127.0.0.1", port: dicom.port, title: "SILENT", timeoutSeconds: 1 },
        },
        web: { kind: "stow", url: `http://127.0.0.1:${web.port}/dicom-web`, timeoutSeconds: 1 },
        dead: { kind: "c-store", host: "127.0.0.1", port: 1, title: "DEAD", timeoutSeconds: 1 },
        blocked: { kind: "folder", path: "blocked/results" },
        share: { kind: "folder", path: "share" },
      },
      sending: { backOff: { attempts: 2, firstSeconds: 0.1 } },
      rules: [{ ...tinyRule, targets: ["node", "web", "dead", "blocked", "share"] }],
    });
    // A folder cannot be made where a file is.
    await writeFile(join(folder, "blocked"), "");
  });
  afterAll(async () => {
    await service.stop();
    for (const { server, sockets } of silent) {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
    await removeFolder(folder);
  });

  test("are named with what they did, and hold neither other targets nor other studies", async () => {
    await service.upload(neckSeries("1.2.840.41"));
    await service.upload(neckSeries("1.2.840.42"));
    for (const uid of ["1.2.840.41", "1.2.840.42"]) {
      const job = await service.jobWhen(({ id, state }) => id === jobOfSeries(uid) && state === "failed");
      const sentences = Object.fromEntries(job.deliveries.map(({ target, sentence }) => [target, sentence]));
      expect(sentences.node).toMatch(/^The target node \(SILENT at .*\) did not answer within 1 s\.$/);
      expect(sentences.web).toMatch(
        /^The target web \(http:.*\) did not answer: it took longer than the time limit of 1 s/,
      );
      expect(sentences.dead).toMatch(/^The target dead \(DEAD at .*\) did not answer: .*ECONNREFUSED/);
      expect(sentences.blocked).toMatch(/blocked/);
      const share = job.deliveries.find(({ target }) => target === "share");
      expect(share?.state).toBe("sent");
      const sent = job.results.filter(({ name }) => name.endsWith(".dcm"));
      expect(sent).toHaveLength(6);
      for (const { name } of sent) expect(existsSync(join(folder, "share", name))).toBe(true);
    }
    const page = await (await service.ask("/worklist/rows")).text();
    expect(page).toContain("Not sent to node: The target node (SILENT at 127.0.0.1:");
    // Nobody waits for a peer that is silent.
    await vi.waitFor(() => expect(silent.map(({ sockets }) => sockets.size)).toEqual([0, 0]), 10_000);
  });
});

/** Takes connections, and never says a word. */
async function silentServer() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, sockets, port: typeof address === "object" && address !== null ? address.port : 0 };
}

/** Why no small disk can be had here; null where it can. */
const noDisk: string | null = (() => {
  const place = join(tmpdir(), `lnsnet-disk-${process.pid}`);
  spawnSync("mkdir", [place]);
  const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place]).status === 0;
  if (isMounted) spawnSync("umount", [place]);
  spawnSync("rmdir", [place]);
  return isMounted ? null : "a small disk (tmpfs) can be mounted by root alone";
})();

describe.skipIf(noDisk !== null)(`a full disk${noDisk === null ? "" : `: skipped, ${noDisk}`}`, () => {
  let folder = "";
  let service: TestedService;
  const ballast = () => join(folder, "data/ballast");
  const fill = () => spawnSync("dd", ["if=/dev/zero", `of=${ballast()}`, "bs=64k"]);

  beforeAll(async () => {
    folder = await serviceFolder();
    await mkdir(join(folder, "data"));
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", join(folder, "data")]);
    service = await startService(folder, {
      dicom: { port: 0, allow: [{ title: "SENDER" }] },
      segmenting: {
        ...{ threads: 1, device: "cpu" },
        backOff: { attempts: 20, firstSeconds: 1, longestSeconds: 1 },
      },
    });
  });
  afterAll(async () => {
    await service.stop();
    spawnSync("umount", [join(folder, "data")]);
    await removeFolder(folder);
  });
  const page = async () => (await service.ask("/worklist/rows")).text();

  test("refuses what comes with a sentence, by every way, and takes it when there is room", async () => {
    await service.upload(neckSeries("1.2.840.43"));
    const before = await service.jobWhen(({ state }) => state === "done");
    fill();
    const late = neckSeries("1.2.840.44");
    const response = await service.upload(late);
    expect(response.status).toBe(507);
    expect(((await response.json()) as { error: string }).error).toBe("The disk of the service is full.");
    expect(await page()).toContain("The disk of the service is full: nothing can be taken in");
    const stow = await service.ask("/dicom-web/studies", {
      ...{ method: "POST", headers: { "Content-Type": "multipart/related; boundary=x" } },
      body: Buffer.concat([
        Buffer.from("--x\r\nContent-Type: application/dicom\r\n\r\n"),
        late[0].bytes,
        Buffer.from("\r\n--x--"),
      ]),
    });
    expect(stow.status).toBe(507);
    for (const { name, bytes } of late) await writeFile(join(folder, "watched", name), bytes);
    await vi.waitFor(
      async () => expect(await page()).toMatch(/was not taken in .* it is tried again/),
      60_000,
    );
    expect(await service.jobs()).toContainEqual(before);
    expect((await service.ask("/health/ready")).status).toBe(503);
    await rm(ballast());
    const job = await service.jobWhen(
      ({ id, state }) => id === jobOfSeries("1.2.840.44") && state === "done",
    );
    expect(job).toMatchObject({ files: 20, nodes: 2 });
    expect(await page()).not.toContain("was not taken in");
    expect(await page()).not.toContain("nothing can be taken in");
  });

  test("lets a running job wait until there is room", async () => {
    await service.upload(neckSeries("1.2.840.45"));
    const id = jobOfSeries("1.2.840.45");
    await service.jobWhen((job) => job.id === id && job.state === "running");
    fill();
    await vi.waitFor(async () => expect(await page()).toMatch(/disk.* is full/), 120_000);
    const waiting = (await service.jobs()).find((job) => job.id === id);
    expect(waiting !== undefined && !isAtRest(waiting)).toBe(true);
    await rm(ballast());
    const job = await service.jobWhen((job) => job.id === id && isAtRest(job));
    expect(job).toMatchObject({ state: "done", nodes: 2 });
  });
});

describe("people", () => {
  let folder = "";
  let service: TestedService;
  beforeAll(async () => {
    folder = await serviceFolder();
    service = await startService(folder);
  });
  afterAll(async () => {
    await service.stop();
    await removeFolder(folder);
  });
  const running = async (uid: string) => {
    await service.upload(neckSeries(uid));
    return service.jobWhen(({ id, state }) => id === jobOfSeries(uid) && state === "running");
  };

  test("who remove a job while it runs stop it, and it leaves nothing", async () => {
    const { id } = await running("1.2.840.51");
    await service.upload(neckSeries("1.2.840.52"));
    expect((await service.ask(`/api/jobs/${id}`, { method: "DELETE" })).status).toBe(204);
    const other = await service.jobWhen((job) => job.id === jobOfSeries("1.2.840.52") && isAtRest(job));
    expect(other.state).toBe("done");
    expect((await service.jobs()).map((job) => job.id)).not.toContain(id);
    expect(await readdir(join(folder, "data/jobs"))).not.toContain(id);
    // Sent again, it is a new job.
    await service.upload(neckSeries("1.2.840.51"));
    await service.jobWhen((job) => job.id === id && job.state === "done");
  });

  test("who take the files of a running job away read so, and other jobs go on", async () => {
    const { id } = await running("1.2.840.53");
    await rm(join(folder, "data/jobs", id, "input"), { recursive: true });
    await service.upload(neckSeries("1.2.840.54"));
    const job = await service.jobWhen((job) => job.id === id && isAtRest(job));
    // Whether its files had been read by then is chance.
    if (job.state === "failed") expect(job.sentence).toMatch(/does not exist|no longer|cannot be read/);
    const other = await service.jobWhen((job) => job.id === jobOfSeries("1.2.840.54") && isAtRest(job));
    expect(other.state).toBe("done");
  });

  test("who take its whole folder away read so, and other jobs go on", async () => {
    const { id } = await running("1.2.840.55");
    // At once: while it is removed file by file, the job may fail for want of one of them.
    await rename(join(folder, "data/jobs", id), join(folder, "taken"));
    await service.upload(neckSeries("1.2.840.56"));
    await vi.waitFor(async () => {
      const page = await (await service.ask("/worklist/rows")).text();
      expect(page).toContain(`The folder of the job ${id} was taken away while the job was worked on.`);
    }, 240_000);
    expect((await service.jobs()).map((job) => job.id)).not.toContain(id);
    const other = await service.jobWhen((job) => job.id === jobOfSeries("1.2.840.56") && isAtRest(job));
    expect(other.state).toBe("done");
  });

  test("who start a second service on the same folder read which one has it", async () => {
    await expect(startService(folder)).rejects.toThrow(/is being written to by lnsnet serve/);
    // The first one goes on.
    await service.upload(neckSeries("1.2.840.57"));
    await service.jobWhen((job) => job.id === jobOfSeries("1.2.840.57") && job.state === "done");
  });
});

describe("a clock that is set", () => {
  let folder = "";
  let service: TestedService;
  afterEach(async () => {
    vi.useRealTimers();
    await service.stop();
    await removeFolder(folder);
  });
  const yearMs = 365 * 86_400_000;

  test.each([
    ["forward a year", yearMs],
    ["back a year", -yearMs],
  ])("%s: jobs that wait, run and come are done; tokens and records stay", async (_, jumpMs) => {
    folder = await serviceFolder();
    await writeFile(join(folder, "broken.safetensors"), "no model");
    service = await startService(folder, {
      targets: { late: { kind: "folder", path: "late/results" } },
      sending: { backOff: { attempts: 100, firstSeconds: 0.2, longestSeconds: 0.5 } },
      rules: [{ ...quickRule, targets: ["late"] }],
    });
    await writeFile(join(folder, "late"), "");
    await service.upload(neckSeries("1.2.840.61"));
    await service.jobWhen(({ deliveries }) => deliveries.some(({ sentence }) => sentence !== null));
    await service.upload(neckSeries("1.2.840.62"));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + jumpMs });
    await service.upload(neckSeries("1.2.840.63"));
    await rm(join(folder, "late"));
    for (const uid of ["1.2.840.61", "1.2.840.62", "1.2.840.63"]) {
      const job = await service.jobWhen((job) => job.id === jobOfSeries(uid) && isAtRest(job));
      expect(job).toMatchObject({ state: "done", nodes: 2 });
    }
    expect((await service.ask("/api/jobs", { token: service.tokens.view })).status).toBe(200);
    vi.useRealTimers();
    const before = await service.jobs();
    await service.stop();
    service = await startService(folder, { retention: { jobDays: 0 } });
    expect((await service.jobs()).map(({ id }) => id).sort()).toEqual(before.map(({ id }) => id).sort());
  });
});

describe("retention", () => {
  test("removes the files of what ended long ago, and what was done stays in the audit log", async () => {
    const folder = await serviceFolder();
    let service = await startService(folder);
    await service.upload(neckSeries("1.2.840.71"));
    const { id } = await service.jobWhen(({ state }) => state === "done");
    await service.stop();
    service = await startService(folder, { retention: { jobDays: 1e-9, auditDays: 365 } });
    await vi.waitFor(async () => expect(await service.jobs()).toEqual([]), 10_000);
    expect(await readdir(join(folder, "data/jobs"))).toEqual([]);
    await service.stop();
    const lines = (await readFile(join(folder, "data/audit.jsonl"), "utf8")).trimEnd().split("\n");
    const ofJob = lines.map((line) => JSON.parse(line)).filter(({ subject }) => subject === id);
    expect(ofJob.map(({ action }) => action)).toEqual(["upload", "remove"]);
    // The log has an age of its own.
    service = await startService(folder, { retention: { jobDays: 30, auditDays: 1e-9 } });
    await service.stop();
    expect(await readFile(join(folder, "data/audit.jsonl"), "utf8")).not.toContain(id);
    await removeFolder(folder);
  });
});
