// A small share of the fuzz check, over every format; npm run check -- fuzz tries the rest.
import { indexedStream } from "@lnsnet/core/transforms";
import { afterAll, describe, expect, test } from "vitest";
import { mutated } from "./fuzz-mutations.js";
import { fuzzPool } from "./fuzz-pool.js";
import { faultOf, runFuzz, soundTask } from "./fuzz-run.js";
import { fuzzSeeds } from "./fuzz-seeds.js";

const seeds = fuzzSeeds();
const pool = fuzzPool(1);
afterAll(() => pool.end());

test("the same stream damages a file in the same way, another in another", () => {
  const bytes = new Uint8Array(Buffer.from("NDims = 3\nDimSize = 4 5 6\n"));
  const results = () =>
    Array.from({ length: 200 }, (_, n) =>
      Buffer.from(mutated(bytes, indexedStream(1, n))).toString("latin1"),
    );
  expect(results()).toEqual(results());
  expect(new Set(results()).size).toBeGreaterThan(150);
  expect(Buffer.from(bytes).toString()).toBe("NDims = 3\nDimSize = 4 5 6\n");
});

describe("the fuzz check", () => {
  /** Read by no command: what is tried is how they are refused. */
  const refused = ["state", "dataset.json", "rtstruct_pydicom"];

  test("begins with files that are read", async () => {
    for (const seed of seeds) {
      const outcome = await pool.run(soundTask(seed));
      if (!refused.includes(seed.name)) expect({ name: seed.name, ...outcome }).toMatchObject({ code: 0 });
    }
  });

  test("finds nothing in a few hundred damaged inputs and cuts", async () => {
    const report = await runFuzz({ seeds, randomSeed: 1, mutations: 330, cutsOfAFile: 5 }, pool, 1);
    expect(
      report.findings.map(({ seed, input, fault, detail }) => ({ name: seed.name, input, fault, detail })),
    ).toEqual([]);
    expect([...report.counts.keys()]).toEqual([
      ...[
        "DICOM CT",
        "DICOM series",
        "DICOM SEG",
        "RTSTRUCT",
        "MetaImage",
        "NRRD",
        "NIfTI",
        "zip",
        "safetensors",
      ],
      ...["markups", "JSON"],
    ]);
    for (const { mutations } of report.counts.values()) expect(mutations).toBe(30);
  });

  const good = { code: 0, text: "out.nii\n", seconds: 0.1, peakBytes: 2e8, written: "a" };
  test.each([
    ["nothing", good, undefined, null],
    ["a sentence", { ...good, code: 2, written: null }, "a", null],
    ["the same from a cut file", good, "a", null],
    ["something else from a cut file", { ...good, written: "b" }, "a", "lost"],
    ["a stack trace", { ...good, code: 1 }, undefined, "exception"],
    ["an abort", { ...good, code: 134 }, undefined, "exception"],
    ["six seconds", { ...good, seconds: 6 }, undefined, "time"],
    ["2 GB", { ...good, peakBytes: 2e9 }, undefined, "memory"],
    ["an escape", { ...good, text: "\u001b[2J" }, undefined, "text"],
    ["a mark of direction", { ...good, text: "a\u202Eb" }, undefined, "text"],
    ["a process killed for its time", { killed: "time" as const }, undefined, "time"],
    ["a process that crashed", { killed: "crash" as const }, undefined, "memory"],
  ])("calls a fault: %s", (_, outcome, whole, fault) => {
    expect(faultOf(outcome, whole)?.fault ?? null).toBe(fault);
  });
});

describe("a process", () => {
  const task = { files: [], tokens: ["--version"], output: null };
  test("answers one task after the other", async () => {
    for (let n = 0; n < 3; n++) expect(await pool.run(task)).toMatchObject({ code: 0 });
    expect(await pool.run({ ...task, tokens: ["nothing"] })).toMatchObject({ code: 2 });
    expect(await pool.run(task, true)).toMatchObject({ code: 0 });
  });
});
