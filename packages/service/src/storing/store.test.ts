// The store against a real S3-compatible server, and studies that go over it to a worker which does not see the service's folder.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { noRedis, startRedis } from "../redis.test-helper.js";
import { neckSeries, removeFolder, serviceFolder, startService } from "../service.test-helper.js";
import { keys, type S3, startS3 } from "./s3.test-helper.js";
import { openStore } from "./store.js";

vi.setConfig({ testTimeout: 400_000 });

const bin = fileURLToPath(new URL("../../../cli/bin/lnsnet.js", import.meta.url));

let folder = "";
let s3: S3;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-store-"));
  s3 = await startS3(join(folder, "s3"));
});
afterAll(async () => {
  await s3?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("openStore", () => {
  test("a folder comes back as it was, by its content and whole", async () => {
    const store = openStore(s3.bucket, keys);
    const own = join(folder, "own");
    await mkdir(own);
    const large = Uint8Array.from({ length: 3e6 }, (_, n) => (n * 7) % 251);
    await writeFile(join(own, "a b+ü.dcm"), large);
    await writeFile(join(own, "empty.csv"), "");
    await writeFile(join(own, ".summary.json"), "{}");
    await store.put(own, "jobs/one/input");
    await store.put(own, "jobs/one/input");
    await store.take("jobs/one/input", join(folder, "back"));
    expect((await readdir(join(folder, "back"))).sort()).toEqual([".summary.json", "a b+ü.dcm", "empty.csv"]);
    expect(Buffer.compare(await readFile(join(folder, "back", "a b+ü.dcm")), large)).toBe(0);
    const wrong = store.take("jobs/one/input", join(folder, "wrong"), new Map([["empty.csv", "0"]]));
    await expect(wrong).rejects.toThrow("another jobs/one/input/empty.csv");
    expect(await readdir(folder)).not.toContain("wrong");
    await store.remove("jobs/one");
    await expect(store.take("jobs/one/input", join(folder, "gone"))).rejects.toThrow("holds nothing");
  });

  test.each([
    ["http://127.0.0.1:1", keys, "is no address of a bucket"],
    ["ftp://127.0.0.1/bucket", keys, "is no address of a bucket"],
    ["http://127.0.0.1:1/bucket", {}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
  ])("%s is refused with a sentence", (address, environment, sentence) => {
    expect(() => openStore(address, environment)).toThrow(sentence);
  });

  // This server looks at the key's name alone, and not at the signature.
  test("an unknown key is told", async () => {
    const store = openStore(s3.bucket, { ...keys, AWS_ACCESS_KEY_ID: "NOBODY" });
    await mkdir(join(folder, "secret"));
    await writeFile(join(folder, "secret", "a"), "a");
    await expect(store.put(join(folder, "secret"), "x")).rejects.toThrow("InvalidAccessKeyId");
  });
});

test.skipIf(noRedis !== null)(
  `a study goes over the store to a worker with a folder of its own${noRedis === null ? "" : `: skipped, ${noRedis}`}`,
  async () => {
    const home = await serviceFolder();
    const elsewhere = await mkdtemp(join(tmpdir(), "lnsnet-elsewhere-"));
    const redis = await startRedis(home);
    const words = [
      "worker",
      "--queue",
      redis.url,
      "--folder",
      elsewhere,
      "--store",
      s3.bucket,
      "--threads",
      "1",
    ];
    const worker = spawn(process.execPath, [bin, ...words], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, ...keys },
    });
    for (const [name, value] of Object.entries(keys)) vi.stubEnv(name, value);
    const service = await startService(home, { queue: redis.url, store: s3.bucket });
    try {
      await service.upload(neckSeries("1.2.840.71"));
      const { id, nodes, results } = await service.jobWhen(({ state }) => state === "done");
      expect(nodes).toBe(2);
      for (const { name, sha256 } of results) {
        const file = await service.ask(`/api/jobs/${id}/results/${name}`);
        const bytes = new Uint8Array(await file.arrayBuffer());
        const hash = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
        expect(hash).toBe(sha256);
      }
      // Nothing of a patient stays behind, in the store or at the worker.
      expect(await s3.keys()).toEqual([]);
      expect(await readdir(elsewhere)).toEqual([]);
    } finally {
      await service.stop();
      worker.kill("SIGKILL");
      await redis.stop();
      await removeFolder(home);
      await removeFolder(elsewhere);
      vi.unstubAllEnvs();
    }
  },
);
