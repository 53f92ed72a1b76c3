// One writer per folder, by processes that live, die, and ask at once.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { holdFolder, whileHolding, whileWriting } from "./folder-lock.js";
import { markedName } from "./process-mark.js";
import { markOfDeadProcess } from "./process-mark.test-helper.js";

let folder = "";
let holders: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-lock-"));
  holders = [];
});
afterEach(async () => {
  for (const holder of holders) holder.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** A process that holds the folder until it is ended. */
async function holder(): Promise<ChildProcess> {
  const module = new URL("../../dist/files/folder-lock.js", import.meta.url).href;
  const script = `const { holdFolder } = await import(${JSON.stringify(module)});
    await holdFolder(process.argv[1], "lnsnet train");
    console.log("held");
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  holders.push(child);
  await once(child.stdout, "data");
  return child;
}

test("the second is told who holds the folder, and holds it when the first lets go", async () => {
  const first = await holder();
  await expect(holdFolder(folder, "lnsnet train")).rejects.toThrow(
    new RegExp(`is being written to by lnsnet train, process ${first.pid} on .+, since 2`),
  );
  expect(await readdir(folder)).toHaveLength(1);
  first.kill("SIGTERM");
  await once(first, "exit");
  const held = await holdFolder(folder, "lnsnet train");
  await held.release();
  expect(await readdir(folder)).toEqual([]);
});

test("a killed process holds nothing", async () => {
  const first = await holder();
  first.kill("SIGKILL");
  await once(first, "exit");
  expect(await readdir(folder)).toHaveLength(1);
  await whileHolding(folder, "lnsnet train", async () => expect(await readdir(folder)).toHaveLength(1));
  expect(await readdir(folder)).toEqual([]);
});

test("one process holds a folder once, and its number given to another process holds nothing", async () => {
  const held = await holdFolder(folder, "lnsnet predict");
  await expect(holdFolder(folder, "lnsnet train")).rejects.toThrow(/by lnsnet predict, process/);
  await held.release();
  // A claim of a process that had our number before, as its time of start tells.
  await writeFile(join(folder, markedName("lock").replace(/-\d+-(.{8})\.lock$/, "-1-$1.lock")), "");
  await (await holdFolder(folder, "lnsnet train")).release();
});

test("a claim that cannot be read holds while its process lives, and not after", async () => {
  await writeFile(join(folder, markedName("lock")), "");
  await expect(holdFolder(folder, "lnsnet train")).rejects.toThrow(/by another lnsnet/);
  await rm(folder, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), "lnsnet-lock-"));
  await writeFile(join(folder, markOfDeadProcess("lock")), "");
  await (await holdFolder(folder, "lnsnet train")).release();
});

test("those that wait take turns", async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    [1, 2, 3].map(() =>
      whileHolding(
        folder,
        "lnsnet crossvalidate",
        async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setTimeout(resolve, 20));
          inside--;
        },
        {},
        { waits: true },
      ),
    ),
  );
  expect(most).toBe(1);
});

test("folders that were made stay where something was written, and are removed where nothing was", async () => {
  const path = join(folder, "a", "b");
  const refused = whileWriting(path, "lnsnet train", () => Promise.reject(new Error("refused")));
  await expect(refused).rejects.toThrow("refused");
  expect(await readdir(folder)).toEqual([]);
  await whileWriting(path, "lnsnet train", async () => undefined);
  expect(await readdir(folder)).toEqual([]);
  const stopped = whileWriting(path, "lnsnet train", async () => {
    await writeFile(join(path, "first"), "");
    throw new Error("stopped");
  });
  await expect(stopped).rejects.toThrow("stopped");
  expect(await readdir(path)).toEqual(["first"]);
});

test("an empty folder that stood there stays", async () => {
  const path = join(folder, "empty");
  await mkdir(path);
  await expect(
    whileWriting(path, "lnsnet train", () => Promise.reject(new Error("refused"))),
  ).rejects.toThrow();
  await whileWriting(join(path, "inner"), "lnsnet train", async () => undefined);
  expect(await readdir(folder)).toEqual(["empty"]);
});
