// Faulty DICOM through the commands: what a command leaves out of a scan it says by file name, and no file stops another.
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeModel } from "@lnsnet/core/models";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { densityModel } from "../../node/src/density-model.test-helper.js";
import { ctFiles } from "../../node/src/dicom.test-helper.js";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

const cases = fileURLToPath(new URL("../../../fixtures/imaging-cases/", import.meta.url));
const damaged = fileURLToPath(new URL("../../../fixtures/robustness-cases/", import.meta.url));

let folder = "";
let session: LnsnetSession;
const lnsnet = (...tokens: string[]) => session.run(...tokens);
const inFolder = (...parts: string[]) => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-cases-"));
  session = lnsnetSession(folder);
  await writeFile(inFolder("model.safetensors"), writeModel(densityModel([1, 1, 1]), false));
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

const lost: [string, string[]][] = [
  ["ct-first-slice-empty-file", ["IM0001.dcm"]],
  ["ct-last-slices-empty-files", ["IM0010.dcm", "IM0011.dcm", "IM0012.dcm"]],
  ["ct-last-slices-cut-at-200", ["IM0010.dcm", "IM0011.dcm", "IM0012.dcm"]],
];

describe.each(lost)("%s: the files that cannot be read are named by", (name, files) => {
  const expectNamed = (stderr: string) => {
    for (const file of files) expect(stderr).toContain(file);
  };

  test("convert", async () => {
    const { code, stderr } = await lnsnet("convert", join(cases, name), "--output", `${name}.nii.gz`);
    expect(code).toBe(0);
    expectNamed(stderr);
  });

  test("measure", async () => {
    const labels = join(cases, "seg-korean-iso2022ir149/seg.dcm");
    const { code, stderr } = await lnsnet("measure", labels, "--image", join(cases, name));
    expect(code).toBe(0);
    expectNamed(stderr);
  });

  test("dataset import", async () => {
    await cp(join(cases, name), inFolder(name, "patient"), { recursive: true });
    await cp(join(cases, "seg-korean-iso2022ir149/seg.dcm"), inFolder(name, "patient/seg.dcm"));
    const tokens = ["--output", `${name}-imported`, "--roi", "림프절"];
    const { code, stderr } = await lnsnet("dataset", "import", name, ...tokens);
    expect(code).toBe(0);
    expectNamed(stderr);
  });
});

test("predict says which files of a scan it could not read", async () => {
  const size = [48, 48, 12] as const;
  const hu = Int16Array.from({ length: 48 * 48 * 12 }, (_, n) => (n % 48 > 42 ? -1000 : 20 * (n % 7) - 80));
  const [last, ...files] = ctFiles({
    ...{ size, spacingMm: [1, 1, 2], originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], hu },
    ...{ patientId: "P1", seriesUid: "1.2.3", frameOfReferenceUid: "1.2.9" },
  });
  await mkdir(inFolder("soft"));
  for (const { name, bytes } of files) await writeFile(inFolder("soft", name), bytes);
  await writeFile(inFolder("soft", last.name), "");
  const tokens = ["--model", "model.safetensors", "--search", "everything", "--overlap", "0.25"];
  const { code, stderr } = await lnsnet("predict", "soft", "--output", "found", "--no-pictures", ...tokens);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`soft/${last.name} is empty`);
});

describe("a damaged file stops no other", () => {
  test("of a folder: it is a series of its own, which says why it is not read", async () => {
    await cp(join(cases, "ct-control"), inFolder("mixed"), { recursive: true });
    for (const name of ["dicom-dataview/a.dcm", "dicom-huge-dims/rle.dcm", "dicom-text-spaces/explicit.dcm"])
      await cp(join(damaged, name), inFolder("mixed", name.replace("/", "-")));
    const { code, stdout } = await lnsnet("info", "mixed", "--json");
    expect(code).toBe(0);
    const { series, others } = JSON.parse(stdout);
    expect(series.map(({ slices }: { slices: number }) => slices).sort()).toEqual([1, 12]);
    expect(others.map(({ name }: { name: string }) => name)).toEqual([
      "mixed/dicom-dataview-a.dcm",
      "mixed/dicom-huge-dims-rle.dcm",
    ]);
    const wanted = ["--series", "Neck", "--output", "mixed.nii.gz"];
    expect((await lnsnet("convert", "mixed", ...wanted)).code).toBe(0);
  });

  test("of a collection: the other patient is imported", async () => {
    await cp(join(cases, "ct-control"), inFolder("two/whole"), { recursive: true });
    await cp(join(cases, "seg-korean-iso2022ir149/seg.dcm"), inFolder("two/whole/seg.dcm"));
    await mkdir(inFolder("two/damaged"), { recursive: true });
    await cp(join(damaged, "fuzz-dicom_ct_small/0-fx_tilted-uneven_04.dcm"), inFolder("two/damaged/a.dcm"));
    const { code, stdout } = await lnsnet(
      "dataset",
      "import",
      "two",
      "--output",
      "two-imported",
      "--roi",
      "림프절",
    );
    expect(code).toBe(2);
    expect(stdout).toMatch(/1 case imported, 0 kept from before, 1 that could not be used/);
  });
});

test("a CT series with a file that cannot be read is not passed over for another one", async () => {
  await cp(join(cases, "ct-control"), inFolder("choice"), { recursive: true });
  for (const name of ["cut.dcm", "sound.dcm"])
    await cp(join(damaged, "dicom-implicit-truncated", name), inFolder("choice", name));
  const { code, stderr } = await lnsnet("convert", "choice", "--output", "choice.nii.gz");
  expect(code).toBe(2);
  expect(stderr).toMatch(/2 series were found, and 1 was expected/);
});

test("links that lead nowhere or out of the folder may be slices", async () => {
  await cp(join(cases, "ct-last-slices-empty-files"), inFolder("linked"), { recursive: true });
  for (const n of [10, 11, 12]) await rm(inFolder(`linked/IM00${n}.dcm`));
  await symlink("gone", inFolder("linked/IM0010.dcm"));
  await symlink(join(cases, "ct-control/IM0011.dcm"), inFolder("linked/IM0011.dcm"));
  await symlink("IM0012.dcm", inFolder("linked/IM0012.dcm"));
  const { code, stderr } = await lnsnet("convert", "linked", "--output", "linked.nii.gz");
  expect(code).toBe(0);
  expect(stderr).toMatch(/3 files beside the series.*IM0010\.dcm.*IM0011\.dcm.*IM0012\.dcm.*link/);
});

test("labels in Korean and Cyrillic are chosen by their names", async () => {
  for (const [name, roi] of [
    ["seg-korean-iso2022ir149", "림프절"],
    ["seg-cyrillic-iso2022ir144", "узел"],
  ]) {
    const tokens = ["--reference", join(cases, "ct-control"), "--roi", roi, "--output", `${name}.nii.gz`];
    const { code, stdout } = await lnsnet("convert", join(cases, name, "seg.dcm"), ...tokens);
    expect(code).toBe(0);
    expect(stdout).toContain(`1  ${roi}`);
  }
});
