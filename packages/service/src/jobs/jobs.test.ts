// The journal and what runs jobs from it: crashes, retries, priorities, targets that are dead.
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { waitAfter, waitUntil } from "./back-off.js";
import type { Job, JobPlan } from "./job.js";
import { Journal } from "./journal.js";
import { Runner, type RunnerOptions } from "./runner.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-jobs-"));
});
afterEach(() => rm(folder, { recursive: true }));

const idOf = (n: number) => `series-${String(n).padStart(16, "0")}`;
const plan: JobPlan = { model: null, outputs: ["seg"], targets: [], priority: 0, offPeak: false };
const file = { name: "a.dcm", sha256: "ab", bytes: 2 };

/** A job that is complete. */
async function queued(journal: Journal, n: number, changes: Partial<JobPlan> = {}): Promise<Job> {
  await journal.create(idOf(n), {
    event: "created",
    source: { way: "upload", from: "a test" },
    subject: { kind: "series", seriesInstanceUid: "1", studyInstanceUid: "2", title: "neck", attributes: {} },
  });
  await journal.append(idOf(n), { event: "received", file, stated: null });
  return journal.append(idOf(n), {
    event: "completed",
    rule: "all",
    plan: { ...plan, ...changes },
    content: "c",
  });
}

const segmented = {
  nodes: 2,
  seconds: 1,
  files: [{ name: "r.seg.dcm", sha256: "cd", bytes: 3 }],
  remarks: [],
};
const quick = { attempts: 3, firstSeconds: 0.01, longestSeconds: 0.05 };

function runnerOf(journal: Journal, changes: Partial<RunnerOptions> = {}): Runner {
  return new Runner({
    ...{ journal, concurrency: 1, segmentingBackOff: quick, sendingBackOff: quick },
    ...{ segment: async () => segmented, send: async () => undefined },
    ...{ untilOffPeakMs: () => 0, now: () => new Date(), log: () => undefined, trouble: () => undefined },
    ...changes,
  });
}

async function stateOf(journal: Journal, id: string, states: readonly string[]): Promise<Job> {
  for (let n = 0; n < 500; n++) {
    const job = journal.get(id);
    if (job !== null && states.includes(job.state)) return job;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${id} is ${journal.get(id)?.state}`);
}

describe("the journal", () => {
  test("read again gives the same jobs", async () => {
    const journal = await Journal.open(folder);
    await queued(journal, 1);
    await journal.append(idOf(1), { event: "started", attempt: 1 });
    expect((await Journal.open(folder)).list()).toEqual(journal.list());
  });

  test("loses only a line that a crash cut short, wherever it was cut", async () => {
    const journal = await Journal.open(folder);
    const before = await queued(journal, 1);
    const record = journal.placeOf(idOf(1)).record;
    const whole = await readFile(record);
    await journal.append(idOf(1), { event: "started", attempt: 1 });
    const longer = await readFile(record);
    for (let length = whole.length; length < longer.length; length += 7) {
      await writeFile(record, longer.subarray(0, length));
      const again = await Journal.open(folder);
      expect(again.damage).toEqual([]);
      expect(again.get(idOf(1))).toEqual(before);
      // What is appended afterwards follows from what counts.
      await again.append(idOf(1), { event: "cancelled", by: "a test" });
      expect((await Journal.open(folder)).get(idOf(1))?.state).toBe("cancelled");
    }
  });

  test("names a record that was changed by hand, and goes on with the others", async () => {
    const journal = await Journal.open(folder);
    await queued(journal, 1);
    await queued(journal, 2);
    const record = journal.placeOf(idOf(1)).record;
    await writeFile(record, (await readFile(record, "utf8")).replace('"bytes":2', '"bytes":3'));
    const again = await Journal.open(folder);
    expect(again.list().map(({ id }) => id)).toEqual([idOf(2)]);
    expect(again.damage).toHaveLength(1);
    expect(again.damage[0]).toMatch(/was changed after it was written/);
  });

  test("takes events at once in their order, and a job that never had a whole line was never there", async () => {
    const journal = await Journal.open(folder);
    await queued(journal, 1);
    const names = Array.from({ length: 20 }, (_, n) => `${n}.dcm`);
    await Promise.all(
      names.map((name) =>
        journal.append(idOf(1), { event: "received", file: { ...file, name }, stated: null }),
      ),
    );
    expect((await Journal.open(folder)).get(idOf(1))?.files.map(({ name }) => name)).toEqual([
      "a.dcm",
      ...names,
    ]);
    const torn = journal.placeOf(idOf(1)).record;
    await writeFile(torn, "");
    await appendFile(torn, '{"at":"20');
    expect((await Journal.open(folder)).list()).toEqual([]);
  });
});

describe("the runner", () => {
  test("goes by priority, then by arrival", async () => {
    const journal = await Journal.open(folder);
    const order: string[] = [];
    const runner = runnerOf(journal, {
      segment: async ({ id }) => {
        order.push(id);
        await new Promise((resolve) => setTimeout(resolve, 30));
        return segmented;
      },
    });
    const jobs = [
      await queued(journal, 1),
      await queued(journal, 2),
      await queued(journal, 3, { priority: 9 }),
    ];
    for (const job of jobs) runner.proceed(job);
    for (const { id } of jobs) await stateOf(journal, id, ["done"]);
    expect(order).toEqual([idOf(1), idOf(3), idOf(2)]);
  });

  test("tries again what failed, and puts on the shelf what keeps failing, with its sentence", async () => {
    const journal = await Journal.open(folder);
    let attempts = 0;
    const runner = runnerOf(journal, {
      segment: async () => {
        attempts++;
        throw new Error("the device went away");
      },
    });
    runner.proceed(await queued(journal, 1));
    const job = await stateOf(journal, idOf(1), ["failed"]);
    expect(job.sentence).toBe("the device went away");
    expect(attempts).toBe(3);
  });

  test("does not try again what a person must correct, until a person says so", async () => {
    const journal = await Journal.open(folder);
    let attempts = 0;
    const runner = runnerOf(journal, {
      segment: async () => {
        if (++attempts === 1) throw new InputError("This is no neck; send another.");
        return segmented;
      },
    });
    runner.proceed(await queued(journal, 1));
    expect((await stateOf(journal, idOf(1), ["failed"])).sentence).toBe("This is no neck; send another.");
    expect(attempts).toBe(1);
    await runner.retry(idOf(1), "a test");
    await stateOf(journal, idOf(1), ["done"]);
    await expect(runner.retry(idOf(1), "a test")).rejects.toThrow(/is done; only one that failed/);
  });

  test("holds an off-peak job until those hours, also when the clock was set meanwhile", async () => {
    const journal = await Journal.open(folder);
    let untilMs = 30;
    const order: string[] = [];
    const runner = runnerOf(journal, {
      untilOffPeakMs: () => untilMs,
      segment: async ({ id }) => {
        order.push(id);
        return segmented;
      },
    });
    runner.proceed(await queued(journal, 1, { offPeak: true, priority: 9 }));
    runner.proceed(await queued(journal, 2));
    await stateOf(journal, idOf(2), ["done"]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(order).toEqual([idOf(2)]);
    untilMs = 0;
    await stateOf(journal, idOf(1), ["done"]);
  });

  test("tries a full disk again, though its sentence is one for a person", async () => {
    const journal = await Journal.open(folder);
    let attempts = 0;
    const runner = runnerOf(journal, {
      segment: async () => {
        const cause = Object.assign(new Error("no space"), { code: "ENOSPC" });
        if (++attempts < 3) throw new InputError("The disk is full; free space.", { cause });
        return segmented;
      },
    });
    runner.proceed(await queued(journal, 1));
    await stateOf(journal, idOf(1), ["done"]);
    expect(attempts).toBe(3);
  });

  test("lets go of a job whose folder was taken away, and of no other", async () => {
    const journal = await Journal.open(folder);
    const troubles: string[] = [];
    const runner = runnerOf(journal, {
      segment: async ({ id }) => {
        if (id === idOf(1)) await rm(journal.placeOf(id).folder, { recursive: true });
        return segmented;
      },
      trouble: (error) => troubles.push(String(error)),
    });
    runner.proceed(await queued(journal, 1));
    runner.proceed(await queued(journal, 2));
    await stateOf(journal, idOf(2), ["done"]);
    expect(journal.list().map(({ id }) => id)).toEqual([idOf(2)]);
    expect(troubles).toEqual([
      `Error: The folder of the job ${idOf(1)} was taken away while the job was worked on.`,
    ]);
  });

  test("stops a running job that is cancelled", async () => {
    const journal = await Journal.open(folder);
    let wasStopped = false;
    const runner = runnerOf(journal, {
      segment: (_job, _plan, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            wasStopped = true;
            reject(signal.reason);
          });
        }),
    });
    runner.proceed(await queued(journal, 1));
    await stateOf(journal, idOf(1), ["running"]);
    await runner.cancel(idOf(1), "a test");
    expect(wasStopped).toBe(true);
    expect(journal.get(idOf(1))).toMatchObject({ state: "cancelled", sentence: "Cancelled by a test." });
  });

  test("sends to every target; a dead one stops no other, and only that one is tried again", async () => {
    const journal = await Journal.open(folder);
    const sent: string[] = [];
    let isDead = true;
    const runner = runnerOf(journal, {
      send: async (_job, target) => {
        if (target === "dead" && isDead) throw new InputError("It does not answer.");
        sent.push(target);
      },
    });
    runner.proceed(await queued(journal, 1, { targets: ["dead", "alive"] }));
    const job = await stateOf(journal, idOf(1), ["failed"]);
    expect(job.sentence).toBe("Not sent to dead: It does not answer.");
    expect(job.deliveries.map(({ target, state, attempts }) => [target, state, attempts])).toEqual([
      ["dead", "failed", 3],
      ["alive", "sent", 1],
    ]);
    isDead = false;
    await runner.retry(idOf(1), "a test");
    await stateOf(journal, idOf(1), ["done"]);
    expect(sent).toEqual(["alive", "dead"]);
  });

  test("goes on after a crash at any line with the same end", async () => {
    const journal = await Journal.open(folder);
    const runner = runnerOf(journal);
    runner.proceed(await queued(journal, 1, { targets: ["pacs"] }));
    const end = await stateOf(journal, idOf(1), ["done"]);
    const record = journal.placeOf(idOf(1)).record;
    const lines = (await readFile(record, "utf8")).trimEnd().split("\n");
    for (let kept = 3; kept <= lines.length; kept++) {
      await writeFile(record, `${lines.slice(0, kept).join("\n")}\n`);
      const again = await Journal.open(folder);
      runnerOf(again).resume();
      const { results, nodes, deliveries } = await stateOf(again, idOf(1), ["done"]);
      expect({ results, nodes, deliveries }).toMatchObject({ results: end.results, nodes: end.nodes });
      expect(deliveries[0].state).toBe("sent");
    }
  });
});

describe("waiting", () => {
  test.each([
    [1, 10_000],
    [2, 20_000],
    [4, 60_000],
    [5, null],
  ])("after attempt %d: %s ms", (attempt, wait) => {
    expect(waitAfter(attempt, { attempts: 5, firstSeconds: 10, longestSeconds: 60 })).toBe(wait);
  });

  test("is never longer than the rule means, though the clock was set back a year", () => {
    const rule = { attempts: 5, firstSeconds: 10, longestSeconds: 60 };
    expect(waitUntil("2026-06-01T00:00:30Z", new Date("2026-06-01T00:00:00Z"), rule)).toBe(30_000);
    expect(waitUntil("2026-06-01T00:00:00Z", new Date("2025-06-01T00:00:00Z"), rule)).toBe(60_000);
    expect(waitUntil("2026-06-01T00:00:00Z", new Date("2027-06-01T00:00:00Z"), rule)).toBe(0);
  });
});
