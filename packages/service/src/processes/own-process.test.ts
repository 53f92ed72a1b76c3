import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "@lnsnet/core/errors";
import { expect, test } from "vitest";
import { inOwnProcess } from "./own-process.js";

const script = new URL("./process-task.test-helper.mjs", import.meta.url);

/** What a process answers to a task, and its id. */
async function answerOf(
  task: { readonly does?: string; readonly says?: string },
  signal = new AbortController().signal,
) {
  const host = { signal, onProgress: () => undefined };
  return (await inOwnProcess(script, task, host)) as { readonly says?: string; readonly pid: number };
}

test("a process does one task after another, each with its own answer", async () => {
  const first = await answerOf({ says: "one" });
  const second = await answerOf({ says: "two" });
  expect([first.says, second.says]).toEqual(["one", "two"]);
  expect(second.pid).toBe(first.pid);
  await expect(answerOf({ does: "refuse", says: "no CT" })).rejects.toEqual(new InputError("no CT"));
  expect((await answerOf({})).pid).toBe(first.pid);
});

test("tasks at the same time have a process each", async () => {
  const answers = await Promise.all([answerOf({ says: "one" }), answerOf({ says: "two" })]);
  expect(answers.map(({ says }) => says)).toEqual(["one", "two"]);
  expect(answers[0].pid).not.toBe(answers[1].pid);
});

test.each([
  ["fail", "broken"],
  ["end", "The process ended with code 7."],
])("a process does nothing after a task that makes it %s", async (does, sentence) => {
  const { pid } = await answerOf({});
  await expect(answerOf({ does, says: "broken" })).rejects.toThrow(sentence);
  expect((await answerOf({})).pid).not.toBe(pid);
});

test("a process does nothing after a task that was stopped", async () => {
  const { pid } = await answerOf({});
  const stop = new AbortController();
  const waiting = answerOf({ does: "wait" }, stop.signal);
  await sleep(200);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  expect((await answerOf({})).pid).not.toBe(pid);
});

test("one that was killed while it waited is replaced", async () => {
  const { pid } = await answerOf({});
  process.kill(pid, "SIGKILL");
  await sleep(200);
  const next = await answerOf({ says: "three" });
  expect(next.says).toBe("three");
  expect(next.pid).not.toBe(pid);
});
