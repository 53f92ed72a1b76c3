// The shipped model in its other forms: half the size, and for WebGPU.
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel, saveModel } from "@lnsnet/node/files";
import { shippedModelPath } from "@lnsnet/node/segmenting";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, lnsnetIn } from "./command.test-helper.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-export-"));
});
afterAll(() => rm(folder, { recursive: true }));

const bytesOf = (weights: Float32Array = new Float32Array()): Uint8Array =>
  new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength);

const exported = (...tokens: string[]): Promise<Ended> => lnsnetIn(folder, ["export", ...tokens]);

test("a model in float16 has two bytes a weight and is read as any other", async () => {
  const { code, stderr } = await exported("--output", "half.safetensors");
  expect(code, stderr).toBe(0);
  const [half, shipped] = [
    await loadModel(join(folder, "half.safetensors")),
    await loadModel(shippedModelPath("finder")),
  ];
  expect(half.plan).toEqual(shipped.plan);
  expect(half.steps).toBe(shipped.steps);
  expect([...half.weights.keys()]).toEqual([...shipped.weights.keys()]);
  // The shipped weights are float16 already, so that nothing is rounded. Compared as bytes: millions of numbers one by one take long.
  for (const [name, weights] of half.weights)
    expect(Buffer.compare(bytesOf(weights), bytesOf(shipped.weights.get(name))), name).toBe(0);
  const count = [...half.weights.values()].reduce((total, { length }) => total + length, 0);
  expect((await stat(half.path)).size / count).toBeLessThan(2.1);
});

test("a model for WebGPU is another than the CPU's", async () => {
  const patch = ["--patch", "8,8,8"];
  for (const target of ["cpu", "webgpu"]) {
    const { code, stderr } = await exported(...patch, "--target", target, "--output", `${target}.onnx`);
    expect(code, stderr).toBe(0);
  }
  const [cpu, webgpu] = await Promise.all(
    ["cpu.onnx", "webgpu.onnx"].map((name) => readFile(join(folder, name))),
  );
  // Taps along the depth are shifted slices, and those are concatenated.
  expect(cpu.includes("head.depthwise/Concat")).toBe(false);
  expect(webgpu.includes("head.depthwise/Concat")).toBe(true);
});

test("the mean of two models is written, of one network alone", async () => {
  const path = shippedModelPath("finder");
  const shipped = await loadModel(path);
  const threefold = new Map(
    [...shipped.weights].map(([name, ours]) => [name, ours.map((value) => 3 * value)]),
  );
  const tripled = join(folder, "tripled.safetensors");
  await saveModel(tripled, { ...shipped, weights: threefold }, false);
  const { code, stderr } = await exported("--average-with", tripled, "--output", "mean.safetensors");
  expect(code, stderr).toBe(0);
  const mean = await loadModel(join(folder, "mean.safetensors"));
  expect(mean.plan.calibration).toBeUndefined();
  const [name, ours] = [...shipped.weights].find(([, { length }]) => length === 64) ?? ["", null];
  expect(mean.weights.get(name)).toEqual(ours?.map((value) => 2 * value));

  const other = ["--average-with", shippedModelPath("clicker"), "--output", "other.safetensors"];
  expect(await exported(...other)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/Models that are used together must use the same preprocessing/),
  });
  await expect(stat(join(folder, "other.safetensors"))).rejects.toThrow(/ENOENT/);
});
