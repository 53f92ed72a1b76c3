// Where results may go: inputs and files of others are seen by whatever name or link.
import { access, link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requireFreeFile, requireFreeFiles, requireFreeNames } from "./outputs.js";

let folder = "";
const at = (...names: string[]) => join(folder, ...names);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-outputs-"));
  await mkdir(at("study"));
  await writeFile(at("study", "001.dcm"), "voxels");
  await writeFile(at("scan.nii"), "voxels");
  await writeFile(at("other.nii"), "mine");
  await symlink("scan.nii", at("link.nii"));
  await symlink("study", at("linked"));
  await link(at("scan.nii"), at("twin.nii"));
  await link(at("study", "001.dcm"), at("copy.dcm"));
  await symlink("nowhere", at("dangling"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a file that the user names", () => {
  test.each([
    ["the input", "scan.nii", "scan.nii"],
    ["another spelling of it", "study/../scan.nii", "scan.nii"],
    ["a link to it", "link.nii", "scan.nii"],
    ["what the input links to", "scan.nii", "link.nii"],
    ["another name of the same file", "twin.nii", "scan.nii"],
    ["a file of the input folder", "study/001.dcm", "study"],
    ["one of them by a linked folder", "linked/001.dcm", "study"],
    ["one of them by a name outside the folder", "copy.dcm", "study"],
  ])("is refused where it is %s, with --force too", async (_, output, input) => {
    const check = requireFreeFile(at(output), { inputs: [at(input)], force: true });
    await expect(check).rejects.toThrow(/is an input/);
  });

  test.each(["other.nii", "link.nii", "dangling"])(
    "is refused where %s stands, without --force",
    async (name) => {
      await expect(requireFreeFile(at(name))).rejects.toThrow(/the option force/);
      await requireFreeFile(at(name), { force: true, inputs: [at("study")] });
    },
  );

  test("may be new, beside an input or in its folder, or a device", async () => {
    for (const name of ["new.nii", "study/new.nii", "none/new.nii"])
      await requireFreeFile(at(name), { inputs: [at("study"), at("scan.nii")] });
    await requireFreeFile("/dev/null");
  });

  test("is no folder", async () => {
    await expect(requireFreeFile(at("study"), { force: true })).rejects.toThrow(/study is a folder/);
  });
});

test("names in a folder are free, or ours, or told", async () => {
  await requireFreeNames(folder, ["a", "scan.nii"], (name) => name === "scan.nii");
  await expect(
    requireFreeNames(folder, ["scan.nii", "a", "study", "dangling", "linked", "link.nii"]),
  ).rejects.toThrow(/holds scan\.nii, study, dangling and 2 more, which/);
  await requireFreeNames(at("none"), ["a"]);
});

test.each([
  ["Scan.nii.gz", "scan.nii.gz"],
  ["stra\u00dfe.csv", "STRASSE.csv"],
  ["e\u0301.csv", "\u00e9.csv"],
  ["sub/A.csv", "sub/a.csv"],
])("%s takes the name %s, which is the same on some disks", async (standing, wanted) => {
  await mkdir(at("sub"));
  await writeFile(at(standing), "mine");
  const isOurs = (name: string) => name === standing || name === wanted;
  // A disk that takes both for one finds the file by either name.
  const isOneFile = await access(at(wanted)).then(
    () => true,
    () => false,
  );
  if (!isOneFile) await expect(requireFreeNames(folder, [wanted], isOurs)).rejects.toThrow(/on some disks/);
  await requireFreeNames(folder, [standing, "b.csv"], isOurs);
});

test("files of one command are refused where two have one name or a folder is missing, before any work", async () => {
  await expect(requireFreeFiles([at("a.svg"), at("b.svg")])).resolves.toBeUndefined();
  await expect(requireFreeFiles([at("a.svg"), at("study", "..", "A.svg")], { force: true })).rejects.toThrow(
    /Two results would be written to .*A\.svg; choose a file of its own for each/,
  );
  await expect(requireFreeFiles([at("none", "a.svg")])).rejects.toThrow(/its folder .*none does not exist/);
});
