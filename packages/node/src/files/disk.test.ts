import { spawnSync } from "node:child_process";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  datasetFolders,
  ensureWritableFolder,
  fileError,
  readBytes,
  readJson,
  removeUnfinished,
  writeAtomically,
} from "./disk.js";
import { markedName } from "./process-mark.js";
import { markOfDeadProcess } from "./process-mark.test-helper.js";

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

  test.each([
    ["to a file", "target.txt"],
    ["to nothing yet", "new.txt"],
    ["to a link", "second"],
  ])("writes through a link %s", async (_, target) => {
    await mkdir(join(folder, "elsewhere"));
    await writeFile(join(folder, "elsewhere", "target.txt"), "old");
    await symlink("target.txt", join(folder, "elsewhere", "second"));
    await symlink(join("elsewhere", target), join(folder, "link"));
    await writeAtomically(join(folder, "link"), "new");
    expect(await readlink(join(folder, "link"))).toBe(join("elsewhere", target));
    expect(await readlink(join(folder, "elsewhere", "second"))).toBe("target.txt");
    expect(await readFile(join(folder, "link"), "utf8")).toBe("new");
    expect((await readdir(join(folder, "elsewhere"))).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("keeps the permissions of the file that it replaces", async () => {
    const path = join(folder, "a.txt");
    await writeFile(path, "old");
    await chmod(path, 0o640);
    await writeAtomically(path, "new");
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  test.skipIf(process.platform === "win32")("writes to a pipe and leaves it a pipe", async () => {
    const path = join(folder, "pipe");
    spawnSync("mkfifo", [path]);
    const [text] = await Promise.all([readFile(path, "utf8"), writeAtomically(path, "new")]);
    expect(text).toBe("new");
    expect((await lstat(path)).isFIFO()).toBe(true);
  });

  test.skipIf(process.platform === "win32")(
    "leaves /dev/null a device, by itself and through a link",
    async () => {
      await symlink("/dev/null", join(folder, "link"));
      for (const path of ["/dev/null", join(folder, "link")]) await writeAtomically(path, "new");
      expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
      expect(await readlink(join(folder, "link"))).toBe("/dev/null");
    },
  );

  test("a link that leads back to itself is named", async () => {
    await symlink("loop", join(folder, "loop"));
    await expect(writeAtomically(join(folder, "loop"), "new")).rejects.toThrow(/loop is a link that leads/);
  });

  test("says where the folder is missing", async () => {
    await expect(writeAtomically(join(folder, "none", "a.txt"), "new")).rejects.toThrow(
      /none does not exist/,
    );
  });
});

test("what a dead process left is removed, at the top of the folder and by our own names alone", async () => {
  const dead = markOfDeadProcess("partial");
  const ofAnotherMachine = markedName("partial").replace(/^\.lnsnet-.{8}/, ".lnsnet-00000000");
  const kept = [
    markedName("partial"),
    ofAnotherMachine,
    "movie.4711.partial",
    ".lnsnet.partial",
    "a.partial",
  ];
  await mkdir(join(folder, "below"));
  for (const name of [dead, ...kept]) await writeFile(join(folder, name), "");
  await writeFile(join(folder, "below", dead), "");
  await removeUnfinished(folder);
  expect((await readdir(folder)).sort()).toEqual([...kept, "below"].sort());
  expect(await readdir(join(folder, "below"))).toEqual([dead]);
});

test("what a stopped thread of this process left is removed where nobody else writes", async () => {
  const [own, other] = [markedName("partial"), markedName("lock")];
  for (const name of [own, other]) await writeFile(join(folder, name), "");
  await removeUnfinished(folder);
  expect((await readdir(folder)).sort()).toEqual([own, other].sort());
  await removeUnfinished(folder, { isOurs: true });
  expect(await readdir(folder)).toEqual([other]);
});

test("a folder is made with its parents; a file in its way is named", async () => {
  await ensureWritableFolder(join(folder, "a", "b"));
  expect(await readdir(folder)).toEqual(["a"]);
  await writeFile(join(folder, "file"), "");
  await expect(ensureWritableFolder(join(folder, "file"))).rejects.toThrow(InputError);
  await expect(ensureWritableFolder(join(folder, "file", "b"))).rejects.toThrow(InputError);
});

test.each(datasetFolders)("no output lies within %s of a data set, by whatever path", async (name) => {
  const data = join(folder, `data-${name}`);
  await mkdir(join(data, name), { recursive: true });
  await symlink(join(data, name), join(folder, `link-${name}`));
  const paths = [join(data, name), join(data, name, "run/new"), join(folder, `link-${name}`, "run")];
  // As long as nothing says that it is a data set.
  await ensureWritableFolder(join(data, name, "before"));
  await writeFile(join(data, "dataset.json"), "{}");
  for (const path of paths)
    await expect(ensureWritableFolder(path)).rejects.toThrow(
      new RegExp(`lies within ${name} of the data set .*; choose a folder outside`),
    );
  await ensureWritableFolder(join(data, "results"));
  expect(await readdir(join(data, name))).toEqual(["before"]);
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
  "ELOOP",
  "ENXIO",
])("%s becomes one sentence that names the path", (code) => {
  const sentence = fileError(Object.assign(new Error(code), { code }), "dir/a.nii", "write");
  expect(sentence).toBeInstanceOf(InputError);
  expect((sentence as InputError).message).toMatch(/^dir\/a\.nii .*; .*\.$/);
});

test("other errors stay what they are", () => {
  const bug = new TypeError("x is undefined");
  expect(fileError(bug, "a", "read")).toBe(bug);
});
