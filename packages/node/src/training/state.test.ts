// A training state of an earlier version is gone on from; one of another run or of a later version is not.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "@lnsnet/core/formats";
import { MODEL_FORMAT_VERSION } from "@lnsnet/core/models";
import { buildNetwork, networkPresets } from "@lnsnet/core/networks";
import { buildTrainingStep, type TrainingState } from "@lnsnet/core/training";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadState, stateBytes } from "./state.js";

const plan = {
  network: networkPresets["lnsnet-small"],
  patchSize: [8, 8, 8],
  spacingMm: [1, 1, 1],
  window: { lowHu: -160, highHu: 240 },
  foreground: "lymph node",
  dataLabel: "boxes",
};
const runOf = (value: object) => JSON.stringify({ plan: value, options: { seed: 3 } });

const step = buildTrainingStep((image, builder) => buildNetwork(plan.network, image, builder), {
  imageShape: [1, 1, 8, 8, 8],
});
const vector = (value: number) => new Float32Array(step.count).fill(value);
const state: TrainingState = {
  step: 5,
  theta: vector(1),
  m: vector(2),
  v: vector(3),
  average: vector(4),
  buffers: {},
  averageBuffers: {},
};
const history = { steps: [], validation: [], unlogged: [], seconds: 1 };

let path = "";
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), "lnsnet-state-")), "state.safetensors");
});
afterAll(() => rm(join(path, ".."), { recursive: true }));

/** Writes a state as it is today, changed in its metadata. */
async function write(changes: Record<string, string>): Promise<void> {
  const bytes = stateBytes({ state, history, plannedSteps: 9 }, runOf(plan));
  const { tensors, metadata } = readSafetensors(bytes, path);
  await writeFile(path, writeSafetensors(tensors, { ...metadata, ...changes }));
}

describe("a state", () => {
  test("comes back as it was", async () => {
    await write({});
    expect((await loadState(path, runOf(plan), step))?.state).toEqual(state);
  });

  test("whose plan lacks what a later version states is of the same run", async () => {
    const { stem, headChannels, ...configuration } = plan.network.configuration as Record<string, unknown>;
    expect([stem, headChannels]).toEqual(["full", 16]);
    await write({ run: runOf({ ...plan, network: { name: "lnsnet", configuration } }) });
    expect((await loadState(path, runOf(plan), step))?.state).toEqual(state);
  });

  test("is of the same run in whatever order its options stand", async () => {
    await write({ run: JSON.stringify({ options: { seed: 3 }, plan }) });
    expect((await loadState(path, runOf(plan), step))?.state).toEqual(state);
  });

  test.each([
    ["of another network", { run: runOf({ ...plan, network: networkPresets["lnsnet-half"] }) }],
    ["of another option", { run: JSON.stringify({ plan, options: { seed: 4 } }) }],
    ["of no run", { run: "nothing" }],
  ])("%s is refused", async (_, changes) => {
    await write(changes);
    await expect(loadState(path, runOf(plan), step)).rejects.toThrow("written by a run with other settings");
  });

  test("of a later version is refused", async () => {
    const later = MODEL_FORMAT_VERSION + 1;
    await write({ format_version: String(later) });
    await expect(loadState(path, runOf(plan), step)).rejects.toThrow(
      new RegExp(`of format version ${later}.*update lnsnet`),
    );
  });
});
