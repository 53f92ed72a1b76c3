// Split files: nnU-Net's form in and out, and what does not fit refused.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { oneClass } from "@lnsnet/core/transforms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "./dataset.js";
import { patientRule, readSplits, trainingPart, writeSplits } from "./splits.js";

const dataset: Dataset = {
  name: "necks",
  folder: "necks",
  channels: ["CT"],
  labels: { values: { background: [0], node: [1] }, scheme: oneClass("node") },
  patients: new Map([["d", "c"]]),
  training: ["a", "b", "c", "d"].map((id) => ({ id, imagePath: id, labelPath: id, instancesPath: null })),
  test: [],
};

let path = "";
beforeAll(async () => {
  path = join(await mkdtemp(join(tmpdir(), "lnsnet-splits-")), "splits_final.json");
});
afterAll(() => rm(join(path, ".."), { recursive: true }));
const read = (pattern?: string) => readSplits(path, dataset, patientRule(dataset, pattern));

describe("splits_final.json", () => {
  test("is written as nnU-Net writes it, and read back", async () => {
    const splits = [
      { train: ["a", "b"], val: ["c", "d"] },
      { train: ["c", "d"], val: ["a", "b"] },
    ];
    await writeSplits(path, splits);
    expect(await readFile(path, "utf8")).toMatch(/^\[\n {4}\{\n {8}"train": \[\n {12}"a",/);
    expect(await read()).toEqual(splits);
    expect(trainingPart(dataset, splits[1]).training.map(({ id }) => id)).toEqual(["c", "d"]);
  });

  test.each([
    ['[{"train": ["a"], "val": ["e"]}]', undefined, /Fold 0 of .*splits_final\.json names a case/],
    ['[{"train": ["a", "c"], "val": ["d"]}]', undefined, /trains on c and validates on d/],
    ['[{"train": ["a"]}]', undefined, /another form than expected: "0\.val"/],
    ["[]", undefined, /at least one fold/],
    ["{", undefined, /is not JSON/],
    [
      '[{"train": ["a"], "val": ["b"]}]',
      "(",
      /The option patient-pattern is "\(", which is not a regular expression/,
    ],
    ['[{"train": ["a"], "val": ["b"]}]', "^a", /case b does not match/],
  ])("%s with pattern %s is refused", async (text, pattern, message) => {
    await writeFile(path, text);
    const failure = (async () => read(pattern))();
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toThrow(InputError);
  });
});
