// The training loop on a tiny task, kept in memory: it learns, stops and goes on, keeps the best, ends, and fails aloud.
import { beforeAll, describe, expect, test } from "vitest";
import type { Job, Progress } from "../job.js";
import { nodeRuntime } from "../runtime/node.js";
import type { Runtime } from "../runtime/types.js";
import { type LogEntry, type LoopOptions, type SavedTraining, type TrainingHost, train } from "./loop.js";
import { usualSchedule } from "./schedule.js";
import { buildTrainingStep } from "./step.js";
import { imageShape, tinyBatch, tinyNetwork } from "./tiny-task.test-helper.js";
import type { TrainingState } from "./trainer.js";

const step = buildTrainingStep(tinyNetwork, { imageShape });

/** A host whose place to save is memory, and whose clock moves by `secondsABatch` with each batch. */
function memoryHost(given: Partial<TrainingHost> = {}, secondsABatch = 1) {
  const saved: SavedTraining[] = [];
  const best: TrainingState[] = [];
  const entries: LogEntry[] = [];
  let seconds = 1000;
  const host: TrainingHost = {
    runtime: nodeRuntime,
    batches: {
      async next(index) {
        seconds += secondsABatch;
        return tinyBatch(index);
      },
    },
    place: {
      save: async (training) => void saved.push(training),
      saveBest: async (state) => void best.push(state),
      record: async (entry) => void entries.push(entry),
    },
    nowSeconds: () => seconds,
    ...given,
  };
  return { host, saved, best, entries };
}

const options: LoopOptions = { steps: 24, seed: 7, threads: 1 };
const run = (host: TrainingHost, more: Partial<LoopOptions> = {}, job?: Job) =>
  train(step, { ...options, ...more }, host, job);

describe("train", () => {
  let whole: SavedTraining;
  beforeAll(async () => {
    whole = await run(memoryHost().host);
  });

  test("learns: the loss falls to a third, and the curve has a point every ten steps", async () => {
    const { host, entries } = memoryHost();
    const progress: Progress[] = [];
    const schedule = { decay: "cosine", peak: 0.02, warmUpSteps: 5, totalSteps: 125, final: 0 } as const;
    const job: Job = { onProgress: (state) => progress.push(state) };
    const { history, state } = await run(host, { steps: 125, schedule }, job);
    const losses = history.steps.map(({ loss }) => loss);
    expect(losses[12]).toBeLessThan(losses[0] / 3);
    expect(history.steps.map((entry) => entry.step)).toEqual([
      10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 125,
    ]);
    expect(entries.map(({ step, loss }) => ({ step, loss }))).toEqual(history.steps);
    // A second for each batch, in which the step does nothing but wait.
    expect(entries.at(-1)).toMatchObject({ seconds: 125, waitedSeconds: 125, step: 125 });
    expect(entries[0].learningRate).toBeCloseTo(0.02, 3);
    expect([state.step, history.unlogged]).toEqual([125, []]);
    expect(progress).toHaveLength(125);
    expect(progress[124]).toMatchObject({ stage: "train", unit: "step", done: 125, total: 125 });
    expect(progress[124].text).toBe(`loss ${losses[12].toFixed(3)}`);
  });

  test("completes each batch with the averaged weights so far, before it is trained on", async () => {
    const completed: { index: number; average: Float32Array }[] = [];
    const complete: TrainingHost["complete"] = async (batch, index, { theta }) => {
      completed.push({ index, average: theta.data.slice() });
      batch.image.fill(0);
    };
    const { host, saved } = memoryHost({ complete });
    const { state } = await run(host, { steps: 3 });
    expect(completed.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(completed[0].average).not.toEqual(completed[1].average);
    expect(state.theta).not.toEqual(whole.state.theta);
    const two = await run(memoryHost({ complete }).host, { steps: 2, schedule: usualSchedule(3) });
    expect(completed[2].average).toEqual(two.state.average);
    // Stopped after two steps and gone on with: the same.
    const rest = await run(memoryHost({ complete }).host, { steps: 3, saved: two });
    expect(rest.state.theta).toEqual(state.theta);
    expect(saved).toHaveLength(1);
  });

  test("stopped by the signal, saves, and goes on bit for bit as if it had never stopped", async () => {
    const controller = new AbortController();
    const said: string[] = [];
    const job: Job = {
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done === 7) controller.abort(new Error("enough"));
      },
      log: (sentence) => said.push(sentence),
    };
    const first = memoryHost();
    await expect(run(first.host, {}, job)).rejects.toThrow("enough");
    expect(said).toEqual(["stopped after step 7 of 24; the training is saved and can be resumed"]);
    expect(first.saved.map(({ state }) => state.step)).toEqual([7]);
    const second = memoryHost();
    const resumed = await run(second.host, { saved: first.saved[0] });
    expect(resumed).toEqual(whole);
    expect(second.saved.at(-1)).toEqual(whole);
    // What was handed over to be kept has not changed since.
    expect(first.saved[0].state.step).toBe(7);
    expect(first.saved[0].history.unlogged).toHaveLength(7);
  });

  test("loses a minute at most where it is killed", async () => {
    const { host, saved } = memoryHost({}, 20);
    await run(host);
    // Of 20 seconds each, the third step after a save is the first beyond 55 seconds.
    expect(saved.map(({ state }) => state.step)).toEqual([3, 6, 9, 12, 15, 18, 21, 24, 24]);
  });

  describe("with seconds to end it", () => {
    const timed = { steps: 1e6, seconds: 10 };

    test("does as many steps as fit, and logs and validates at its end", async () => {
      const kept = memoryHost({ validate: async () => ({ dsc: 0.5 }) }, 0.8);
      const progress: Progress[] = [];
      const { state, history } = await run(
        kept.host,
        { ...timed, validateEvery: 5 },
        { onProgress: (at) => progress.push(at) },
      );
      // 12 steps take 9.6 seconds, so one more begins.
      expect(state.step).toBe(13);
      expect(history.seconds).toBeCloseTo(13 * 0.8, 9);
      expect(history.steps.map(({ step }) => step)).toEqual([10, 13]);
      expect(history.validation.map(({ step }) => step)).toEqual([5, 10, 13]);
      expect(progress[4]).toMatchObject({ done: 5, total: 13 });
      expect(progress.at(-1)).toMatchObject({ done: 13, total: 13 });
    });

    test("ends at its steps where these come first", async () => {
      expect((await run(memoryHost().host, { steps: 4, seconds: 10 })).state.step).toBe(4);
    });

    test("lowers the learning rate by the share of the seconds", async () => {
      const schedule = { decay: "cosine", peak: 0.4, warmUpSteps: 1, totalSteps: 1000, final: 0 } as const;
      const kept = memoryHost();
      await run(kept.host, { steps: 1000, seconds: 20, schedule });
      // The tenth update begins after 9 of 20 seconds.
      const share = (9 / 20) * (1000 / 999) - 1 / 999;
      expect(kept.entries[0].learningRate).toBeCloseTo(0.2 * (1 + Math.cos(Math.PI * share)), 9);
    });

    test("stopped, counts what it had spent, and neither validation nor saving", async () => {
      const wholeTimed = await run(memoryHost().host, timed);
      const controller = new AbortController();
      const said: string[] = [];
      const first = memoryHost();
      const stopping: Job = {
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done === 6) controller.abort(new Error("enough"));
        },
        log: (sentence) => said.push(sentence),
      };
      await expect(run(first.host, timed, stopping)).rejects.toThrow("enough");
      expect(said).toEqual([
        "stopped after step 6 and 6 of 10 seconds; the training is saved and can be resumed",
      ]);
      const second = memoryHost();
      let pause = 0;
      const slow: TrainingHost = {
        ...second.host,
        // The clock goes on by an hour while it validates and saves.
        validate: async () => {
          pause += 3600;
          return { dsc: 0.5 };
        },
        nowSeconds: () => second.host.nowSeconds() + pause,
      };
      const resumed = await run(slow, { ...timed, validateEvery: 2, saved: first.saved[0] });
      expect(resumed.state).toEqual(wholeTimed.state);
      expect(resumed.history.seconds).toBe(10);
    });
  });

  test.each([
    // The first of equals; what comes later is not better.
    { scores: [0.3, 0.5, 0.5, 0.4], patience: 0, best: [5, 10], end: 20 },
    { scores: [0.3, 0.5, 0.5, 0.4], patience: 2, best: [5, 10], end: 20 },
    { scores: [0.3, 0.2, 0.1, 0.4], patience: 2, best: [5], end: 15 },
    { scores: [0.3, 0.2, 0.1, 0.4], patience: 1, best: [5], end: 10 },
  ])(
    "with DSC of $scores and a patience of $patience ends at $end",
    async ({ scores, patience, best, end }) => {
      const validate = async () => ({
        dsc: scores[kept.entries.filter(({ validationDsc: dsc }) => dsc !== undefined).length],
      });
      const kept = memoryHost({ validate });
      const { history, state } = await run(kept.host, { steps: 20, validateEvery: 5, patience });
      expect(state.step).toBe(end);
      expect(history.validation).toEqual(
        scores.slice(0, end / 5).map((dsc, n) => ({ step: 5 * (n + 1), dsc })),
      );
      expect(kept.best.map((at) => at.step)).toEqual(best);
      expect(kept.saved.at(-1)?.state).toBe(state);
    },
  );

  test("keeps as best the weights that were validated", async () => {
    const seen: Float32Array[] = [];
    const kept = memoryHost({
      validate: async ({ theta }) => {
        seen.push(theta.data);
        return { dsc: [0.1, 0.9, 0.2][seen.length - 1] };
      },
    });
    await run(kept.host, { steps: 15, validateEvery: 5 });
    expect(kept.best.map(({ average }) => average)).toEqual([seen[0], seen[1]]);
    expect(seen[2]).not.toEqual(seen[1]);
  });

  test("that diverges is an error that names the step, and leaves what was saved", async () => {
    const { host, saved } = memoryHost({}, 20);
    const batches: TrainingHost["batches"] = {
      async next(index) {
        const batch = await host.batches.next(index);
        return index === 4 ? { ...batch, image: batch.image.map(() => Number.NaN) } : batch;
      },
    };
    await expect(run({ ...host, batches })).rejects.toThrow(
      "The training diverged: the loss became NaN at step 5.",
    );
    expect(saved.map(({ state }) => state.step)).toEqual([3]);
  });

  test("accumulates batches in their order, and goes on between them", async () => {
    const asked: number[] = [];
    const { host } = memoryHost();
    const batches: TrainingHost["batches"] = {
      next: (index) => {
        asked.push(index);
        return host.batches.next(index);
      },
    };
    const double = buildTrainingStep(tinyNetwork, { imageShape, accumulation: 2 });
    const first = await train(double, { ...options, steps: 2 }, { ...host, batches });
    await train(double, { ...options, steps: 3, saved: first }, { ...host, batches });
    expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("releases its sessions, also where it fails", async () => {
    let open = 0;
    const counting: Runtime = {
      async createSession(model, sessionOptions) {
        const session = await nodeRuntime.createSession(model, sessionOptions);
        open++;
        return {
          ...session,
          async release() {
            open--;
            await session.release();
          },
        };
      },
    };
    const failing = { next: () => Promise.reject(new Error("no batch")) };
    await expect(run(memoryHost({ runtime: counting, batches: failing }).host)).rejects.toThrow("no batch");
    await run(memoryHost({ runtime: counting }).host, { steps: 1 });
    expect(open).toBe(0);
  });
});
