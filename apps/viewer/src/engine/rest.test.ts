import type { Runtime } from "@lnsnet/core";
import { waitingRuntime } from "@lnsnet/core/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Rest } from "./rest.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A runtime that counts its runs. */
function counting() {
  const counted = { runs: 0, released: 0 };
  const runtime: Runtime = {
    createSession: async () => ({
      device: "cpu",
      deviceNote: "the CPU",
      run: async (inputs) => {
        counted.runs++;
        return inputs;
      },
      release: async () => {
        counted.released++;
      },
    }),
  };
  return { counted, runtime };
}

test("a run waits until nobody has drawn for a while, and gives what the runtime gives", async () => {
  const { counted, runtime } = counting();
  const rest = new Rest();
  const session = await waitingRuntime(runtime, () => rest.over()).createSession(new Uint8Array());
  const inputs = { image: { shape: [1], data: Float32Array.of(3) } };
  rest.prolong(1000);
  const answer = session.run(inputs);
  await vi.advanceTimersByTimeAsync(900);
  rest.prolong(1000);
  await vi.advanceTimersByTimeAsync(900);
  expect(counted.runs).toBe(0);
  await vi.advanceTimersByTimeAsync(100);
  expect(counted.runs).toBe(1);
  expect(await answer).toBe(inputs);
});

test("without a rest a run begins at once, and the session is that of the runtime", async () => {
  const { counted, runtime } = counting();
  const session = await waitingRuntime(runtime, () => new Rest().over()).createSession(new Uint8Array());
  await session.run({});
  await session.release();
  expect(counted).toEqual({ runs: 1, released: 1 });
  expect([session.device, session.deviceNote]).toEqual(["cpu", "the CPU"]);
});
