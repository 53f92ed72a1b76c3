// The command as a user runs it: the built code, in a process of its own where starting and stopping are tested.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNifti, writeNifti } from "@lnsnet/core/formats";
import { sameGeometry, type Volume } from "@lnsnet/core/volume";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bin, type LnsnetSession, lnsnetIn, lnsnetSession, run } from "./command.test-helper.js";

const lnsnet = (tokens: readonly string[]) => session.run(...tokens);

const geometry = {
  size: [6, 5, 4],
  spacingMm: [1, 1, 2],
  originMm: [-3, 4, 5],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;

/** A mask whose foreground is the box of 2 × 2 × 2 voxels from voxel (i, 1, 1). */
function box(i: number): Volume<Uint8Array> {
  const data = new Uint8Array(120);
  for (const k of [1, 2]) for (const j of [1, 2]) data.fill(1, i + 6 * (j + 5 * k), i + 2 + 6 * (j + 5 * k));
  return { ...geometry, data };
}

let folder = "";
let session: LnsnetSession;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-main-"));
  session = lnsnetSession(folder);
  for (const name of ["truth", "same", "fewer", "more", "empty"]) await mkdir(join(folder, name));
  const write = (name: string, volume: Volume) => writeFile(join(folder, name), writeNifti(volume));
  await write("truth/a.nii.gz", box(1));
  await write("truth/b.nii.gz", box(1));
  await write("same/a.nii.gz", box(1));
  await write("same/b.nii.gz", box(2));
  await write("fewer/a.nii.gz", box(1));
  for (const name of ["a", "b", "c"]) await write(`more/${name}.nii.gz`, box(1));
  await write("nothing.nii.gz", { ...geometry, data: new Uint8Array(120) });
  await write("moved.nii.gz", { ...box(1), originMm: [0, 0, 0] });
  await write("nan.nii.gz", { ...geometry, data: new Float32Array(120).fill(Number.NaN) });
  const values = (data: Volume["data"]): Volume => ({ ...geometry, data });
  const half = box(1);
  await write(
    "probability.nii.gz",
    values(Float32Array.from(half.data, (value, n) => (value === 1 ? 0.9 : (n % 5) / 20))),
  );
  await write("almost.nii.gz", values(Float32Array.from(half.data, (value) => value * 0.99999988)));
  await write(
    "ct.nii.gz",
    values(Int16Array.from(half.data, (_, n) => (n % 3 === 0 ? -1000 : (n % 200) - 120))),
  );
  await write("two.nii.gz", values(half.data.map((value) => value * 2)));
  await write("ignored.nii.gz", values(half.data.map((value, n) => (n < 6 ? 255 : value))));
  // The box in two classes, and a second component of the first class.
  await write("classes.nii.gz", values(half.data.map((value, n) => (n === 119 ? 1 : value * (1 + (n % 2))))));
  await mkdir(join(folder, "instancesTr"));
  await write(
    "instancesTr/classes.nii.gz",
    values(half.data.map((value, n) => (n === 119 ? 1 : value * (1 + (n % 2))))),
  );
  await writeFile(join(folder, "text.nii.gz"), "not an image");
  const whole = await readFile(join(folder, "truth/a.nii.gz"));
  await writeFile(join(folder, "cut.nii.gz"), whole.subarray(0, whole.length - 20));
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

describe("help", () => {
  test.each([[[]], [["--help"]], [["-h"]]])("lnsnet %j lists the commands", async (tokens) => {
    const { code, stdout } = await lnsnet(tokens);
    expect(code).toBe(0);
    for (const name of ["phantom", "implant", "train", "predict", "evaluate", "profile", "export", "demo"])
      expect(stdout).toContain(`  ${name} `);
    expect(stdout).toContain("Research use only");
  });

  test.each(["phantom", "evaluate"])("lnsnet %s --help lists its options", async (name) => {
    const { code, stdout } = await lnsnet([name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`lnsnet ${name}`);
    expect(stdout).toContain("--json");
    expect(stdout).toContain("Research use only");
    expect(stdout).not.toContain("\u001b");
    expect((await lnsnet(["help", name])).stdout).toBe(stdout);
  });

  test.each(["--version", "-V", "-v"])("%s prints the package's version", async (option) => {
    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
    expect(await lnsnetIn(folder, [option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("lnsnet evaluate", () => {
  test("prints the metrics of two folders as JSON, null where none exists", async () => {
    const { code, stdout } = await lnsnet(["evaluate", "truth", "same", "--json"]);
    expect(code).toBe(0);
    const { surface, cases, mean, sd, nulls } = JSON.parse(stdout);
    expect(surface).toBe("monai");
    expect(cases[0]).toEqual({
      case: "a",
      dsc: 1,
      iou: 1,
      asd_mm: 0,
      asd_truth_to_prediction_mm: 0,
      asd_prediction_to_truth_mm: 0,
      hd95_mm: 0,
      hd_mm: 0,
      nsd_1mm: 1,
      nsd_2mm: 1,
      volume_truth_ml: 0.016,
      volume_prediction_ml: 0.016,
      volume_difference_ml: 0,
    });
    // Half of each box of 8 voxels lies in the other; one box is moved by 1 mm.
    expect(cases[1]).toMatchObject({ case: "b", dsc: 0.5, iou: 4 / 12, hd_mm: 1 });
    expect(mean.dsc).toBe(0.75);
    expect(sd.dsc).toBeCloseTo(Math.SQRT1_2 / 2, 9);
    expect(nulls.hd95_mm).toBe(0);
  });

  test("an empty prediction has no distance: null in JSON, a note in the table", async () => {
    const { stdout } = await lnsnet(["evaluate", "truth/a.nii.gz", "nothing.nii.gz", "--json"]);
    const { cases, mean, nulls } = JSON.parse(stdout);
    expect(cases[0]).toMatchObject({ case: "a", dsc: 0, hd95_mm: null, asd_mm: null, nsd_1mm: 0 });
    expect(mean.hd95_mm).toBeNull();
    expect(nulls).toMatchObject({ dsc: 0, hd95_mm: 1, asd_mm: 1, nsd_1mm: 0 });
    const table = await lnsnet(["evaluate", "truth/a.nii.gz", "nothing.nii.gz"]);
    expect(table.stdout).toContain("1 of 1 case has an empty mask");
    expect(table.stdout).not.toContain("NaN");
  });

  test("--surface takes another's definitions", async () => {
    const asdOf = async (surface: string) =>
      JSON.parse((await lnsnet(["evaluate", "truth", "same", "--surface", surface, "--json"])).stdout).mean
        .asd_mm;
    expect(await asdOf("medpy")).toBe(await asdOf("monai"));
    expect(await asdOf("deepmind")).toBeLessThan(await asdOf("monai"));
  });

  test("--nodes tells which nodes were found", async () => {
    const { stdout } = await lnsnet(["evaluate", "truth", "same", "--nodes", "--json"]);
    const { nodes, false_positives, detection } = JSON.parse(stdout);
    expect(nodes).toHaveLength(2);
    expect(nodes[0]).toMatchObject({
      case: "a",
      id: 1,
      hit: true,
      prediction_id: 1,
      dsc: 1,
      short_axis_error_mm: 0,
    });
    // Its IoU is 1/3.
    expect(nodes[1]).toMatchObject({ case: "b", hit: true, dsc: 0.5 });
    expect(false_positives).toEqual([]);
    expect(detection).toMatchObject({
      volumes: 2,
      true_nodes: 2,
      hits: 2,
      sensitivity: 1,
      ppv: 1,
      f1_aggregated: 1,
    });
    expect(detection.by_short_axis[0]).toEqual({
      from_mm: 0,
      to_mm: 5,
      true_nodes: 2,
      hits: 2,
      sensitivity: 1,
    });
    const text = (await lnsnet(["evaluate", "truth/a.nii.gz", "nothing.nii.gz", "--nodes"])).stdout;
    expect(text).toContain("sensitivity 0.0 % (0 of 1 nodes) · PPV – · false positives 0.00 a volume");
  });

  const dscOf = async (...tokens: string[]) => {
    const { code, stdout, stderr } = await lnsnet(["evaluate", "truth/a.nii.gz", ...tokens, "--json"]);
    expect(code, stderr).toBe(0);
    return { dsc: JSON.parse(stdout).cases[0].dsc, stderr };
  };

  test.each([
    ["labels of 0.99999988", ["almost.nii.gz"]],
    ["a probability map from a threshold on", ["probability.nii.gz", "--threshold", "0.5"]],
    ["another value than the truth's", ["two.nii.gz", "--truth-label", "1", "--prediction-label", "2"]],
    ["one option for both, and another for one", ["two.nii.gz", "--label", "1", "--prediction-label", "2"]],
  ])("takes %s", async (_, tokens) => {
    expect(await dscOf(...tokens)).toEqual({ dsc: 1, stderr: "" });
  });

  test("a label that no file of two folders holds is an error, not a perfect score", async () => {
    const { code, stdout, stderr } = await lnsnet(["evaluate", "truth", "same", "--label", "7", "--json"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/\nlnsnet: No file holds the requested label: 7 in the truth/);
  });

  test("says where a side holds the label nowhere, and where values count as one", async () => {
    const missing = await dscOf("two.nii.gz", "--label", "1");
    expect(missing.dsc).toBe(0);
    expect(missing.stderr).toBe(
      "lnsnet: No prediction holds the value 1: every mask of it is empty. It holds the value 2.\n",
    );
    const merged = await dscOf("classes.nii.gz");
    expect(merged.stderr).toMatch(
      /The prediction holds the values 1, 2, which count as one foreground; --prediction-label/,
    );
  });

  test("a node is a component of one class; in the folder of instances it is a value", async () => {
    const nodesOf = async (path: string, ...more: string[]) => {
      const { stdout, stderr } = await lnsnet(["evaluate", path, path, "--nodes", "--json", ...more]);
      expect(stdout, stderr).not.toBe("");
      return JSON.parse(stdout).detection.true_nodes;
    };
    // Two classes that touch, and a speck of one of them.
    expect(await nodesOf("classes.nii.gz")).toBe(3);
    expect(await nodesOf("classes.nii.gz", "--split", "labels")).toBe(2);
    expect(await nodesOf("classes.nii.gz", "--label", "1")).toBe(2);
    expect(await nodesOf("instancesTr/classes.nii.gz")).toBe(2);
  });

  test("writes a row for each scan as CSV, over no file that stands there", async () => {
    const tokens = ["evaluate", "truth", "same", "--csv", "figures.csv"];
    expect((await lnsnet(tokens)).code).toBe(0);
    const rows = (await readFile(join(folder, "figures.csv"), "utf8")).trim().split("\n");
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatch(/^case,dsc,iou,asd_mm,/);
    expect(rows[1]).toMatch(/^a,1,1,0,/);
    const again = await lnsnet(tokens);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/figures\.csv exists already/);
    expect((await lnsnet([...tokens, "--force"])).code).toBe(0);
    const over = await lnsnet(["evaluate", "truth", "same", "--csv", "truth/a.nii.gz", "--force"]);
    expect(over.stderr).toMatch(/is an input of this command/);
  });

  test("prints a table with mean and SD", async () => {
    const { code, stdout } = await lnsnet(["evaluate", "truth", "same"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/mean +0\.750/);
    expect(stdout).toMatch(/± SD +0\.354/);
  });
});

describe("what cannot be used ends with code 2 and one line", () => {
  test.each([
    [["fly"], /no command "fly"; the commands are/],
    [["trian"], /did you mean train\?/],
    [["dataset", "chek"], /did you mean dataset check\?/],
    [["help", "trian"], /did you mean train\?/],
    [["--fly"], /no option "--fly"/],
    [["evaluate"], /needs TRUTH/],
    [["evaluate", "truth"], /needs PREDICTION/],
    [["evaluate", "truth", "same", "third"], /given "third"/],
    [["evaluate", "truth", "same", "--jsn"], /did you mean --json\?/],
    [["evaluate", "truth", "same", "--label", "x"], /--label is "x"/],
    [["evaluate", "truth", "same", "--surface", "mine"], /--surface.*monai/],
    [["evaluate", "none.nii.gz", "truth/a.nii.gz"], /none\.nii\.gz does not exist/],
    [["evaluate", "truth/a.nii.gz", "truth"], /two files or two folders/],
    [["evaluate", "truth", "empty"], /no mask for 2 of the 2 cases of truth: a, b/],
    [["evaluate", "empty", "truth"], /empty holds no mask/],
    [["evaluate", "truth", "fewer"], /no mask for 1 of the 2 cases of truth: b/],
    [["evaluate", "truth", "more"], /no mask for 1 of the 3 cases of more: c/],
    [["evaluate", "truth/a.nii.gz", "moved.nii.gz"], /geometry/],
    [["evaluate", "truth/a.nii.gz", "text.nii.gz"], /text\.nii\.gz/],
    [["evaluate", "truth/a.nii.gz", "cut.nii.gz"], /cut\.nii\.gz/],
    [["evaluate", "truth/a.nii.gz", "nan.nii.gz"], /nan\.nii\.gz.*NaN/],
    [
      ["evaluate", "truth/a.nii.gz", "truth/a.nii.gz", "--label", "7"],
      /No file holds the requested label.*7 in the truth, which holds the value 1/,
    ],
    [
      ["evaluate", "truth/a.nii.gz", "same/a.nii.gz", "--truth-label", "3", "--prediction-label", "2"],
      /3 in the truth.*2 in the prediction/,
    ],
    [
      ["evaluate", "truth/a.nii.gz", "probability.nii.gz"],
      /as a probability map does.*give --threshold 0\.5/,
    ],
    [["evaluate", "truth/a.nii.gz", "probability.nii.gz", "--nodes"], /as a probability map does/],
    [
      ["evaluate", "probability.nii.gz", "truth/a.nii.gz"],
      /as a probability map does.*name a file of labels/,
    ],
    [
      ["evaluate", "truth/a.nii.gz", "two.nii.gz", "--threshold", "0.5"],
      /holds the value 2, and --threshold is for prob/,
    ],
    [["evaluate", "truth/a.nii.gz", "ct.nii.gz"], /ct\.nii\.gz holds the value -1000, as a CT does/],
    [
      ["evaluate", "ignored.nii.gz", "truth/a.nii.gz"],
      /holds 255 beside 1, as files do that mark voxels nobody judged/,
    ],
    [
      ["evaluate", "truth", "same", "--threshold", "0.5", "--prediction-label", "1"],
      /leave --prediction-label out/,
    ],
    [["phantom"], /needs --output/],
    [["phantom", "--output", "truth"], /truth is not empty/],
    [["phantom", "--output", "text.nii.gz"], /text\.nii\.gz is a file/],
    [["phantom", "--output", "new", "--training", "-1"], /--training is "-1"/],
    [["phantom", "--output", "new", "--variety", "much"], /cannot be "much"; give one of typical, wide/],
    [["implant", "missing", "--output", "new"], /missing/],
    [["implant", "truth", "--output", "new", "--repeats", "0"], /--repeats is "0"/],
    [["phantom", "--output", "new", "--training", "0", "--test", "0"], /both 0/],
  ])("lnsnet %j", async (tokens, message) => {
    const { code, stdout, stderr } = await lnsnet(tokens);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^lnsnet: [^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(await readdir(folder)).not.toContain("new");
  });
});

describe("lnsnet phantom", () => {
  test("writes a data set, goes on with it, and replaces it only when forced", async () => {
    const tokens = [
      "phantom",
      "--output",
      "cohort",
      "--training",
      "1",
      "--test",
      "0",
      "--seed",
      "5",
      "--json",
    ];
    const made = await lnsnet(tokens);
    expect(made.code, made.stderr).toBe(0);
    expect(JSON.parse(made.stdout)).toMatchObject({ output: "cohort", seed: 5, training: 1, test: 0 });
    const root = join(folder, "cohort");
    const names = ["cohort.json", "dataset.json", "imagesTr", "instancesTr", "labelsTr", "nodes.csv"];
    expect((await readdir(root)).sort()).toEqual(names);
    const read = async (name: string) => readNifti(await readFile(join(root, name)), name);
    const image = await read("imagesTr/phantom_001_0000.nii.gz");
    const label = await read("labelsTr/phantom_001.nii.gz");
    const instances = await read("instancesTr/phantom_001.nii.gz");
    expect(sameGeometry(image, label)).toBe(true);
    expect(label.data.every((value, n) => value === (instances.data[n] === 0 ? 0 : 1))).toBe(true);
    const rows = (await readFile(join(root, "nodes.csv"), "utf8")).trim().split("\n").slice(1);
    expect(rows.filter((row) => row.startsWith("phantom_001,")).length).toBe(
      new Set(instances.data).size - 1,
    );
    expect(await readdir(join(root, "imagesTr"))).toEqual(["phantom_001_0000.nii.gz"]);

    await writeFile(join(root, "notes.txt"), "mine");
    const again = await lnsnet(tokens);
    expect(JSON.parse(again.stdout)).toMatchObject({ kept: 1 });
    const before = await readFile(join(root, "imagesTr/phantom_001_0000.nii.gz"));
    const other = tokens.with(tokens.indexOf("--training") + 1, "0").with(tokens.indexOf("--test") + 1, "1");
    const refused = await lnsnet(other);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /holds a cohort by "lnsnet phantom --seed 5 --training 1 --test 0", and "lnsnet phantom --seed 5 --training 0 --test 1" was requested/,
    );
    expect((await lnsnet([...other, "--force"])).code).toBe(0);
    // The same seed and number give the same patient, now one to test on; what is not ours stays.
    expect(await readFile(join(root, "imagesTs/phantom_001_0000.nii.gz"))).toEqual(before);
    expect((await readdir(root)).sort()).toEqual(
      [...names.map((name) => name.replace("Tr", "Ts")), "notes.txt"].sort(),
    );
  });

  test("Ctrl-C before the first patient is whole ends with code 130 and leaves nothing", async () => {
    let sent = false;
    const { code } = await lnsnetIn(folder, ["phantom", "--output", "stopped"], (stderr, interrupt) => {
      if (sent || !stderr.includes("phantom 0/30")) return;
      sent = true;
      interrupt();
    });
    expect(sent).toBe(true);
    expect(code).toBe(130);
    expect(await readdir(folder)).not.toContain("stopped");
  });

  test.runIf(process.platform === "linux")("a full disk ends with code 2 and leaves nothing", async () => {
    // A limit on the size of files stands for it: the same path through the code, and no need for a disk.
    const command = `ulimit -f 8; exec "${process.execPath}" "${bin}" phantom --output full --training 1 --test 0`;
    const { code, stderr } = await run(folder, "bash", ["-c", command]);
    expect(stderr).toMatch(/cannot be written, since the disk or quota is full/);
    expect(code).toBe(2);
    expect(await readdir(folder)).not.toContain("full");
  });
});
