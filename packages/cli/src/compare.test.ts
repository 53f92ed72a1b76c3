// Comparisons as a user does them, at the smallest size: the built code in processes of its own, stopped, spread and gathered.
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { bin, type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

const withoutSpacing = [
  ...["--folds", "2", "--patch", "16,16,16", "--protocol", "node-level"],
  ...["--threads", "1", "--seed", "3"],
];
const settings = [...withoutSpacing, "--spacing", "1,1,1.5"];
const command = [
  ...["compare", "../boxes", "--output", "comparison", "--networks", "lnsnet-small,segresnet-16"],
  ...["--steps", "8", ...settings],
];

let folder = "";
let session: LnsnetSession;
/** Each comparison has a folder of its own to run in, so that all have the same command. */
async function place(name: string): Promise<string> {
  await mkdir(join(folder, name), { recursive: true });
  return join(folder, name);
}
const contentOf = (name: string, file: string) => readFile(join(folder, name, "comparison", file), "utf8");

type Row = Readonly<Record<string, string | number | null>>;

/** The table without times, which differ from run to run. */
async function tableOf(name: string): Promise<Row[]> {
  const rows: Row[] = JSON.parse(await contentOf(name, "comparison.json"));
  return rows.map(({ training_seconds, patch_seconds, ...row }) => {
    expect(Number(training_seconds)).toBeGreaterThan(0);
    expect(Number(patch_seconds)).toBeGreaterThan(0);
    return row;
  });
}

/** Runs until stderr says the text, and then sends the signal; the run must not end before. */
function stoppedAt(cwd: string, text: RegExp, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...command], { cwd });
    let stderr = "";
    let isStopped = false;
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      if (!isStopped && text.test(stderr)) isStopped = child.kill(signal);
    });
    child.on("close", () =>
      isStopped ? resolve() : reject(new Error(`never said ${text}, but:\n${stderr}`)),
    );
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-compare-"));
  session = lnsnetSession(folder);
  await writeBoxes(join(folder, "boxes"), [0, 1, 2, 3].map(boxPatient), [5].map(boxPatient));
  const { code, stderr } = await session.runIn(await place("whole"), command);
  expect(code, stderr).toBe(0);
});
afterAll(() => {
  session.end();
  return rm(folder, { recursive: true });
});

describe("lnsnet compare", () => {
  test("has a row for each network on the cross-validation and on the test set, with what it costs", async () => {
    const rows = await tableOf("whole");
    expect(rows.map(({ set, network }) => `${set} ${network}`)).toEqual([
      ...["cross-validation lnsnet-small", "cross-validation segresnet-16"],
      ...["test lnsnet-small", "test segresnet-16"],
    ]);
    const [lnsnet, segresnet] = rows;
    expect(lnsnet).toMatchObject({
      parameters: 159454,
      training_steps: 8,
      node_level_n: 4,
      node_level_p: null,
    });
    expect(segresnet).toMatchObject({ node_level_compared_patients: 4, whole_volume_n: null });
    // Of four patients no p is below 2/2^4.
    expect(Number(segresnet.node_level_p)).toBeGreaterThanOrEqual(0.125);
  });

  test("sums up what each network's own cross-validation says, on the same folds", async () => {
    const [lnsnet, segresnet] = await tableOf("whole");
    for (const [name, row] of [
      ["lnsnet-small", lnsnet],
      ["segresnet-16", segresnet],
    ] as const) {
      const nodes: Row[] = JSON.parse(await contentOf("whole", `${name}/nodes.json`));
      const dsc = nodes
        .filter(({ set }) => set === "cross-validation")
        .map(({ node_level_dsc }) => Number(node_level_dsc));
      expect(row.node_level_dsc_mean).toBeCloseTo(dsc.reduce((a, b) => a + b, 0) / 4, 12);
    }
    const splits = await Promise.all(
      ["lnsnet-small", "segresnet-16"].map((name) => contentOf("whole", `${name}/splits_final.json`)),
    );
    expect(splits[0]).toBe(splits[1]);
  });

  test("names the data on every table and picture, and has no picture of what was not measured", async () => {
    const report = await contentOf("whole", "report.html");
    const figures = report.match(/<figure/g)?.length ?? 0;
    expect(report.match(/<figcaption><span class="label">boxes<\/span>/g)).toHaveLength(figures - 2);
    expect(report).not.toMatch(/NaN|undefined|<script/);
    expect(report).toContain(command.join(" "));
    expect(await contentOf("whole", "comparison.md")).toContain("Data: boxes.");
    expect(await contentOf("whole", "accuracy-and-cost-node-level.svg")).toContain("Data: boxes.");
    const names = await readdir(join(folder, "whole/comparison"));
    expect(names.filter((name) => name.endsWith(".svg"))).toEqual(["accuracy-and-cost-node-level.svg"]);
  });

  test("stopped and killed, ends in the same table to the last bit", async () => {
    const cwd = await place("stopped");
    await stoppedAt(cwd, /train 1\/8/, "SIGTERM");
    await stoppedAt(cwd, /SegResNet.*, 2 of 2[\s\S]*train 1\/8/, "SIGKILL");
    const { code, stderr } = await session.runIn(cwd, command);
    expect(code, stderr).toBe(0);
    expect(await tableOf("stopped")).toEqual(await tableOf("whole"));
    for (const name of ["lnsnet-small", "segresnet-16"])
      expect(await contentOf("stopped", `${name}/summary.csv`)).toBe(
        await contentOf("whole", `${name}/summary.csv`),
      );
  });

  test("gathers a network trained elsewhere, and says which part of the other is missing", async () => {
    const cwd = await place("gathered");
    const part = await session.runIn(cwd, [...command, "--only", "segresnet-16", "--fold", "1"]);
    expect(part.code, part.stderr).toBe(0);
    expect(part.stdout).toContain("Fold 1 of segresnet-16 is trained");
    const early = await session.runIn(cwd, [...command, "--collect"]);
    expect(early.code).toBe(2);
    expect(early.stderr).toMatch(/comparison holds no network whose folds are all trained; 2 are missing/);

    await cp(join(folder, "whole/comparison/lnsnet-small"), join(cwd, "comparison/lnsnet-small"), {
      recursive: true,
    });
    const some = await session.runIn(cwd, [...command, "--collect"]);
    expect(some.code, some.stderr).toBe(0);
    expect(some.stderr).toContain("(segresnet-16) lacks fold 0, so it is not in the table.\n");
    expect(some.stderr).not.toContain("train ");
    expect((await tableOf("gathered")).map(({ network }) => network)).toEqual([
      "lnsnet-small",
      "lnsnet-small",
    ]);
    expect(await contentOf("gathered", "report.html")).toContain("lacks fold 0");

    await cp(
      join(folder, "whole/comparison/segresnet-16/fold_0"),
      join(cwd, "comparison/segresnet-16/fold_0"),
      {
        recursive: true,
      },
    );
    const all = await session.runIn(cwd, [...command, "--collect"]);
    expect(all.code, all.stderr).toBe(0);
    expect(await tableOf("gathered")).toEqual(await tableOf("whole"));
  });

  test("a changed label is refused by name, and the table stays", async () => {
    const cwd = await place("changed");
    await cp(join(folder, "boxes"), join(cwd, "boxes"), { recursive: true });
    await cp(join(folder, "whole/comparison"), join(cwd, "comparison"), { recursive: true });
    const label = (id: string) => join(cwd, `boxes/labelsTr/${id}.nii.gz`);
    await cp(label("box_1"), label("box_0"));
    const tokens = command.map((token) => (token === "../boxes" ? "boxes" : token));
    const { code, stderr } = await session.runIn(cwd, tokens);
    expect(code).toBe(2);
    expect(stderr).toMatch(/LNSNet .* is left out: .*was trained on other content of box_0 \(label\)/);
    expect(await tableOf("changed")).toEqual(await tableOf("whole"));
  });

  test.each([
    [["--networks", "lnsnet-small,unet4d"], /--networks names "unet4d", which is none of them/],
    [
      ["--networks", "lnsnet-small,swin-unetr-24"],
      /The patch is 16,16,16 voxels, and Swin UNETR needs multiples of 32 voxels \(swin-unetr-24\); give --patch 32,32,32,/,
    ],
    [["--steps", "9"], /configuration\.json is of an experiment with another training steps \(8, not 9\)/],
    [
      ["--only", "unet3d"],
      /--only names "unet3d", which is not compared here; give some of lnsnet-small, segresnet-16/,
    ],
    [["--fold", "0", "--collect"], /--fold and --only train a part and --collect trains nothing/],
  ])("%j is refused in one sentence, and changes nothing", async (more, message) => {
    const before = await contentOf("whole", "comparison.csv");
    const { code, stderr } = await session.runIn(join(folder, "whole"), [...command, ...more]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at |train 1/);
    expect(await contentOf("whole", "comparison.csv")).toBe(before);
  });
});

test("lnsnet ablate compares variants by their minutes, and prepares stations anew where there is a cache", async () => {
  const cwd = await place("ablated");
  await cp(join(folder, "boxes"), join(cwd, "boxes"), { recursive: true });
  await cp(join(cwd, "boxes/labelsTr"), join(cwd, "boxes/instancesTr"), { recursive: true });
  for (const number of [0, 1, 2, 3])
    await writeFile(
      join(cwd, `boxes/instancesTr/box_${number}.json`),
      JSON.stringify({ nodes: [{ node: 1, station: number % 2 === 0 ? "upper" : "lower" }] }),
    );
  const cached = ["preprocess", "boxes", "--output", "cache", "--spacing", "1,1,1.5"];
  expect((await session.runIn(cwd, cached)).code).toBe(0);
  const { code, stdout, stderr } = await session.runIn(cwd, [
    ...["ablate", "boxes", "--output", "comparison", "--network", "lnsnet-small", "--cache", "cache"],
    ...["--variants", "boundary-off,stations", "--minutes", "0.01", ...withoutSpacing],
  ]);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/\nlnsnet-small [\s\S]*\nno LBEM [\s\S]*\nwith stations, weight 0\.2 /);
  const rows = (await tableOf("ablated")).filter(({ set }) => set === "cross-validation");
  expect(rows.map(({ network }) => network)).toEqual(["lnsnet-small", "boundary-off", "stations"]);
  expect(Number(rows[0].parameters)).toBeGreaterThan(Number(rows[1].parameters));
  // What is saved is the same network.
  expect(rows[2].parameters).toBe(rows[0].parameters);
  const report = await contentOf("ablated", "report.html");
  expect(report).toContain("0.01 minutes");
  expect(report).toContain("similar figures, not the same");
});
