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

test("what the driver of the browser asks is no task of the page", () => {
  const question: TraceEvent = {
    ...{ name: "Receive mojo message", ph: "X", pid: 1, tid: 1, ts: 5_010, dur: 80 },
    args: { chrome_mojo_event_info: { mojo_interface_tag: "blink.mojom.DevToolsSession" } },
  };
  const events = [
    named(1, "CrRendererMain"),
    { ...task(1, 3_000, 2_000), ts: 1_000 },
    { ...task(1, 150_000, 20_000), ts: 5_000 },
    question,
  ];
  expect(longestTask(events)).toEqual({ wallMs: 3, processorMs: 2 });
});

test("a trace without any is an error, not a figure of 0", () => {
  expect(() => longestTask([task(1, 1, 1)])).toThrow("no task");
});
