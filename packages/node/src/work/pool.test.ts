// Worker threads wait a while for the next job that wants the same ones, and are never shared by two jobs.
import { expect, test } from "vitest";
import { runInWorkers } from "./pool.js";

const worker = new URL("thread-name.test-helper.mjs", import.meta.url);
const threadsOf = (tasks: readonly { readonly isRefused: boolean }[], signal?: AbortSignal) =>
  runInWorkers<{ isRefused: boolean }, number>(
    tasks,
    { worker, threads: 1, stage: "count", unit: "task" },
    signal === undefined ? {} : { signal },
  );
const fine = { isRefused: false };

test("the next job takes the thread of the last one", async () => {
  const [first] = await threadsOf([fine]);
  expect(await threadsOf([fine, fine])).toEqual([first, first]);
});

test("two jobs at once have threads of their own", async () => {
  const [[first], [second]] = await Promise.all([threadsOf([fine]), threadsOf([fine])]);
  expect(second).not.toBe(first);
});

test("a job that failed leaves no thread behind", async () => {
  const [first] = await threadsOf([fine]);
  await expect(threadsOf([{ isRefused: true }])).rejects.toThrow("This task is refused.");
  expect((await threadsOf([fine]))[0]).not.toBe(first);
});

test("a job that is stopped before it begins says so", async () => {
  const signal = AbortSignal.abort(new Error("stopped"));
  await expect(threadsOf([fine], signal)).rejects.toThrow("stopped");
});
