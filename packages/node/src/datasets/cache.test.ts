// A cached case is known by what its files hold: another time alone makes no work, other voxels always do.
import { cp, mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { PreparedCase } from "@lnsnet/core/sampling";
import { afterEach, beforeEach, expect, test } from "vitest";
import { boxPatient, writeBoxes } from "../boxes.test-helper.js";
import { cacheKey, readCached, sourcesOf, writeCached } from "./cache.js";
import { type Case, openDataset } from "./dataset.js";
import type { DatasetLabels } from "./foreground.js";

const settings = { spacingMm: [1, 1, 1.5], window: { lowHu: -160, highHu: 240 } } as const;
let labels: DatasetLabels;
let key = "";

let folder = "";
let box: Case;
let prepared: PreparedCase;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-cache-"));
  await writeBoxes(join(folder, "data"), [boxPatient(0)]);
  const dataset = await openDataset(join(folder, "data"));
  [box] = dataset.training;
  labels = dataset.labels;
  key = cacheKey(settings, labels);
  prepared = {
    id: box.id,
    size: [1, 1, 1] as const,
    spacingMm: [1, 1, 1.5] as const,
    hu: Int16Array.of(3),
    label: Uint8Array.of(1),
    foreground: Int32Array.of(0),
    componentOffsets: Int32Array.of(0, 1),
  };
  await writeCached(folder, prepared, key, await sourcesOf(box));
});
afterEach(() => rm(folder, { recursive: true }));

const stateNow = async (of = key) => (await readCached(folder, box, of)).state;
const touch = (path: string, seconds: number) => utimes(path, seconds, seconds);

test.each(["imagePath", "labelPath"] as const)(
  "%s with another time is fresh, with another byte stale",
  async (part) => {
    const path = box[part] ?? "";
    expect(await stateNow()).toBe("fresh");
    await touch(path, 1e9);
    expect(await stateNow()).toBe("fresh");
    const { size } = await stat(path);
    await writeFile(path, new Uint8Array(size));
    expect(await stateNow()).toBe("stale");
  },
);

test("other settings, another foreground and a case that is not there are told", async () => {
  expect(await stateNow(cacheKey({ ...settings, spacingMm: [1, 1, 2] }, labels))).toBe("stale");
  const [node] = labels.scheme.classes;
  const scheme = { ...labels.scheme, classes: [{ ...node, values: [2] }] };
  expect(await stateNow(cacheKey(settings, { ...labels, scheme }))).toBe("stale");
  await rm(join(folder, `${box.id}.safetensors`));
  expect(await stateNow()).toBe("absent");
});

test("look-alikes that come, change or go make a case stale", async () => {
  const beside = join(folder, "data", "lookalikesTr");
  await mkdir(beside);
  await cp(box.labelPath ?? "", join(beside, basename(box.labelPath ?? "")));
  const [withThem] = (await openDataset(join(folder, "data"))).training;
  expect(withThem.lookAlikesPath).toBe(join(beside, basename(box.labelPath ?? "")));
  const stateOf = async (of: Case) => (await readCached(folder, of, key)).state;
  expect(await stateOf(withThem)).toBe("stale");
  await writeCached(folder, prepared, key, await sourcesOf(withThem));
  expect(await stateOf(withThem)).toBe("fresh");
  expect(await stateOf(box)).toBe("stale");
  await writeFile(withThem.lookAlikesPath ?? "", "changed");
  expect(await stateOf(withThem)).toBe("stale");
});
