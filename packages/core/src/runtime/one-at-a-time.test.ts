import { expect, test } from "vitest";
import { oneAtATime } from "./one-at-a-time.js";
import type { Runtime } from "./types.js";

/** A runtime that takes a while for everything, notes what it does, and cannot do two things at once. */
function jealous() {
  const done: string[] = [];
  let isBusy = false;
  const alone = async (what: string) => {
    if (isBusy) throw new Error(`${what} began before the last had ended`);
    isBusy = true;
    await new Promise((resolve) => setTimeout(resolve));
    isBusy = false;
    done.push(what);
  };
  const runtime: Runtime = {
    async createSession(model) {
      const name = String(model);
      await alone(`open ${name}`);
      return {
        device: "cpu",
        deviceNote: `note of ${name}`,
        async run(inputs) {
          await alone(`run ${name}`);
          if (!("image" in inputs)) throw new Error("no image");
          return inputs;
        },
        release: () => alone(`release ${name}`),
      };
    },
  };
  return { done, runtime: oneAtATime(runtime) };
}

test("sessions that are asked at once compute one after another, in the order asked", async () => {
  const { done, runtime } = jealous();
  const [a, b] = await Promise.all([1, 2].map((name) => runtime.createSession(Uint8Array.of(name))));
  const inputs = { image: { shape: [1], data: Float32Array.of(3) } };
  const answers = await Promise.all([a.run(inputs), b.run(inputs), a.run(inputs)]);
  await Promise.all([b.release(), a.release()]);
  expect(answers).toEqual([inputs, inputs, inputs]);
  expect(done).toEqual(["open 1", "open 2", "run 1", "run 2", "run 1", "release 2", "release 1"]);
  expect([a.device, b.deviceNote]).toEqual(["cpu", "note of 2"]);
});

test("what fails is told to who asked, and the next goes on", async () => {
  const { done, runtime } = jealous();
  const session = await runtime.createSession(Uint8Array.of(1));
  const failing = session.run({});
  const inputs = { image: { shape: [1], data: Float32Array.of(3) } };
  const next = session.run(inputs);
  await expect(failing).rejects.toThrow("no image");
  expect(await next).toBe(inputs);
  expect(done).toHaveLength(3);
});
