// lnsnet import weights: a model of the tensors of another file.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors, writeSafetensors } from "@lnsnet/core/formats";
import { loadModel } from "@lnsnet/node/files";
import { shippedModelPath } from "@lnsnet/node/segmenting";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lnsnetIn } from "./command.test-helper.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-weights-"));
});
afterAll(() => rm(folder, { recursive: true }));

const imported = (...tokens: string[]) => lnsnetIn(folder, ["import", "weights", ...tokens]);

test("tensors under other names, by a mapping", async () => {
  const { tensors } = readSafetensors(await readFile(shippedModelPath("finder")), "shipped");
  const renamed = new Map([...tensors].map(([name, tensor]) => [`net.${name}`, tensor]));
  await writeFile(join(folder, "twin.safetensors"), writeSafetensors(renamed));
  const names = Object.fromEntries([...tensors.keys()].map((name) => [`net.${name}`, name]));
  await writeFile(join(folder, "names.json"), JSON.stringify(names));
  const tokens = ["twin.safetensors", "--model", shippedModelPath("finder"), "--output", "model.safetensors"];
  expect(await imported(...tokens)).toMatchObject({ code: 2, stderr: expect.stringMatching(/lacks/) });
  const { code, stdout, stderr } = await imported(...tokens, "--names", "names.json", "--data", "elsewhere");
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/trained on elsewhere/);
  const [model, shipped] = [
    await loadModel(join(folder, "model.safetensors")),
    await loadModel(shippedModelPath("finder")),
  ];
  const [name] = shipped.weights.keys();
  expect(model.weights.get(name)).toEqual(shipped.weights.get(name));
  expect(model.plan).toEqual({ ...shipped.plan, dataLabel: "elsewhere", calibration: undefined });
});
