// Training a promptable network as a user does it, at the smallest size: the built code in processes of its own.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { loadModel } from "@lnsnet/node/files";
import { afterAll, beforeAll, expect, test } from "vitest";
import { boxGeometry, boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

let folder = "";
let session: LnsnetSession;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-click-training-"));
  session = lnsnetSession(folder);
  const patients = [0, 1, 2, 3].map(boxPatient);
  await writeBoxes(join(folder, "boxes"), patients);
  // An organ of the value 4 beside each box: the first slices.
  await mkdir(join(folder, "boxes/organsTr"));
  for (const [n, { label }] of patients.entries()) {
    const slice = boxGeometry.size[0] * boxGeometry.size[1];
    const organs = { ...label, data: label.data.map((_, at) => (at < 3 * slice ? 4 : 0)) };
    await writeFile(join(folder, `boxes/organsTr/box_${n}.nii.gz`), writeNifti(organs));
  }
  await writeFile(join(folder, "scan.nii.gz"), writeNifti(boxPatient(7).image));
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

const training = (output: string, steps: number, ...more: string[]) => [
  ...[
    "train",
    "boxes",
    "--clicks",
    "--output",
    output,
    "--steps",
    String(steps),
    "--network",
    "lnsnet-small",
  ],
  ...["--patch", "16,16,16", "--spacing", "1,1,1.5", "--validation-cases", "1", "--validate-every", "4"],
  ...["--threads", "1", "--seed", "3", ...more],
];
test("a promptable network is trained, goes on where it stopped, and says what it rests on", async () => {
  const first = await session.run(...training("whole", 8));
  expect(first.code, first.stderr).toBe(0);
  const { plan } = await loadModel(join(folder, "whole/model.safetensors"));
  expect(plan.clickMaps).toEqual({ radiusMm: 6 });
  expect(plan.network.configuration.inputs).toBe(3);
  const log = (await readFile(join(folder, "whole/log.jsonl"), "utf8")).trim().split("\n");
  const validations = log.map((line) => JSON.parse(line)).filter((entry) => "validationDsc" in entry);
  expect(validations.map(({ step }) => step)).toEqual([4, 8]);
  for (const { validationDsc, validationDscAfterClicks: after } of validations) {
    expect(after).toHaveLength(3);
    expect(validationDsc).toBeCloseTo((after[0] + after[1] + after[2]) / 3, 12);
  }
  const record = JSON.parse(await readFile(join(folder, "whole/training.json"), "utf8"));
  expect(record.clicks).toEqual({ radius_mm: 6, left_out: { classes: [], organs: [] } });

  const other = await session.run(...training("whole", 12, "--resume", "--leave-out", "organs:4"));
  expect(other.code).toBe(2);
  expect(other.stderr).toContain("other settings");
  const longer = await session.run(...training("whole", 12, "--resume"));
  expect(longer.code, longer.stderr).toBe(0);
  expect((await loadModel(join(folder, "whole/model.safetensors"))).steps).toBe(12);
});

test("prepared once, structures give the same training; what was prepared otherwise is refused", async () => {
  const prepare = (...more: string[]) =>
    session.run(
      ...["preprocess", "boxes", "--clicks", "--output", "prepared", "--spacing", "1,1,1.5", ...more],
    );
  const first = await prepare();
  expect(first.code, first.stderr).toBe(0);
  const cached = await session.run(...training("cached", 4, "--cache", "prepared"));
  expect(cached.code, cached.stderr).toBe(0);
  const anew = await session.run(...training("anew", 4));
  expect(anew.code, anew.stderr).toBe(0);
  const bytesOf = (run: string) => readFile(join(folder, run, "model.safetensors"));
  expect((await bytesOf("cached")).equals(await bytesOf("anew"))).toBe(true);
  const other = await session.run(...training("other", 4, "--cache", "prepared", "--leave-out", "organs:4"));
  expect(other.code).toBe(2);
  expect(other.stderr).toContain("prepared holds another state of box_");
  expect((await prepare("--leave-out", "organs:4")).stderr).toContain(
    "prepared holds a cache of single structures, and one of single structures without organs:4 is requested",
  );
  // A changed organ is noticed.
  const organs = { ...boxPatient(0).label, data: boxPatient(0).label.data.map((_, at) => (at < 9 ? 4 : 0)) };
  const path = join(folder, "boxes/organsTr/box_0.nii.gz");
  const before = await readFile(path);
  await writeFile(path, writeNifti(organs));
  expect((await prepare()).stdout).toContain("4 prepared scans of 1×1×1.5 mm, 1 of them new");
  await writeFile(path, before);
});

test("what it cannot be used for is said in a sentence", async () => {
  const scan = await session.run(
    "predict",
    "scan.nii.gz",
    "--model",
    "whole/model.safetensors",
    "--output",
    "p",
  );
  expect(scan.code).toBe(2);
  expect(scan.stderr).toContain(
    "The model outlines only what is clicked, and no point is given; give points in nodes (--at)",
  );
  for (const [more, sentence] of [
    [["--leave-out", "parotid"], 'The option leave-out names "parotid", and the data set has box'],
  ] as const) {
    const refused = await session.run(...training("refused", 4, ...more));
    expect(refused.code).toBe(2);
    expect(refused.stderr.replaceAll("--leave-out names", "The option leave-out names")).toContain(sentence);
  }
  const without = await session.run("train", "boxes", "--leave-out", "box");
  expect(without.stderr).toContain("--leave-out is for a network that is clicked");
});
