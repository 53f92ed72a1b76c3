// `lnsnet calibrate` as a user runs it: predictions and truth in, a model whose tables have a confidence out.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNifti, writeNifti } from "@lnsnet/core/formats";
import { readModel, writeModel } from "@lnsnet/core/models";
import { type Geometry, pointOfIndex, type Vector3, voxelCount } from "@lnsnet/core/volume";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { densityModel } from "../../node/src/density-model.test-helper.js";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

const grid: Geometry = {
  size: [50, 40, 20],
  spacingMm: [2, 2, 2],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
const balls = [
  { centre: [30, 40, 20], radiusMm: 8 },
  { centre: [70, 40, 20], radiusMm: 8 },
] as const;

/** Soft tissue with two balls of these HU, and whether each voxel is in the first. */
function scanAndTruth(huOfBalls: readonly [number, number]) {
  const hu = new Int16Array(voxelCount(grid));
  const truth = new Uint8Array(hu.length);
  const [nx, ny] = grid.size;
  for (let at = 0; at < hu.length; at++) {
    const index: Vector3 = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
    const [x, y, z] = pointOfIndex(grid, index);
    const ball = balls.findIndex(
      ({ centre: c, radiusMm }) => Math.hypot(x - c[0], y - c[1], z - c[2]) <= radiusMm,
    );
    hu[at] = (ball < 0 ? -20 : huOfBalls[ball]) + Math.round(10 * Math.sin(at * 1.7));
    truth[at] = ball === 0 ? 1 : 0;
  }
  return { scan: { ...grid, data: hu }, truth: { ...grid, data: truth } };
}

let folder = "";
let session: LnsnetSession;
const inFolder = (...parts: string[]) => join(folder, ...parts);
const predict = (model: string, output: string, ...tokens: string[]) =>
  session.run(
    ...["predict", "scans", "--model", model, "--output", output, "--search", "everything"],
    ...["--no-pictures", ...tokens],
  );
const calibrate = (...tokens: string[]) => session.run("calibrate", ...tokens);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-calibrate-"));
  session = lnsnetSession(folder);
  await writeFile(inFolder("model.safetensors"), writeModel(densityModel([2, 2, 2], 1), true));
  for (const name of ["scans", "truth"]) await mkdir(inFolder(name));
  // The truth holds the denser ball alone, of which the model is surer.
  const hu = [150, 140, 130] as const;
  for (const [n, dense] of hu.entries()) {
    const { scan, truth } = scanAndTruth([dense, dense - 50]);
    await writeFile(inFolder("scans", `case_${n}_0000.nii.gz`), writeNifti(scan));
    await writeFile(inFolder("truth", `case_${n}.nii.gz`), writeNifti(truth));
  }
  const { code, stderr } = await predict("model.safetensors", "masks");
  expect(code, stderr).toBe(0);
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

test("the written model is the same but for its confidence, which tables then have", async () => {
  const { code, stdout, stderr } = await calibrate(
    ...["truth", "masks", "--model", "model.safetensors", "--output", "sure.safetensors"],
    ...["--plot", "reliability.svg", "--json"],
  );
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/6 nodes are few to fit a confidence on/);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ nodes: 6, true_nodes: 3, scans: 3, model: "sure.safetensors" });
  expect(result.calibrated.expected_calibration_error).toBeLessThan(
    result.as_predicted.expected_calibration_error,
  );
  expect(await readFile(inFolder("reliability.svg"), "utf8")).toMatch(/^<svg .*share of true nodes/s);

  const [before, after] = await Promise.all(
    ["model.safetensors", "sure.safetensors"].map(async (name) =>
      readModel(await readFile(inFolder(name)), name),
    ),
  );
  expect(after.weights).toEqual(before.weights);
  const { slope, intercept } = result;
  expect(after.plan).toEqual({ ...before.plan, calibration: { slope, intercept, scans: 3, nodes: 6 } });

  await predict("sure.safetensors", "surer", "--json");
  const { nodes } = JSON.parse(await readFile(inFolder("surer", "case_0.json"), "utf8"));
  for (const { mean_probability: p, confidence } of nodes)
    expect(confidence).toBeCloseTo(1 / (1 + Math.exp(-(slope * Math.log(p / (1 - p)) + intercept))), 9);
  const [first, second] = nodes.map(({ confidence }: { confidence: number }) => confidence);
  expect(Math.max(first, second)).toBeGreaterThan(0.6);
  expect(Math.min(first, second)).toBeLessThan(0.4);
});

test("an ensemble has no confidence, for no model of it was fitted on its mean", async () => {
  await calibrate("truth", "masks", "--model", "model.safetensors", "--output", "member.safetensors");
  await predict("member.safetensors,model.safetensors", "together");
  const { nodes } = JSON.parse(await readFile(inFolder("together", "case_0.json"), "utf8"));
  expect(nodes.map(({ confidence }: { confidence: number | null }) => confidence)).toEqual([null, null]);
});

describe("refused in a sentence, with nothing written", () => {
  test.each<[string, string[], RegExp]>([
    [
      "predictions of another model",
      [],
      /case_0\.nii\.gz was made by model\.safetensors, and not by .*alone/,
    ],
    ["masks that lnsnet predict did not write", ["foreign"], /is not a finished result of lnsnet predict/],
    ["clicked nodes", ["clicked"], /holds clicked nodes/],
    ["true nodes alone", ["true"], /2 nodes in 1 scan, 2 of them true, and the share .*does not rise/],
  ])("%s", async (_, [place = "masks"], sentence) => {
    if (place === "foreign") {
      await mkdir(inFolder("foreign"));
      for (const n of [0, 1, 2])
        await writeFile(
          inFolder("foreign", `case_${n}.nii.gz`),
          await readFile(inFolder("truth", `case_${n}.nii.gz`)),
        );
    }
    if (place === "clicked")
      await session.run(
        ...["predict", "scans/case_0_0000.nii.gz", "--model", "model.safetensors", "--output", "clicked"],
        ...["--at", "30,40,20", "--no-pictures"],
      );
    const own = place === "masks" ? [] : ["--model", "model.safetensors"];
    const paths =
      place === "clicked"
        ? ["truth/case_0.nii.gz", "clicked/case_0.nii.gz"]
        : place === "true"
          ? ["masks/case_0.nii.gz", "masks/case_0.nii.gz"]
          : ["truth", place];
    const { code, stderr } = await calibrate(...paths, ...own, "--output", "refused.safetensors");
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(sentence);
    await expect(readFile(inFolder("refused.safetensors"))).rejects.toThrow();
  });
});

test("nodes of little confidence are left out and counted, and with --least-confidence 0 they are kept", async () => {
  const { code, stdout, stderr } = await calibrate(
    ...["truth", "masks", "--model", "model.safetensors", "--output", "strict.safetensors"],
    ...["--false-positives", "0"],
  );
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(
    /Nodes of less confidence than 0\.\d+ will be left out: of these scans 3 true nodes/,
  );
  expect(stdout).toMatch(/0\.0 false ones a scan/);

  const strict = await predict("strict.safetensors", "strict");
  expect(strict.code, strict.stderr).toBe(0);
  expect(strict.stdout).toMatch(
    /1 node is left out, of which the model is not sure enough; --least-confidence 0 keeps it/,
  );
  const manifest = JSON.parse(await readFile(inFolder("strict", "case_0.json"), "utf8"));
  expect(manifest.nodes).toHaveLength(1);
  expect(manifest.whole_scan.nodes_of_little_confidence).toBe(1);
  const mask = readNifti(await readFile(inFolder("strict", "case_0.nii.gz")), "case_0");
  const truth = readNifti(await readFile(inFolder("truth", "case_0.nii.gz")), "truth");
  mask.data.forEach((value, at) => {
    if (value !== 0 && truth.data[at] === 0) throw new Error(`voxel ${at} of the left-out node is marked`);
  });

  const all = await predict("strict.safetensors", "all", "--least-confidence", "0");
  expect(all.code, all.stderr).toBe(0);
  const kept = JSON.parse(await readFile(inFolder("all", "case_0.json"), "utf8"));
  expect(kept.nodes).toHaveLength(2);
  expect(kept.whole_scan.nodes_of_little_confidence).toBe(0);

  const unknown = await predict("model.safetensors", "unknown", "--least-confidence", "0.5");
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toMatch(
    /A least confidence of 0\.5 was requested, and this model gives no confidence/,
  );
});
