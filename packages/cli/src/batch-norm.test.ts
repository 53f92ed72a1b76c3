// A network with batch norm through the command line: its running statistics go wherever its weights go.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSafetensors, writeNifti } from "@lnsnet/core/formats";
import { loadModel } from "@lnsnet/node/files";
import { afterAll, beforeAll, expect, test } from "vitest";
import { boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

let folder = "";
let session: LnsnetSession;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-batch-norm-"));
  session = lnsnetSession(folder);
  await writeBoxes(join(folder, "boxes"), [0, 1, 2, 3].map(boxPatient));
  await writeFile(join(folder, "scan.nii.gz"), writeNifti(boxPatient(7).image));
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

async function lnsnet(...tokens: string[]): Promise<string> {
  const { code, stdout, stderr } = await session.run(...tokens);
  expect(code, stderr).toBe(0);
  return stdout;
}

test("patches of which a batch norm sees a single value are refused before a file is written", async () => {
  const tokens = ["train", "boxes", "--output", "single", "--steps", "1", "--network", "lhu-net"];
  const { code, stderr } = await session.run(...tokens, "--patch", "32,32,32", "--spacing", "1,1,1.5");
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /LHU-Net cannot be trained on batches of 1 with a patch of 32,32,32 voxels.*--batch 2/,
  );
  expect(await readdir(folder)).not.toContain("single");
});

test("the 3D Partial U-Net trains, validates, resumes, is exported and predicts", async () => {
  const training = (steps: string, ...more: string[]) =>
    lnsnet(
      ...["train", "boxes", "--output", "run", "--steps", steps, "--network", "partial-unet"],
      ...["--patch", "16,16,16", "--spacing", "1,1,1.5", "--validation-cases", "1", "--validate-every", "1"],
      ...["--threads", "1", "--seed", "3", ...more],
    );
  await training("1");
  const first = await loadModel(join(folder, "run/model.safetensors"));
  await training("2", "--resume");
  const { steps, weights } = await loadModel(join(folder, "run/model.safetensors"));
  expect([first.steps, steps]).toEqual([1, 2]);

  const path = join(folder, "run/state.safetensors");
  const { tensors, metadata } = readSafetensors(await readFile(path), path);
  expect(JSON.parse(metadata.history).validation).toHaveLength(2);
  const running = [...weights.keys()].filter((name) => name.includes("running_"));
  expect(running).toHaveLength(14);
  for (const name of running) {
    expect(weights.get(name), name).toEqual(tensors.get(`average_buffer.${name}`)?.data);
    expect(weights.get(name), name).not.toEqual(tensors.get(`buffer.${name}`)?.data);
    expect(weights.get(name), name).not.toEqual(first.weights.get(name));
  }

  await lnsnet("export", "--model", "run/model.safetensors", "--output", "half.safetensors");
  const half = await loadModel(join(folder, "half.safetensors"));
  for (const name of running) expect(half.weights.get(name), name).toEqual(weights.get(name));

  await lnsnet("export", "--model", "half.safetensors", "--output", "network.onnx");
  const found = await lnsnet(
    ...["predict", "scan.nii.gz", "--model", "half.safetensors", "--output", "found", "--threads", "1"],
    ...["--search", "everything", "--no-pictures", "--json"],
  );
  expect(JSON.parse(found)).toBeTruthy();
});
