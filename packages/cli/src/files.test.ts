import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { ensureWritableFolder, fileError, readBytes, readJson, writeAtomically } from "./files.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-files-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("writeAtomically", () => {
  test("replaces a file and leaves nothing beside it", async () => {
    const path = join(folder, "a.txt");
    await writeAtomically(path, "old");
    await writeAtomically(path, new TextEncoder().encode("new"));
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["a.txt"]);
  });

  test("removes its temporary file where it fails", async () => {
    // A folder of that name cannot be replaced by a file.
    await mkdir(join(folder, "a.txt"));
    await expect(writeAtomically(join(folder, "a.txt"), "new")).rejects.toThrow(/a\.txt is a folder/);
    expect(await readdir(folder)).toEqual(["a.txt"]);
  });

  test("says where the folder is missing", async () => {
    await expect(writeAtomically(join(folder, "none", "a.txt"), "new")).rejects.toThrow(
      /none does not exist/,
    );
  });
});

test("a folder is made with its parents; a file in its way is named", async () => {
  await ensureWritableFolder(join(folder, "a", "b"));
  expect(await readdir(folder)).toEqual(["a"]);
  await writeFile(join(folder, "file"), "");
  await expect(ensureWritableFolder(join(folder, "file"))).rejects.toThrow(InputError);
  await expect(ensureWritableFolder(join(folder, "file", "b"))).rejects.toThrow(InputError);
});

test("reading what is not there, or a folder, is the user's error", async () => {
  await expect(readBytes(join(folder, "none"))).rejects.toThrow(/none does not exist; check its name/);
  await expect(readBytes(folder)).rejects.toThrow(/is a folder/);
});

describe("readJson", () => {
  const schema = z.object({ labels: z.record(z.string(), z.int()) });

  test("returns what fits", async () => {
    await writeFile(join(folder, "a.json"), '{"labels": {"node": 1}}');
    expect(await readJson(join(folder, "a.json"), schema)).toEqual({ labels: { node: 1 } });
  });

  test.each([
    ["{", /is not JSON/],
    ["[]", /top level/],
    ['{"labels": {"node": "one"}}', /"labels\.node"/],
  ])("refuses %j", async (text, message) => {
    await writeFile(join(folder, "a.json"), text);
    await expect(readJson(join(folder, "a.json"), schema)).rejects.toThrow(InputError);
    await expect(readJson(join(folder, "a.json"), schema)).rejects.toThrow(message);
  });
});

test.each([
  "ENOENT",
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "EFBIG",
  "EISDIR",
  "ENOTDIR",
  "ENAMETOOLONG",
])("%s becomes one sentence that names the path", (code) => {
  const sentence = fileError(Object.assign(new Error(code), { code }), "dir/a.nii", "write");
  expect(sentence).toBeInstanceOf(InputError);
  expect((sentence as InputError).message).toMatch(/^dir\/a\.nii .*; .*\.$/);
});

test("other errors stay what they are", () => {
  const bug = new TypeError("x is undefined");
  expect(fileError(bug, "a", "read")).toBe(bug);
});
