// The log of a run: lines and events, and what a sitting that was killed had logged too much.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRunLog } from "./run-log.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-run-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

const lines = () => readFile(join(folder, "log.jsonl"), "utf8");

test("goes on after the step of the state, and forgets what came later or was cut short", async () => {
  const log = await openRunLog(folder, 0);
  for (const step of [10, 20, 30]) await log.write({ step, loss: 1 / step });
  await writeFile(join(folder, "log.jsonl"), '{"step":40,"lo', { flag: "a" });
  const resumed = await openRunLog(folder, 20);
  await resumed.write({ step: 30, validationDsc: 0.5 });
  expect(await lines()).toBe(
    '{"step":10,"loss":0.1}\n{"step":20,"loss":0.05}\n{"step":30,"validationDsc":0.5}\n',
  );
});

test("of a run that begins anew is empty at first", async () => {
  await writeFile(join(folder, "log.jsonl"), '{"step":10,"loss":1}\n');
  await openRunLog(folder, 0);
  expect(await lines()).toBe("");
});

test("names in the event file what TensorBoard shows, and leaves times out", async () => {
  const log = await openRunLog(folder, 0);
  await log.write({ step: 10, loss: 1, norm: 2, learningRate: 3, seconds: 4, waitedSeconds: 5 });
  await log.write({ step: 10, validationDsc: 0.5 });
  const [name] = (await readdir(folder)).filter((entry) => entry.startsWith("events.out.tfevents."));
  const text = await readFile(join(folder, name), "latin1");
  const tags = text.match(/(training|validation)\/[a-z_]+/g);
  expect(tags).toEqual([
    "training/loss",
    "training/gradient_norm",
    "training/learning_rate",
    "validation/dsc",
  ]);
  expect(text).not.toMatch(/seconds/i);
});
