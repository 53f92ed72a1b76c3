// A small share of npm run check -- kills: the quick commands, each killed once and asked to end once, on box scans.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Volume, writeNifti } from "@lnsnet/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { differences, killJobs, sitting } from "./kill-jobs.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lnsnet-kills-"));
  const grid = {
    size: [24, 20, 18],
    spacingMm: [1, 1, 1.5],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  } as const;
  for (const part of ["imagesTr", "labelsTr"]) mkdirSync(join(folder, "data", part), { recursive: true });
  for (let number = 0; number < 6; number++) {
    const label = new Uint8Array(24 * 20 * 18).map((_, n) => (Math.floor(n / 500) === number + 3 ? 1 : 0));
    const image: Volume = { ...grid, data: Int16Array.from(label, (value, n) => 100 * value + (n % 7)) };
    writeFileSync(join(folder, `data/imagesTr/box_${number}_0000.nii.gz`), writeNifti(image));
    writeFileSync(join(folder, `data/labelsTr/box_${number}.nii.gz`), writeNifti({ ...grid, data: label }));
  }
  const description = { name: "boxes", labels: { background: 0, box: 1 }, channel_names: { 0: "CT" } };
  writeFileSync(join(folder, "data/dataset.json"), JSON.stringify(description));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(killJobs.filter(({ name }) => ["import", "preprocess"].includes(name)))(
  "$name, killed and ended, goes on to the output of a run that never was",
  async (job) => {
    const [undisturbed, disturbed] = ["undisturbed", "disturbed"].map((name) =>
      join(folder, `${job.name}-${name}`),
    );
    const { run } = await sitting(undisturbed, job, null);
    // At seven and nine tenths of the time the command has begun its work.
    for (const [signal, share] of [
      ["SIGKILL", 0.7],
      ["SIGTERM", 0.9],
    ] as const)
      await sitting(disturbed, job, { signal, afterSeconds: run.seconds * share });
    await sitting(disturbed, job, null);
    expect(differences(join(undisturbed, "out"), join(disturbed, "out"))).toEqual([]);
  },
);

test("a file that differs, and one that is missing, are told", () => {
  for (const [name, files] of [
    ["one", { "a.txt": "same", "b.json": '{"seconds": 1, "n": 1}', "c.json": '{"n": 1}', "d.txt": "" }],
    ["other", { "a.txt": "same", "b.json": '{"seconds": 2, "n": 1}', "c.json": '{"n": 2}' }],
  ] as const) {
    mkdirSync(join(folder, name));
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, name, file), content);
  }
  expect(differences(join(folder, "one"), join(folder, "other"))).toEqual(["c.json", "d.txt"]);
});
