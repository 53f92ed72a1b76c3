// What is removed and when, by clocks that a test sets.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Journal } from "./jobs/journal.js";
import { Retention } from "./retention.js";
import { AuditLog } from "./security/audit.js";

const hourMs = 3_600_000;
let folder = "";
let wallMs = 0;
let countedMs = 0;
let sentence: string | null = null;
let journal: Journal;
let retention: Retention;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-retention-"));
  wallMs = Date.parse("2026-03-01T00:00:00Z");
  countedMs = 5000;
  const now = () => new Date(wallMs);
  journal = await Journal.open(join(folder, "jobs"), now);
  retention = new Retention({
    ...{ days: { jobDays: 30, auditDays: 365 }, journal, now },
    audit: new AuditLog(join(folder, "audit.jsonl")),
    remove: (id) => journal.remove(id),
    log: (text) => {
      throw new Error(text);
    },
    trouble: (text) => {
      sentence = text;
    },
    countedMs: () => countedMs,
  });
  for (const n of [1, 2]) {
    const id = `series-${String(n).padStart(16, "0")}`;
    await journal.create(id, {
      event: "created",
      source: { way: "upload", from: "a test" },
      subject: { kind: "series", seriesInstanceUid: "1", studyInstanceUid: "2", title: "", attributes: {} },
    });
    if (n === 1) await journal.append(id, { event: "discarded", rule: "none", sentence: "No." });
  }
});
afterEach(() => rm(folder, { recursive: true }));

/** Both clocks go on by as much, and an hour at a time is looked. */
async function pass(hours: number): Promise<void> {
  for (let n = 0; n < hours; n++) {
    wallMs += hourMs;
    countedMs += hourMs;
    await retention.tidy();
  }
}
const left = () => journal.list().map(({ id }) => Number(id.slice(-1)));

test("what is at rest is removed after its days, and what is not stays", async () => {
  await pass(30 * 24);
  expect(left()).toEqual([1, 2]);
  await pass(1);
  expect(left()).toEqual([2]);
  expect(await readFile(join(folder, "audit.jsonl"), "utf8")).toContain('"action":"remove"');
});

test("a clock that is set a year forward removes nothing for a day, so that it can be set right", async () => {
  await pass(1);
  wallMs += 365 * 24 * hourMs;
  await pass(1);
  expect(sentence).toBe(
    "The clock of this machine was set forward by 365 days, so old files are kept for another day.",
  );
  wallMs -= 365 * 24 * hourMs;
  await pass(1);
  expect(sentence).toMatch(/set back by 365 days/);
  await pass(24);
  expect(sentence).toBeNull();
  expect(left()).toEqual([1, 2]);
});

test("a clock that stays set forward is believed after a day", async () => {
  wallMs += 365 * 24 * hourMs;
  await pass(24);
  expect(left()).toEqual([1, 2]);
  await pass(2);
  expect(left()).toEqual([2]);
});
