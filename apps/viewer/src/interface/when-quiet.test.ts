// A quiet moment is one without input and without work.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { doWork } from "./session.js";
import { whenQuiet } from "./when-quiet.js";

const page = new EventTarget();
const move = () => page.dispatchEvent(new Event("pointermove"));
let done = 0;
const act = () => {
  done++;
};

beforeEach(() => {
  done = 0;
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("each input begins the wait anew, and it is done once", () => {
  whenQuiet(1000, act);
  for (let n = 0; n < 5; n++) {
    vi.advanceTimersByTime(900);
    move();
  }
  vi.advanceTimersByTime(999);
  expect(done).toBe(0);
  vi.advanceTimersByTime(1);
  expect(done).toBe(1);
  move();
  vi.advanceTimersByTime(5000);
  expect(done).toBe(1);
});

test("it waits for the end of what is under way", async () => {
  let end = () => {};
  const work = doWork("searching", () => new Promise<void>((resolve) => (end = resolve)));
  whenQuiet(1000, act);
  vi.advanceTimersByTime(5500);
  expect(done).toBe(0);
  end();
  await work;
  vi.advanceTimersByTime(1000);
  expect(done).toBe(1);
});

test("what was given up is not done", () => {
  const giveUp = whenQuiet(1000, act);
  giveUp();
  move();
  vi.advanceTimersByTime(5000);
  expect(done).toBe(0);
});
