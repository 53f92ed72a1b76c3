// Of a trace, the longest task of a page's main thread is found, and not that of a worker.
import { expect, test } from "vitest";
import { longestTask, type TraceEvent } from "./main-thread.js";

const named = (tid: number, name: string): TraceEvent => ({
  ...{ name: "thread_name", ph: "M", pid: 1, tid, args: { name } },
});
const task = (tid: number, dur: number, tdur: number): TraceEvent => ({
  ...{ name: "ThreadControllerImpl::RunTask", ph: "X", pid: 1, tid, dur, tdur },
});

test("by the clock, with its processor time", () => {
  const events = [
    named(1, "CrRendererMain"),
    named(2, "DedicatedWorker thread"),
    task(1, 20_000, 19_000),
    task(1, 40_000, 12_000),
    task(2, 900_000, 900_000),
    { ...task(1, 70_000, 70_000), name: "FunctionCall" },
  ];
  expect(longestTask(events)).toEqual({ wallMs: 40, processorMs: 12 });
});

test("a trace without any is an error, not a figure of 0", () => {
  expect(() => longestTask([task(1, 1, 1)])).toThrow("no task");
});
