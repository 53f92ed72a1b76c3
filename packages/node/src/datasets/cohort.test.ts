// A generated cohort goes on where it was stopped, and touches nothing of somebody else.
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { markOfDeadProcess } from "../files/process-mark.test-helper.js";
import type { Job } from "../work/job.js";
import { type Cohort, type CohortOptions, writeCohort } from "./cohort.js";
import type { CohortCase } from "./cohort-case.js";

interface Box extends CohortCase {
  readonly weight: number;
}

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lnsnet-cohort-"));
});
afterAll(() => rm(root, { recursive: true }));

function boxes(voxels: number, weights: readonly number[]): Cohort<Box, { readonly voxels: number }> {
  const cases = weights.map((weight, n): Box => ({ id: `box_${n}`, weight, subset: n === 0 ? "Ts" : "Tr" }));
  return {
    command: "lnsnet boxes",
    options: { voxels },
    cases,
    sourceOf: () => null,
    datasetOf: () => ({
      name: "boxes",
      description: "boxes",
      channel_names: { "0": "CT" },
      labels: { background: 0, box: 1 },
      numTraining: weights.length - 1,
      numTest: 1,
      file_ending: ".nii.gz",
    }),
    worker: new URL("./cohort-worker.test-helper.mjs", import.meta.url),
  };
}

const cohort = boxes(3, [1, 2, 3, 4]);

const write = (folder: string, of: typeof cohort, { force = false, ...job }: CohortOptions & Job = {}) =>
  writeCohort(folder, of, { threads: 1, force }, job);

/** A folder in which the cohort was stopped after its second case. */
async function stopped(name: string): Promise<string> {
  const folder = join(root, name);
  const stop = new AbortController();
  const job = {
    signal: stop.signal,
    onProgress: ({ done }: { readonly done: number }) => {
      if (done === 2) stop.abort(new Error("stopped"));
    },
  };
  await expect(write(folder, cohort, job)).rejects.toThrow("stopped");
  return folder;
}

/** Each file's bytes as text. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      files.sort().map(async (path) => [path.slice(folder.length), await readFile(path, "latin1")]),
    ),
  );
}

test("a stopped cohort keeps its whole cases, makes the others, and ends as one that never stopped", async () => {
  const whole = join(root, "whole");
  expect((await write(whole, cohort)).kept).toBe(0);
  const folder = await stopped("stopped");
  expect(await readdir(folder)).not.toContain("dataset.json");
  // What a kill leaves: files that are partly written, and a case of which not all files are there.
  const left = ["", "imagesTr", "labelsTs"].map((name) => join(folder, name, markOfDeadProcess("partial")));
  for (const path of left) await writeFile(path, "half");
  await rm(join(folder, "instancesTr/box_1.json"), { force: true });
  const first = join(folder, "imagesTs/box_0_0000.nii.gz");
  const before = await stat(first);
  const told: number[] = [];
  const { kept, cases } = await write(folder, cohort, { onProgress: ({ done }) => told.push(done) });
  expect(kept).toBeGreaterThanOrEqual(1);
  expect(told[0]).toBe(kept);
  expect(told.at(-1)).toBe(4);
  expect((await stat(first)).ino).toBe(before.ino);
  expect(cases.map((scan) => scan.nodes)).toEqual(
    [1, 2, 3, 4].map((weight) => [{ node: 1, voxels: 3, weight }]),
  );
  expect(await contentOf(folder)).toEqual(await contentOf(whole));
  expect(await readFile(join(folder, "nodes.csv"), "utf8")).toBe(
    "case,subset,node,voxels,weight\nbox_0,Ts,1,3,1\nbox_1,Tr,1,3,2\nbox_2,Tr,1,3,3\nbox_3,Tr,1,3,4\n",
  );
});

test("a finished cohort stays, with what a user changed in its description", async () => {
  const folder = join(root, "finished");
  await write(folder, cohort);
  await writeFile(join(folder, "dataset.json"), "{}");
  const before = await contentOf(folder);
  expect((await write(folder, cohort)).kept).toBe(4);
  expect(await contentOf(folder)).toEqual(before);
});

test("a case of two channels is whole with both", async () => {
  const folder = join(root, "channels");
  const cases = cohort.cases.map((of) => ({ ...of, channels: 2 }));
  await write(folder, { ...cohort, cases });
  const names = ["box_0_0000.nii.gz", "box_0_0001.nii.gz"];
  expect((await readdir(join(folder, "imagesTs"))).sort()).toEqual(names);
  await rm(join(folder, "imagesTs", names[1]));
  expect((await write(folder, { ...cohort, cases })).kept).toBe(3);
  expect((await readdir(join(folder, "imagesTs"))).sort()).toEqual(names);
});

test.each([
  [
    "other options",
    boxes(4, [1, 2, 3, 4]),
    /holds a cohort by "lnsnet boxes --voxels 3", and "lnsnet boxes --voxels 4" was requested; repeat those options/,
  ],
  [
    "other cases",
    boxes(3, [1, 2, 3, 5]),
    /holds a cohort of other cases by the same "lnsnet boxes --voxels 3"/,
  ],
  ["other cases in number", boxes(3, [1, 2]), /holds a cohort of other cases by the same/],
])("%s are refused without force, and replace the cohort with it", async (name, other, message) => {
  const folder = await stopped(name);
  await writeFile(join(folder, "notes.txt"), "mine");
  const before = await contentOf(folder);
  await expect(write(folder, other)).rejects.toThrow(message);
  expect(await contentOf(folder)).toEqual(before);
  expect((await write(folder, other, { force: true })).kept).toBe(0);
  const alone = join(root, `${name} alone`);
  await write(alone, other);
  expect(await contentOf(folder)).toEqual({ ...(await contentOf(alone)), "/notes.txt": "mine" });
});

const foreign: readonly (readonly [string, string, (path: string) => Promise<void>])[] = [
  ["a file beside ours", "labelsTr/mine.nii.gz", (path) => writeFile(path, "mine")],
  ["a folder beside ours", "imagesTr/mine", (path) => mkdir(path).then(() => undefined)],
  ["a link in place of a folder", "imagesTr", (path) => symlink(join(root, "elsewhere"), path)],
];

test.each(foreign)("%s is refused, with force too, and stays", async (name, at, make) => {
  await mkdir(join(root, "elsewhere"), { recursive: true });
  const folder = await stopped(name);
  await rm(join(folder, at), { recursive: true, force: true });
  await mkdir(dirname(join(folder, at)), { recursive: true });
  await make(join(folder, at));
  const before = await contentOf(folder);
  for (const force of [false, true])
    await expect(write(folder, cohort, { force })).rejects.toThrow(
      /which this command would overwrite but did not write/,
    );
  expect(await contentOf(folder)).toEqual(before);
});

test("a cohort that was stopped before its first case leaves no folder", async () => {
  const stop = AbortSignal.abort(new Error("stopped"));
  await expect(write(join(root, "none"), cohort, { signal: stop })).rejects.toThrow();
  expect(await readdir(root)).not.toContain("none");
});

test("organs are written beside the images where a case has them, removed with the cohort, and never over a person's file", async () => {
  const folder = join(root, "organs");
  const withOrgans = { ...cohort, cases: cohort.cases.map((of) => ({ ...of, organs: of.subset === "Tr" })) };
  await write(folder, withOrgans);
  expect(await readdir(join(folder, "organsTr"))).toEqual(["box_1.nii.gz", "box_2.nii.gz", "box_3.nii.gz"]);
  expect(await readdir(folder)).not.toContain("organsTs");
  await write(folder, boxes(5, [1, 2, 3, 4]), { force: true });
  expect(await readdir(folder)).not.toContain("organsTr");
  await mkdir(join(folder, "organsTr"));
  await writeFile(join(folder, "organsTr/box_1.nii.gz"), "mine");
  await expect(write(folder, withOrgans, { force: true })).rejects.toThrow("organsTr");
  expect(await readFile(join(folder, "organsTr/box_1.nii.gz"), "utf8")).toBe("mine");
});
