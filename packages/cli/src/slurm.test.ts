// Slurm's convention for arrays, as its scripts in deploy/ use it, run here by bash: a task for each fold, then the collection.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { bin, lnsnetIn, run } from "./command.test-helper.js";

const script = (name: string) => fileURLToPath(new URL(`../../../deploy/slurm/${name}`, import.meta.url));
const options = [
  ...["--network", "lnsnet-small", "--patch", "16,16,16", "--spacing", "1,1,1.5", "--steps", "2"],
  ...["--validate-every", "0", "--seed", "3", "--protocol", "node-level"],
];
const tables = ["cases.csv", "nodes.csv", "summary.json"];

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-slurm-"));
  await writeBoxes(join(folder, "boxes"), [0, 1, 2, 3].map(boxPatient), [5].map(boxPatient));
});
afterAll(() => rm(folder, { recursive: true }));

test.skipIf(process.platform === "win32")(
  "an array of folds and its collection have the tables of one process",
  async () => {
    const words = ["crossvalidate", "boxes", "--output", "alone", "--folds", "2", "--threads", "1"];
    const alone = await lnsnetIn(folder, [...words, ...options]);
    expect(alone.code, alone.stderr).toBe(0);
    // What Slurm sets for the tasks of --array=0-1 --cpus-per-task=1.
    const slurm = (task: number) => [
      ...[`LNSNET=${bin}`, "SLURM_ARRAY_TASK_COUNT=2", `SLURM_ARRAY_TASK_ID=${task}`],
      "SLURM_CPUS_PER_TASK=1",
    ];
    for (const task of [1, 0]) {
      const fold = ["bash", script("folds.sh"), "boxes", "array", ...options];
      const { code, stderr } = await run(folder, "env", [...slurm(task), ...fold]);
      expect(code, stderr).toBe(0);
    }
    const collection = ["bash", script("collect.sh"), "2", "boxes", "array", ...options];
    const collected = await run(folder, "env", [...slurm(0), ...collection]);
    expect(collected.code, collected.stderr).toBe(0);
    for (const table of tables)
      expect(await readFile(join(folder, "array", table), "utf8")).toBe(
        await readFile(join(folder, "alone", table), "utf8"),
      );
  },
);
