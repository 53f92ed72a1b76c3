// Two channels and two classes of phantoms, from random weights through all commands: a CT and a made-up PET, in which
// small and large lymph nodes take up differently.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { generatePatient, type PhantomPatient } from "@lnsnet/core/phantom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

const classes = { "small node": 3, "large node": 7 };
/** Short axis from which a node is a large one. */
const LARGE_FROM_MM = 10;
const uptake = { background: 100, [classes["small node"]]: 500, [classes["large node"]]: 900 } as const;

let folder = "";
let session: LnsnetSession;
const lnsnet = (...tokens: string[]) => session.run(...tokens);
const jsonAt = async (path: string) => JSON.parse(await readFile(join(folder, path), "utf8"));

/** The value of each voxel's class, 0 outside the nodes. */
function classLabel({ instances, nodes }: PhantomPatient): Uint8Array {
  const classOf = new Map(
    nodes.map(({ id, shortAxisMm }) => [
      id,
      classes[shortAxisMm < LARGE_FROM_MM ? "small node" : "large node"],
    ]),
  );
  return Uint8Array.from(instances.data, (id) => classOf.get(id) ?? 0);
}

async function writePatient(index: number, subset: "Tr" | "Ts"): Promise<void> {
  const patient = generatePatient(11, index, {
    inPlaneSpacingMm: [2, 2],
    sliceSpacingMm: [3, 3],
    fieldMm: [110, 110, 90],
  });
  const data = classLabel(patient);
  const pet = Int16Array.from(data, (value, at) =>
    Math.round((uptake[value as 3 | 7] ?? uptake.background) + 30 * Math.sin(1.7 * at)),
  );
  const write = (kind: string, ending: string, volume: Parameters<typeof writeNifti>[0]) =>
    writeFile(join(folder, `cohort/${kind}${subset}/${patient.id}${ending}.nii.gz`), writeNifti(volume));
  await write("images", "_0000", patient.image);
  await write("images", "_0001", { ...patient.image, data: pet });
  await write("labels", "", { ...patient.label, data });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-phantom-classes-"));
  session = lnsnetSession(folder);
  for (const part of ["imagesTr", "labelsTr", "imagesTs", "labelsTs"])
    await mkdir(join(folder, "cohort", part), { recursive: true });
  const description = {
    name: "phantom, CT and made-up PET",
    channel_names: { 0: "CT", 1: "PET" },
    labels: { background: 0, ...classes },
  };
  await writeFile(join(folder, "cohort/dataset.json"), JSON.stringify(description));
  for (let index = 0; index < 5; index++) await writePatient(index, index < 4 ? "Tr" : "Ts");
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

const short = ["--network", "lnsnet-small", "--patch", "16,24,24", "--spacing", "3,3,3", "--no-augment"];
const settings = [...short, "--learning-rate", "0.003", "--validate-every", "0", "--threads", "1"];
const whole = ["--search", "everything", "--overlap", "0"];
/** About half of what 60 steps reached when this was written, 0.26 and 0.87: small nodes are a few voxels each. */
const learnedDsc = { "small node": 0.12, "large node": 0.45 };

describe("phantoms of two channels and two classes", () => {
  test("are learned by a training, and found by its model", async () => {
    const trained = await lnsnet("train", "cohort", "--output", "run", "--steps", "60", ...settings);
    expect(trained.code, trained.stderr).toBe(0);
    const model = ["--model", "run/model.safetensors", "--output", "masks", ...whole];
    const predicted = await lnsnet("predict", "cohort/imagesTs", ...model);
    expect(predicted.code, predicted.stderr).toBe(0);
    expect(predicted.stdout).toContain("trained on phantom, CT and made-up PET");
    const { stdout } = await lnsnet("evaluate", "cohort/labelsTs", "masks", "--json");
    const judged: { class: string; mean: { dsc: number } }[] = JSON.parse(stdout).classes;
    expect(judged.map((row) => row.class)).toEqual(Object.keys(classes));
    for (const row of judged)
      expect(row.mean.dsc, row.class).toBeGreaterThan(learnedDsc[row.class as keyof typeof classes]);
  });

  test("are cross-validated, each class by itself", async () => {
    const tokens = ["crossvalidate", "cohort", "--output", "experiment", "--folds", "2", "--steps", "2"];
    const made = await lnsnet(...tokens, ...settings, ...whole);
    expect(made.code, made.stderr).toBe(0);
    const cases: { class: string; set: string; whole_volume_dsc: number }[] =
      await jsonAt("experiment/cases.json");
    for (const name of Object.keys(classes)) {
      const ofClass = cases.filter((row) => row.class === name);
      expect(ofClass.filter(({ set }) => set === "cross-validation")).toHaveLength(4);
      expect(ofClass.every(({ whole_volume_dsc: dsc }) => dsc >= 0 && dsc <= 1)).toBe(true);
    }
  });
});
