// Nodes implanted into a phantom's scan, as into any CT, as a data set.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { generatePatient, implantLabels } from "@lnsnet/core/phantom";
import { patientOfCase } from "@lnsnet/core/sampling";
import type { Volume } from "@lnsnet/core/volume";
import { openDataset } from "@lnsnet/node/datasets";
import { readScan } from "@lnsnet/node/files";
import { checkDataset, writeImplantedCohort } from "@lnsnet/node/making";
import { afterAll, beforeAll, expect, test } from "vitest";

let root = "";
let scan: Volume;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lnsnet-implanted-"));
  scan = generatePatient(7, 0, { maximumVoxels: 150_000, obliqueShare: 0 }).image;
});
afterAll(() => rm(root, { recursive: true }));

const implant = { seed: 1, repeats: 2, spacingMm: [3, 3, 3] } as const;

async function folderWith(name: string, files: Readonly<Record<string, Volume>>): Promise<string> {
  for (const [path, volume] of Object.entries(files)) {
    await mkdir(join(root, name, path, ".."), { recursive: true });
    await writeFile(join(root, name, path), writeNifti(volume));
  }
  return join(root, name);
}

const labels = (value: (n: number) => number): Volume => ({
  ...scan,
  data: Uint8Array.from(scan.data, (_, n) => value(n)),
});

test("every CT of a folder is implanted, and what cannot be is left out with the reason", async () => {
  const air = { ...scan, data: scan.data.map((hu, n) => (n % 9 === 0 ? hu : -1000)) as Int16Array };
  const hosts = await folderWith("hosts", {
    "a.nii.gz": scan,
    "mask.nii.gz": labels((n) => n % 2),
    "sub/air.nii.gz": air,
  });
  const output = join(root, "implanted");
  const { cases, leftOut, kept } = await writeImplantedCohort(hosts, output, implant);
  expect(kept).toBe(0);
  expect(cases.map(({ case: { id } }) => id)).toEqual(["a_implanted_scan_1", "a_implanted_scan_2"]);
  const reasons = new Map(leftOut.map((left) => [left.case.host, left.reason]));
  expect(reasons.get("mask")).toMatch(/mask\.nii\.gz is not a CT in HU/);
  expect(reasons.get("sub_air")).toMatch(/The host sub_air has no place for a node|No node fits/);

  const dataset = await openDataset(output);
  expect(dataset.training.map(({ id }) => patientOfCase(id, { named: dataset.patients }))).toEqual([
    "a",
    "a",
  ]);
  expect(new Set(dataset.training.map(({ id }) => patientOfCase(id))).size).toBe(1);
  expect(await readFile(join(output, "dataset.json"), "utf8")).toMatch(/Implanted, research use only/);
  const { findings } = await checkDataset(output);
  expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
  const [label, instances] = await Promise.all(
    ["labelsTr", "instancesTr"].map((kind) => readScan(join(output, kind, "a_implanted_scan_1.nii.gz"))),
  );
  expect(label.data.includes(implantLabels.ignore)).toBe(true);
  expect(new Set(instances.data).size - 1).toBe(cases[0].nodes.length);

  // Another number of threads gives the same bytes; the left-out cases are not tried again.
  const first = await contentOf(output);
  expect((await writeImplantedCohort(hosts, output, implant)).kept).toBe(6);
  const other = join(root, "other");
  await writeImplantedCohort(hosts, other, implant, { threads: 1 });
  expect(await contentOf(output)).toEqual(first);
  expect(await contentOf(other)).toEqual(first);
});

test("a data set's division stays, and its structures say where nodes may lie", async () => {
  const [nx] = scan.size;
  const isLeft = (n: number) => (n % nx < nx / 2 ? 1 : 0);
  const hosts = await folderWith("structures", {
    "imagesTr/p_0000.nii.gz": scan,
    "targetsTr/p.nii.gz": labels(isLeft),
    "organsTr/p.nii.gz": labels((n) => 1 - isLeft(n)),
    "imagesTs/q_0000.nii.gz": scan,
  });
  const description = {
    channel_names: { "0": "CT" },
    labels: { background: 0, node: 1 },
    patients: { q: "x" },
  };
  await writeFile(join(hosts, "dataset.json"), JSON.stringify(description));
  const output = join(root, "divided");
  const { cases } = await writeImplantedCohort(hosts, output, { ...implant, repeats: 1 });
  expect(await readdir(join(output, "imagesTs"))).toEqual(["q_implanted_scan_1_0000.nii.gz"]);
  const { patients } = JSON.parse(await readFile(join(output, "dataset.json"), "utf8"));
  expect(patients).toEqual({ p_implanted_scan_1: "p", q_implanted_scan_1: "x" });
  const label = await readScan(join(output, "labelsTr/p_implanted_scan_1.nii.gz"));
  const half = label.size[0] / 2;
  const sides = [0, 0];
  label.data.forEach((value, n) => {
    if (value === 1) sides[n % label.size[0] < half ? 0 : 1]++;
  });
  expect(Math.min(...sides)).toBe(0);
  expect(cases[0].nodes.length).toBeGreaterThan(0);
});

async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      files.sort().map(async (path) => [path.slice(folder.length), await readFile(path, "latin1")]),
    ),
  );
}

test("what lies beside hosts is named, and scans of a cohort are no hosts: not even an output among them", async () => {
  const hosts = await folderWith("beside", { "a.nii.gz": scan });
  await writeFile(join(hosts, "notes.txt"), "no scan");
  const output = join(hosts, "implanted");
  const said: string[] = [];
  const once = { ...implant, repeats: 1 };
  await writeImplantedCohort(hosts, output, once, {}, { log: (sentence) => said.push(sentence) });
  expect(said).toEqual([expect.stringMatching(/beside: 1 file is left out, such as notes\.txt/)]);
  const again = await writeImplantedCohort(
    hosts,
    output,
    once,
    {},
    { log: (sentence) => said.push(sentence) },
  );
  expect(again.kept).toBe(1);
  expect(said.some((sentence) => /implanted is left out: lnsnet made its scans/.test(sentence))).toBe(true);
  await expect(writeImplantedCohort(output, join(root, "twice"), once)).rejects.toThrow(
    /holds no CT to implant nodes into \(.*implanted is left out: lnsnet made its scans/,
  );
});
