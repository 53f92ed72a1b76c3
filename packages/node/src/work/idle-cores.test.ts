import { cpus } from "node:os";
import { expect, test } from "vitest";
import { idleCores, idleShare } from "./idle-cores.js";

const core = (user: number, idle: number) => ({ times: { user, nice: 0, sys: 0, idle, irq: 0 } });

test.each([
  { name: "one of two cores works", after: [core(300, 500), core(100, 700)], share: 0.5 },
  { name: "all work", after: [core(300, 500), core(300, 500)], share: 0 },
  { name: "none works", after: [core(100, 700), core(100, 700)], share: 1 },
  { name: "no time passed", after: [core(100, 500), core(100, 500)], share: 1 },
])("$name", ({ after, share }) => {
  expect(idleShare([core(100, 500), core(100, 500)], after)).toBe(share);
});

test("there is at least one and at most each core", async () => {
  const count = await idleCores();
  expect(count).toBeGreaterThanOrEqual(1);
  expect(count).toBeLessThanOrEqual(cpus().length);
});
