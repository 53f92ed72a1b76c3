// The example for Node as a person runs it: a phantom in, its nodes and their mask out; Ctrl-C stops it.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { evaluateCase, readNifti, writeNifti } from "lnsnet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../packages/cli/src/command.test-helper.js";
import { examplePatient } from "./patient.test-helper.js";

const patient = examplePatient();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-example-"));
  await writeFile(join(folder, "scan.nii.gz"), writeNifti(patient.image));
});
afterAll(() => rm(folder, { recursive: true }));

const example = fileURLToPath(new URL("segment.mjs", import.meta.url));
const segmentScan = (onStderr?: Parameters<typeof run>[3]) =>
  run(folder, process.execPath, [example, "scan.nii.gz", "mask.nii.gz"], onStderr);

test("nodes are found, printed and written on the scan's grid, and the first is found again by a click", async () => {
  const { code, stdout, stderr } = await segmentScan();
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/\npatch (\d+) of \1\n$/) });
  const instances = readNifti(await readFile(join(folder, "mask.nii.gz")), "mask.nii.gz");
  const mask = { ...instances, data: Uint8Array.from(instances.data, (id) => (id > 0 ? 1 : 0)) };
  expect(evaluateCase(patient.label, mask).dsc).toBeGreaterThan(0.7);
  const rows = stdout.split("\n").filter((line) => /^ +\d+ {2}/.test(line));
  expect(rows).toHaveLength(new Set(instances.data).size - 1);
  const [volumeMl] = rows[0].trim().split(/ +/).slice(1).map(Number);
  const clickedMl = Number(/^At .+: ([\d.]+) mL$/m.exec(stdout)?.[1]);
  expect(clickedMl / volumeMl).toBeGreaterThan(0.8);
  expect(clickedMl / volumeMl).toBeLessThan(1.25);
});

test("Ctrl-C stops it between two patches, and no mask is written", async () => {
  await rm(join(folder, "mask.nii.gz"), { force: true });
  let isInterrupted = false;
  const { code, stdout, stderr } = await segmentScan((text, interrupt) => {
    if (isInterrupted || !text.includes("patch 1 of")) return;
    isInterrupted = true;
    interrupt();
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("Stopped by Ctrl-C.");
  await expect(readFile(join(folder, "mask.nii.gz"))).rejects.toThrow("ENOENT");
});
