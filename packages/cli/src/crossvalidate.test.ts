// Cross-validation as a user does it, at the smallest size: the built code in processes of its own, killed and resumed.
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { markOfDeadProcess } from "../../node/src/files/process-mark.test-helper.js";
import { bin, type Ended, type LnsnetSession, lnsnetIn, lnsnetSession } from "./command.test-helper.js";

const settings = [
  ...["--folds", "2", "--network", "lnsnet-small", "--patch", "16,16,16", "--spacing", "1,1,1.5"],
  ...["--steps", "12", "--validation-cases", "1", "--validate-every", "6", "--threads", "1", "--seed", "3"],
];
const command = ["crossvalidate", "../boxes", "--output", "experiment", ...settings];
const tables = [
  "cases.csv",
  "cases.json",
  "nodes.csv",
  "nodes.json",
  "summary.csv",
  "summary.json",
  "summary.tex",
];

let folder = "";
let session: LnsnetSession;
/** What the undisturbed run said. */
let said = "";
/** Each experiment has a folder of its own to run in, so that all have the same command. */
async function place(name: string): Promise<string> {
  await mkdir(join(folder, name), { recursive: true });
  return join(folder, name);
}
const contentOf = (name: string, file: string) => readFile(join(folder, name, "experiment", file), "utf8");

/** Runs until stderr says the text, and then sends the signal; the run must not end before. */
function stoppedAt(cwd: string, text: string, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...command], { cwd });
    let stderr = "";
    let isStopped = false;
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      if (isStopped || !stderr.includes(text)) return;
      isStopped = child.kill(signal);
    });
    child.on("close", () =>
      isStopped ? resolve() : reject(new Error(`never said "${text}", but:\n${stderr}`)),
    );
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-crossvalidate-"));
  session = lnsnetSession(folder);
  await writeBoxes(join(folder, "boxes"), [0, 1, 2, 3, 4].map(boxPatient), [5, 6].map(boxPatient));
  const { code, stderr } = await session.runIn(await place("whole"), command);
  expect(code, stderr).toBe(0);
  said = stderr;
});
afterAll(() => {
  session.end();
  return rm(folder, { recursive: true });
});

describe("lnsnet crossvalidate", () => {
  test("judges every training case by the fold that did not see it, and the test set by folds and ensemble", async () => {
    const splits: { train: string[]; val: string[] }[] = JSON.parse(
      await contentOf("whole", "splits_final.json"),
    );
    const rows: { set: string; model: string; case: string }[] = JSON.parse(
      await contentOf("whole", "cases.json"),
    );
    const expected = [
      ...splits.flatMap(({ val }, fold) => val.map((id) => `cross-validation fold_${fold} ${id}`)),
      ...["fold_0", "fold_1", "ensemble"].flatMap((model) =>
        ["box_5", "box_6"].map((id) => `test ${model} ${id}`),
      ),
    ];
    expect(rows.map((row) => `${row.set} ${row.model} ${row.case}`).sort()).toEqual(expected.sort());
  });

  test("counts scans and patients aloud, and keeps who trained and who watched", async () => {
    expect(said).toContain(
      "boxes: 5 scans of 5 patients for 2 folds, 2 scans of 2 patients in the test set\n",
    );
    const splits: { train: string[]; val: string[] }[] = JSON.parse(
      await contentOf("whole", "splits_final.json"),
    );
    for (const [fold, { train, val }] of splits.entries()) {
      expect(said).toMatch(
        new RegExp(`fold ${fold} of 2, .*: judged on ${val.length} scans of ${val.length} patients\n`),
      );
      // Of three patients none can be spared.
      expect(said).toContain(
        `trains on ${train.length} scans of ${train.length} patients, validates on none (requested: 1; validation gets at most a quarter of the patients)\n`,
      );
      const trained = JSON.parse(await contentOf("whole", `fold_${fold}/fold.json`));
      expect(trained).toMatchObject({ trained_on: train, watched_by: [] });
      const record = JSON.parse(await contentOf("whole", `fold_${fold}/training.json`));
      expect(record.trained_on).toEqual({ patients: train.length, scans: train });
    }
  });

  test("keeps the two protocols in columns of their own", async () => {
    const [heading] = (await contentOf("whole", "nodes.csv")).split("\n");
    const columns = heading.split(",");
    expect(columns.slice(0, 7)).toEqual([
      "set",
      "model",
      "case",
      "patient",
      "node",
      "volume_ml",
      "short_axis_mm",
    ]);
    expect(columns.slice(7).every((name) => /^(node_level|whole_volume)_/.test(name))).toBe(true);
    expect(columns).toEqual(
      expect.arrayContaining(["node_level_dsc", "whole_volume_dsc", "whole_volume_hit"]),
    );
  });

  test("sums up what the cases say", async () => {
    const cases: Record<string, number | string>[] = JSON.parse(await contentOf("whole", "cases.json"));
    const summary: Record<string, Record<string, number>>[] = JSON.parse(
      await contentOf("whole", "summary.json"),
    );
    const dsc = cases
      .filter(({ set }) => set === "cross-validation")
      .map((row) => Number(row.whole_volume_dsc));
    const mean = dsc.reduce((sum, value) => sum + value, 0) / dsc.length;
    const row = summary.find((candidate) => `${candidate.model} ${candidate.measure}` === "all folds dsc");
    expect(row?.whole_volume).toMatchObject({ n: 5, without_value: 0 });
    expect(row?.whole_volume.mean).toBeCloseTo(mean, 12);
    expect(row?.whole_volume.interval_low).toBeLessThanOrEqual(mean);
    expect(row?.whole_volume.interval_high).toBeGreaterThanOrEqual(mean);
    // A box a scan: as many nodes as scans, each with its own figures.
    expect(row?.node_level.n).toBe(5);
  });

  test("names the data on every table and picture, and others' figures as theirs", async () => {
    const report = (await contentOf("whole", "report.html")).replace(/base64,[^"]*/g, "");
    const figures = report.match(/<figure/g)?.length ?? 0;
    expect(figures).toBeGreaterThan(10);
    expect(report.match(/<figcaption><span class="label">boxes<\/span>/g)).toHaveLength(figures - 2);
    expect(report).toContain("figures of others, as published");
    expect(report).not.toMatch(/NaN|undefined|<script/);
    expect(report.match(/<img /g)?.length).toBe(3);
    expect(report).toContain(command.join(" "));
  });

  test("killed and stopped again and again, ends in the same tables and report to the last bit", async () => {
    const cwd = await place("killed");
    await stoppedAt(cwd, "train 1/12", "SIGKILL");
    await stoppedAt(cwd, "predict fold 0 1/", "SIGKILL");
    await stoppedAt(cwd, "fold 1 of 2", "SIGINT");
    await stoppedAt(cwd, "predict test set 1/2", "SIGKILL");
    // What a process killed while it writes leaves, and what is somebody else's.
    const dead = markOfDeadProcess("partial");
    await writeFile(join(cwd, "experiment/test/ensemble", dead), "{");
    await writeFile(join(cwd, "experiment/test/ensemble/movie.4711.partial"), "mine");
    const { code, stderr } = await session.runIn(cwd, command);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain("train ");
    const names = await readdir(join(cwd, "experiment"), { recursive: true });
    expect(names.filter((name) => name.includes(".partial"))).toEqual(["test/ensemble/movie.4711.partial"]);
    for (const file of [...tables, "report.html"])
      expect(await contentOf("killed", file), file).toBe(await contentOf("whole", file));
  });

  test("gathers a fold trained alone and one from elsewhere to the same tables", async () => {
    const cwd = await place("gathered");
    expect((await session.runIn(cwd, [...command, "--fold", "1"])).code).toBe(0);
    const early = await session.runIn(cwd, [...command, "--collect"]);
    expect(early.code).toBe(2);
    expect(early.stderr).toMatch(/experiment lacks fold 0, whose training is not done/);
    const elsewhere = join(folder, "whole/experiment/fold_0");
    await cp(elsewhere, join(cwd, "experiment/fold_0"), { recursive: true });
    const { code, stderr } = await session.runIn(cwd, [...command, "--collect"]);
    expect(code, stderr).toBe(0);
    for (const file of tables)
      expect(await contentOf("gathered", file), file).toBe(await contentOf("whole", file));

    expect((await session.runIn(cwd, [...command, "--collect", "--data", "drawn boxes"])).code).toBe(0);
    expect(await contentOf("gathered", "summary.csv")).toBe(await contentOf("whole", "summary.csv"));
    for (const file of ["report.html", "summary.tex"]) {
      const content = await contentOf("gathered", file);
      expect(content, file).toContain("drawn boxes");
      expect(content, file).not.toMatch(/Data: boxes|class="label">boxes/);
    }
  });
});

describe("changed files", () => {
  /** A copy of data and experiment, and a run on them that gives its figures of a case. */
  async function edited(name: string) {
    const cwd = await place(name);
    await cp(join(folder, "whole/experiment"), join(cwd, "experiment"), { recursive: true });
    await cp(join(folder, "boxes"), join(cwd, "boxes"), { recursive: true });
    const tokens = command.map((token) => (token === "../boxes" ? "boxes" : token));
    const label = (subset: string, id: string) => join(cwd, `boxes/labels${subset}/${id}.nii.gz`);
    return { cwd, tokens, label };
  }

  test("a new time of change alone changes nothing", async () => {
    const { cwd, tokens } = await edited("touched");
    const { code, stderr } = await session.runIn(cwd, tokens);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toMatch(/changed|train |survey/);
    for (const file of tables) expect(await contentOf("touched", file)).toBe(await contentOf("whole", file));
  });

  test("a test case is predicted and measured again, and the fingerprint made again", async () => {
    const { cwd, tokens, label } = await edited("changed-test");
    await cp(label("Ts", "box_6"), label("Ts", "box_5"));
    const { code, stderr } = await session.runIn(cwd, tokens);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/box_5 \(label\) changed since the experiment was last run/);
    expect(stderr).not.toContain("train ");
    const rows = async (name: string, id: string) =>
      JSON.parse(await contentOf(name, "cases.json")).filter((row: { case: string }) => row.case === id);
    expect(await rows("changed-test", "box_5")).not.toEqual(await rows("whole", "box_5"));
    expect(await rows("changed-test", "box_6")).toEqual(await rows("whole", "box_6"));
    expect(await contentOf("changed-test", "fingerprint.json")).not.toBe(
      await contentOf("whole", "fingerprint.json"),
    );
  });

  test("a trained case is refused by name, and trained again with --force", async () => {
    const { cwd, tokens, label } = await edited("changed-training");
    await cp(label("Tr", "box_1"), label("Tr", "box_0"));
    for (const more of [[], ["--collect"]]) {
      const refused = await session.runIn(cwd, [...tokens, ...more]);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(/fold_\d was trained on other content of box_0 \(label\)/);
    }
    const model = (fold: number) => readFile(join(cwd, `experiment/fold_${fold}/model.safetensors`));
    const splits: { train: string[] }[] = JSON.parse(await contentOf("whole", "splits_final.json"));
    const stale = splits.findIndex(({ train }) => train.includes("box_0"));
    const before = [await model(0), await model(1)];
    const { code, stderr } = await session.runIn(cwd, [...tokens, "--force"]);
    expect(code, stderr).toBe(0);
    expect((await model(stale)).equals(before[stale])).toBe(false);
    expect((await model(1 - stale)).equals(before[1 - stale])).toBe(true);
    expect(await contentOf("changed-training", "cases.csv")).not.toBe(await contentOf("whole", "cases.csv"));
  });

  test("two on one fold: the second is told who trains it; the other fold goes on beside it", async () => {
    const cwd = await place("two");
    let second: Promise<Ended> | null = null;
    let beside: Promise<Ended> | null = null;
    const long = [...command.map((token) => (token === "12" ? "100" : token))];
    await lnsnetIn(cwd, [...long, "--fold", "0"], (stderr, interrupt) => {
      if (!stderr.includes("train 1/") || second !== null) return;
      second = lnsnetIn(cwd, [...long, "--fold", "0"]);
      beside = lnsnetIn(cwd, [...long, "--fold", "1"], (text, stop) => {
        if (text.includes("train 1/")) stop();
      });
      Promise.all([second, beside]).finally(interrupt);
    });
    const [refused, other] = await Promise.all([second, beside]);
    expect((refused as Ended | null)?.code).toBe(2);
    expect((refused as Ended | null)?.stderr).toMatch(
      /fold_0 is being written to by lnsnet crossvalidate, process \d+ on /,
    );
    expect((other as Ended | null)?.code).toBe(130);
  });
});

describe("what cannot be used ends with code 2 and one sentence", () => {
  /** A copy of the experiment that was never stopped, to spoil. */
  async function copied(name: string): Promise<string> {
    const cwd = await place(name);
    await cp(join(folder, "whole/experiment"), join(cwd, "experiment"), { recursive: true });
    return join(cwd, "experiment");
  }
  const rows: [string, (name: string) => Promise<string[]>, RegExp][] = [
    [
      "fewer patients than folds",
      async () => [...command, "--folds", "6"],
      /has 5 patients, and 6 folds need one each/,
    ],
    [
      "folds that name a case that is not there",
      async (name) => {
        const splits = [
          { train: ["box_0"], val: ["box_1"] },
          { train: ["box_1"], val: ["box_9"] },
        ];
        await writeFile(join(await place(name), "folds.json"), JSON.stringify(splits));
        return [...command, "--splits", "folds.json"];
      },
      /Fold 1 of folds\.json names a case that the data set does not have, such as box_9/,
    ],
    [
      "a patient of the test set among the trained ones",
      async () => [...command, "--patient-pattern", "^box"],
      /has box_4 to train on and box_5 to test on, which are of one patient/,
    ],
    [
      "other options than the experiment began with",
      async (name) => {
        await copied(name);
        return [...command, "--steps", "13"];
      },
      /configuration\.json is of an experiment with another training steps \(12, not 13\)/,
    ],
    [
      "a state that is cut short",
      async (name) => {
        const experiment = await copied(name);
        await rm(join(experiment, "fold_1/fold.json"));
        await truncate(join(experiment, "fold_1/state.safetensors"), 5000);
        return command;
      },
      /fold_1\/state\.safetensors/,
    ],
    [
      "a model that is cut short",
      async (name) => {
        await truncate(join(await copied(name), "fold_1/model.safetensors"), 5000);
        return command;
      },
      /fold_1\/model\.safetensors is damaged/,
    ],
  ];
  test.each(rows)("%s", async (name, prepare, message) => {
    const tokens = await prepare(name);
    const { code, stdout, stderr } = await session.runIn(await place(name), tokens);
    const sentences = stderr.split("\n").filter((line) => line.startsWith("lnsnet: "));
    expect(sentences.join("\n")).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    const written = await readdir(join(folder, name));
    expect(written.includes("experiment")).toBe(/experiment|cut short/.test(name));
  });
});
