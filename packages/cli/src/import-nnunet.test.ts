// lnsnet import nnunet, and predict and export with what it writes.
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors } from "@lnsnet/core/formats";
import { readScan } from "@lnsnet/node/files";
import { unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/nnunet/${name}`, import.meta.url));

let folder: string;
let lnsnet: LnsnetSession;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-nnunet-"));
  lnsnet = lnsnetSession(folder);
});
afterAll(async () => {
  lnsnet.end();
  await rm(folder, { recursive: true });
});

describe("two folds of a plain network", () => {
  test("are imported as an ensemble", async () => {
    const { code, stdout, stderr } = await lnsnet.run(
      "import",
      "nnunet",
      fixture("plain"),
      "--output",
      "plain",
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^plain: 2 folds of nnU-Net \(plain\), 0\.01 million parameters each/);
    expect(stdout).toContain("It finds: node, gland, vessel.");
    expect((await readdir(join(folder, "plain"))).sort()).toEqual(["fold_0", "fold_1"]);
  });

  test("segment a scan as PyTorch's probabilities say", async () => {
    const scan = fixture("plain/scan_0000.nii.gz");
    const { code, stderr } = await lnsnet.run(
      ...["predict", scan, "--model", "plain", "--output", "masks", "--no-pictures"],
    );
    expect(code, stderr).toBe(0);
    const { data } = await readScan(join(folder, "masks", "scan.nii.gz"));
    const expected = readSafetensors(
      await readFile(fixture("plain/expected.safetensors")),
      "expected",
    ).tensors.get("probabilities")?.data as Float32Array;
    const voxels = data.length;
    let different = 0;
    for (let n = 0; n < voxels; n++) {
      const [node, gland, vessel] = [0, 1, 2].map((at) => expected[at * voxels + n]);
      const all = [1 - node - gland - vessel, node, gland, vessel];
      if (data[n] !== all.indexOf(Math.max(...all))) different++;
    }
    expect(different).toBe(0);
  });

  test("are exported, with nnU-Net's preparation in the recipe", async () => {
    const model = join("plain", "fold_0", "model.safetensors");
    const { code, stderr } = await lnsnet.run("export", "--model", model, "--output", "plain.onnx");
    expect(code, stderr).toBe(0);
    const recipe = JSON.parse(await readFile(join(folder, "plain.json"), "utf8"));
    expect(recipe.preparation).toMatchObject({
      by: "nnU-Net v2, DefaultPreprocessor",
      transpose_forward: [0, 1, 2],
      spacing_mm: [3.5, 1.2, 1.2],
      normalization_per_channel: [
        { scheme: "ct", lowest: -310, highest: 420, mean: 63.5, deviation: 151.25 },
      ],
    });
    expect(recipe.patches).toMatchObject({ mirrored_axes: [0, 1, 2], step_size: 0.5 });
    expect(recipe.output).toMatchObject({ activation: "softmax", shape: [1, 4, 8, 16, 16] });
  });

  test("are not replaced without --force", async () => {
    const again = ["import", "nnunet", fixture("plain"), "--output", "plain"];
    expect(await lnsnet.run(...again)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/exists already/),
    });
    expect(await lnsnet.run(...again, "--force")).toMatchObject({ code: 0 });
  });
});

test("one fold is one file; without mirroring", async () => {
  const { code, stdout } = await lnsnet.run(
    ...[
      "import",
      "nnunet",
      fixture("plain"),
      "--output",
      "single",
      "--fold",
      "1",
      "--no-mirroring",
      "--json",
    ],
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    models: [{ fold: "1", path: join("single", "model.safetensors") }],
    plan: { nnunet: { mirroredAxes: [] } },
  });
});

test("clicks and mirroring are refused", async () => {
  const predict = ["predict", fixture("plain/scan_0000.nii.gz"), "--model", "single", "--output", "clicked"];
  expect(await lnsnet.run(...predict, "--at-voxel", "5,5,5")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/segments whole scans alone/),
  });
  expect(await lnsnet.run(...predict, "--mirrored")).toMatchObject({ code: 2 });
});

describe("refuses, and writes nothing", () => {
  /** The plain folder with a pickle that would make a file, in the weights or beside them. */
  async function maliciousFolder(name: string): Promise<string> {
    const copy = join(folder, name);
    await cp(fixture("plain"), copy, { recursive: true });
    const path = join(copy, "fold_1", "checkpoint_final.pth");
    const files = unzipSync(await readFile(path));
    const entry = Object.keys(files).find((file) => file.endsWith("/data.pkl")) ?? "";
    const command = `touch ${join(folder, "owned")}`;
    const attack = Buffer.concat([
      Buffer.from("\x80\x02cposix\nsystem\nX", "latin1"),
      Buffer.from(Uint32Array.of(command.length).buffer),
      // Behind it the real object: what the call gave is dropped.
      Buffer.from(`${command}\x85R0`, "latin1"),
      files[entry].subarray(2),
    ]);
    await writeFile(path, zipSync({ ...files, [entry]: attack }, { level: 0 }));
    return copy;
  }

  test("a malicious checkpoint", async () => {
    const source = await maliciousFolder("malicious");
    const { code, stderr } = await lnsnet.run("import", "nnunet", source, "--output", "never");
    expect(code).toBe(2);
    expect(stderr).toMatch(/checkpoint_final\.pth asks Python for "posix\.system"/);
    expect(await stat(join(folder, "owned")).catch(() => null)).toBeNull();
    expect(await stat(join(folder, "never")).catch(() => null)).toBeNull();
  });

  test.each([
    { given: [fixture("")], message: /holds no plans\.json/ },
    { given: [fixture("plain"), "--fold", "7"], message: /fold_7 holds no checkpoint_final\.pth/ },
    { given: [fixture("plain"), "--fold", "../0"], message: /no number and not "all"/ },
    {
      given: [fixture("plain"), "--checkpoint", "checkpoint_best.pth"],
      message: /no fold with checkpoint_best/,
    },
    { given: ["nowhere"], message: /nowhere/ },
  ])("$given", async ({ given, message }) => {
    const { code, stderr } = await lnsnet.run("import", "nnunet", ...given, "--output", "never");
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(await stat(join(folder, "never")).catch(() => null)).toBeNull();
  });
});
