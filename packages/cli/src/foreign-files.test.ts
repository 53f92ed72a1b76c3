// Files, folders and links of somebody else, under every name that a command writes: each is refused and nothing is touched.
import { createHash } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { cacheNames } from "@lnsnet/node/datasets";
import { experimentNames } from "@lnsnet/node/experiments";
import { whileWriting } from "@lnsnet/node/files";
import { trainingFiles } from "@lnsnet/node/training";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boxPatient, writeBoxes } from "../../node/src/boxes.test-helper.js";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

let root = "";
let session: LnsnetSession;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "lnsnet-foreign-"));
  await writeBoxes(join(root, "boxes"), [0, 1, 2, 3].map(boxPatient), [boxPatient(4)]);
  await writeFile(join(root, "scan.nii.gz"), writeNifti(boxPatient(5).image));
  session = lnsnetSession(root);
});
afterAll(async () => {
  session.end();
  await rm(root, { recursive: true });
});

const network = ["--network", "lnsnet-small", "--patch", "16,16,16", "--spacing", "1,1,1.5"];
const train = ["train", "boxes", ...network, "--steps", "1", "--validate-every", "0"];
const caseFolders = ["imagesTr", "labelsTr", "instancesTr", "imagesTs", "labelsTs", "instancesTs"];
const cohort = ["dataset.json", "nodes.csv", ...caseFolders];
const phantom = ["phantom", "--training", "1", "--test", "1"];

/** Commands that write to a folder, with all names at its top. */
const folderCommands: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["train", train, Object.values(trainingFiles(""))],
  ["train --force", [...train, "--force"], Object.values(trainingFiles(""))],
  ["train --resume", [...train, "--resume"], Object.values(trainingFiles(""))],
  [
    "crossvalidate",
    ["crossvalidate", "boxes", "--folds", "2", ...network, "--steps", "1", "--validate-every", "0"],
    experimentNames(2),
  ],
  [
    "preprocess",
    ["preprocess", "boxes", "--spacing", "1,1,1.5"],
    cacheNames(["box_0", "box_1", "box_2", "box_3"]),
  ],
  ["phantom", phantom, ["cohort.json", ...cohort]],
  ["phantom --force", [...phantom, "--force"], ["cohort.json", ...cohort]],
  ["implant", ["implant", "boxes"], ["cohort.json", ...cohort]],
  ["dataset import", ["dataset", "import", "boxes"], ["import.json", ".import-salt", ...cohort]],
  [
    "predict",
    ["predict", "scan.nii.gz"],
    ["scan.json", "scan.nii.gz", "scan.nodes.nii.gz", "scan.csv", "scan.png"],
  ],
  [
    "demo",
    ["demo", "--training", "3", "--test", "1", "--steps", "1"],
    ["demo.json", "report.html", "dataset", "training", "predictions"],
  ],
];

/** Ways in which a name can be taken; "{}" is what many records of ours would be, were it empty. */
const kinds: readonly (readonly [string, (path: string, elsewhere: string) => Promise<void>])[] = [
  ["a file", (path) => writeFile(path, "{}")],
  ["a link to a file", (path, elsewhere) => symlink(join(elsewhere, "file"), path)],
  ["a link to a folder", (path, elsewhere) => symlink(join(elsewhere, "folder"), path)],
  ["a link that leads nowhere", (path, elsewhere) => symlink(join(elsewhere, "nothing"), path)],
  [
    "a folder",
    async (path) => {
      await mkdir(path);
      await writeFile(join(path, "mine"), "mine");
    },
  ],
];

/** A new folder, and one elsewhere that links lead to. */
async function place(): Promise<{ output: string; elsewhere: string; whole: string }> {
  const whole = await mkdtemp(join(root, "place-"));
  const [output, elsewhere] = [join(whole, "output"), join(whole, "elsewhere")];
  await mkdir(join(elsewhere, "folder"), { recursive: true });
  await mkdir(output);
  for (const name of ["file", "folder/file"]) await writeFile(join(elsewhere, name), "mine");
  return { output, elsewhere, whole };
}

/** Every entry below a folder: what it is, and what it holds. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const content: Record<string, string> = {};
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name);
    const entry = await lstat(path);
    if (entry.isSymbolicLink()) content[name] = `link ${await readlink(path)}`;
    else if (entry.isDirectory()) content[name] = "folder";
    else
      content[name] = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
  }
  return content;
}

describe.each(folderCommands)("lnsnet %s", (_, tokens, names) => {
  test.each(kinds)("touches nothing where every name is %s", async (_, make) => {
    const { output, elsewhere, whole } = await place();
    for (const name of names) await make(join(output, name), elsewhere);
    const before = await contentOf(whole);
    const { code, stderr } = await session.run(...tokens, "--output", output);
    expect(stderr).toMatch(/lnsnet: [^\n]*; [^\n]*\.\n$/);
    expect(code).toBe(2);
    expect(await contentOf(whole)).toEqual(before);
  });

  test("touches nothing where one of the names is taken, and tells it", async () => {
    for (const [index, name] of names.entries()) {
      const { output, elsewhere, whole } = await place();
      await kinds[index % kinds.length][1](join(output, name), elsewhere);
      const before = await contentOf(whole);
      const { code, stderr } = await session.run(...tokens, "--output", output);
      if (!tokens.includes("--resume")) expect(stderr, name).toContain(name);
      expect(code, name).toBe(2);
      expect(await contentOf(whole), name).toEqual(before);
    }
  });

  // The parts of these have folders of their own; crossvalidate.test.ts has two on one fold.
  test.skipIf(["crossvalidate", "demo"].includes(tokens[0]))("is told who holds the folder", async () => {
    const { output, whole } = await place();
    await whileWriting(output, "lnsnet train", async () => {
      const before = await contentOf(whole);
      const { code, stderr } = await session.run(...tokens, "--output", output);
      expect(stderr).toContain(`is being written to by lnsnet train, process ${process.pid} on `);
      expect(code).toBe(2);
      expect(await contentOf(whole)).toEqual(before);
    });
  });
});

describe("a file that the user names", () => {
  const image = "boxes/imagesTr/box_0_0000.nii.gz";
  const label = "boxes/labelsTr/box_0.nii.gz";
  const rows: readonly (readonly [string, readonly string[], string, readonly string[]])[] = [
    ["convert", ["convert", image, "--output"], "out.nrrd", [image]],
    ["measure", ["measure", label, "--image", image, "--csv"], "nodes.csv", [label, image]],
    ["export", ["export", "--output"], "model.onnx", []],
    ["evaluate", ["evaluate", label, label, "--images", image, "--pictures"], "best.png", [label]],
    ["dataset fingerprint", ["dataset", "fingerprint", "boxes", "--output"], "fingerprint.html", []],
    [
      "dataset import --keep-mapping",
      ["dataset", "import", "boxes", "--output", "imported", "--keep-mapping"],
      "mapping.csv",
      [image, label],
    ],
  ];

  test.each(rows)(
    "by lnsnet %s is not replaced without --force, nor is an input with it",
    async (_, tokens, name, inputs) => {
      // For these the folder is named, and the file in it has its name.
      const namesFolder = ["best.png", "fingerprint.html"].includes(name);
      for (const [, make] of kinds.slice(0, 4)) {
        const { output, elsewhere, whole } = await place();
        await make(join(output, name), elsewhere);
        const before = await contentOf(whole);
        const { code, stderr } = await session.run(...tokens, namesFolder ? output : join(output, name));
        expect(stderr).toMatch(/^lnsnet: .*; [^\n]*\.\n$/);
        expect(code).toBe(2);
        expect(await contentOf(whole)).toEqual(before);
      }
      const data = await contentOf(join(root, "boxes"));
      for (const input of inputs) {
        const { output } = await place();
        // By a link, since the ending of an output is its format.
        await symlink(join(root, input), join(output, name));
        const { code, stderr } = await session.run(
          ...tokens,
          namesFolder ? output : join(output, name),
          "--force",
        );
        expect(stderr).toMatch(/is an input of this command/);
        expect(code).toBe(2);
      }
      expect(await contentOf(join(root, "boxes"))).toEqual(data);
    },
  );

  test.skipIf(process.platform === "win32")("may be a device, which stays one", async () => {
    const { code, stderr } = await session.run("measure", label, "--csv", "/dev/null");
    expect(code, stderr).toBe(0);
    expect((await lstat("/dev/null")).isCharacterDevice()).toBe(true);
    expect((await readdir(dirname("/dev/null"))).filter((name) => name.startsWith(".lnsnet"))).toEqual([]);
  });
});
