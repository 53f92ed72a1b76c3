// An import that was stopped at bad moments leaves nothing of a case beside another's, and goes on to the same end.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImportRecord } from "@lnsnet/node/making";
import { afterAll, beforeAll, expect, test } from "vitest";
import { boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { markOfDeadProcess } from "../../node/src/files/process-mark.test-helper.js";
import { bin, lnsnetIn, run } from "./command.test-helper.js";

let folder = "";
const command = (output: string) => ["dataset", "import", "boxes", "--output", output];
const at = (...names: string[]) => join(folder, ...names);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-import-"));
  await writeBoxes(at("boxes"), [0, 1, 2].map(boxPatient));
  const { code, stderr } = await lnsnetIn(folder, command("whole"));
  expect(code, stderr).toBe(0);
});
afterAll(() => rm(folder, { recursive: true }));

async function filesOf(name: string): Promise<Record<string, string>> {
  const entries = await readdir(at(name), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((path) => readFile(path, "latin1")));
  return Object.fromEntries(files.map((path, index) => [path.slice(at(name).length + 1), contents[index]]));
}

/** The whole import as it was before its case with this number was recorded: the files of that case are there. */
async function killedAt(name: string, cases: number): Promise<void> {
  await cp(at("whole"), at(name), { recursive: true });
  const record: ImportRecord = JSON.parse(await readFile(at(name, "import.json"), "utf8"));
  const { case: id, subset } = record.cases[cases];
  for (const later of record.cases.slice(cases + 1))
    for (const part of ["imagesTr", "labelsTr", "instancesTr"])
      for (const file of await readdir(at(name, part)))
        if (file.startsWith(later.case)) await rm(at(name, part, file));
  const killed = { ...record, cases: record.cases.slice(0, cases), pending: { case: id, subset } };
  await writeFile(at(name, "import.json"), JSON.stringify(killed));
  await rm(at(name, "dataset.json"));
  await writeFile(at(name, "imagesTr", markOfDeadProcess("partial")), "half");
}

test.each([0, 1])("killed in case %i of three, it goes on to the same files", async (cases) => {
  const name = `killed-${cases}`;
  await killedAt(name, cases);
  const { code, stderr } = await lnsnetIn(folder, [...command(name), "--name", "whole"]);
  expect(code, stderr).toBe(0);
  expect(await filesOf(name)).toEqual(await filesOf("whole"));
});

test("a file of somebody else under the next case's name is refused before work begins", async () => {
  await killedAt("taken", 1);
  await writeFile(at("taken/labelsTr/case_0003.nii.gz"), "mine");
  const { code, stderr } = await lnsnetIn(folder, command("taken"));
  expect(stderr).toMatch(
    /holds labelsTr\/case_0003\.nii\.gz, which this command would overwrite but did not write/,
  );
  expect(code).toBe(2);
  expect(await readFile(at("taken/labelsTr/case_0003.nii.gz"), "utf8")).toBe("mine");
});

test("without its secret it does not take the cases that it has for new ones", async () => {
  await cp(at("whole"), at("secret"), { recursive: true });
  await rm(at("secret/.import-salt"));
  const { code, stderr } = await lnsnetIn(folder, command("secret"));
  expect(stderr).toMatch(/\.import-salt is missing, by which an import knows/);
  expect(code).toBe(2);
});

test.runIf(process.platform === "linux")(
  "a full disk ends it at once, and leaves nothing of the case",
  async () => {
    // A limit on the size of files stands for it, between the size of a label and of an image.
    const script = `ulimit -f 1; exec "${process.execPath}" "${bin}" ${command("full").join(" ")}`;
    const { code, stderr } = await run(folder, "bash", ["-c", script]);
    expect(stderr).toMatch(/case_0001_0000\.nii\.gz cannot be written, since the disk or quota is full/);
    expect(stderr.match(/disk or quota/g)).toHaveLength(1);
    expect(code).toBe(2);
    expect(Object.keys(await filesOf("full")).sort()).toEqual([".import-salt", "import.json"]);
    expect((await lnsnetIn(folder, command("full"))).code).toBe(0);
  },
);
