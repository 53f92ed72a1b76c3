import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { IDLE_MS, IdleKeeper } from "./idle-keeper.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a thing is given to one who wants its kind, the last one first", () => {
  const keeper = new IdleKeeper<number>(() => undefined);
  keeper.keep("a", 1);
  keeper.keep("a", 2);
  keeper.keep("b", 3);
  expect([keeper.take("a"), keeper.take("a"), keeper.take("a")]).toEqual([2, 1, undefined]);
  expect(keeper.take("c")).toBeUndefined();
  expect(keeper.take("b")).toBe(3);
});

test("what nobody wants is ended once, and what was taken is not", () => {
  const ended: number[] = [];
  const keeper = new IdleKeeper<number>((thing) => ended.push(thing));
  keeper.keep("a", 1);
  vi.advanceTimersByTime(IDLE_MS / 2);
  keeper.keep("a", 2);
  keeper.keep("a", 3);
  expect(keeper.take("a")).toBe(3);
  vi.advanceTimersByTime(IDLE_MS / 2);
  expect(ended).toEqual([1]);
  expect(keeper.take("a")).toBe(2);
  vi.advanceTimersByTime(2 * IDLE_MS);
  expect(ended).toEqual([1]);
});
