// Two channels and two classes as a user has them: a model made by hand predicts them, one that was trained through all
// commands, and what does not fit is refused by name.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNifti, readSeg, writeNifti } from "@lnsnet/core/formats";
import { writeModel } from "@lnsnet/core/models";
import { type Geometry, pointOfIndex, type Vector3, type Volume, voxelCount } from "@lnsnet/core/volume";
import ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { densityModel, regionsModel, twoClassModel } from "../../node/src/density-model.test-helper.js";
import { ctFiles } from "../../node/src/dicom.test-helper.js";
import { type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

let folder = "";
let session: LnsnetSession;
const inFolder = (...parts: string[]) => join(folder, ...parts);
const lnsnet = (...tokens: string[]) => session.run(...tokens);

const grid: Geometry = {
  size: [30, 26, 20],
  spacingMm: [2, 2, 2],
  originMm: [-30, 40, 100],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};
/** Each is seen in one channel alone. */
const balls = {
  GTVp: { centre: pointOfIndex(grid, [8, 12, 10]), radiusMm: 9 },
  GTVn: { centre: pointOfIndex(grid, [21, 13, 9]), radiusMm: 7 },
};
const isWithin = ({ centre, radiusMm }: (typeof balls)["GTVp"], point: Vector3) =>
  Math.hypot(...point.map((at, axis) => at - centre[axis])) <= radiusMm;
const filled = (valueAt: (point: Vector3, at: number) => number): Volume<Int16Array> => {
  const [nx, ny] = grid.size;
  const data = Int16Array.from({ length: voxelCount(grid) }, (_, at) =>
    valueAt(pointOfIndex(grid, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]), at),
  );
  return { ...grid, data };
};
const ct = filled(
  (point, at) => (isWithin(balls.GTVp, point) ? 200 : -20) + Math.round(20 * Math.sin(1.7 * at)),
);
const pet = filled(
  (point, at) => (isWithin(balls.GTVn, point) ? 900 : 100) + Math.round(20 * Math.sin(2.3 * at)),
);
const truth = filled((point) => (isWithin(balls.GTVp, point) ? 3 : isWithin(balls.GTVn, point) ? 7 : 0));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-classes-"));
  session = lnsnetSession(folder);
  await writeFile(inFolder("two.safetensors"), writeModel(twoClassModel([2, 2, 2]), false));
  await writeFile(inFolder("regions.safetensors"), writeModel(regionsModel([2, 2, 2]), false));
  await writeFile(inFolder("one.safetensors"), writeModel(densityModel([2, 2, 2]), false));
  for (const name of ["imagesTs", "labelsTs", "series", "alone"]) await mkdir(inFolder(name));
  for (const id of ["a", "b"]) {
    await writeFile(inFolder(`imagesTs/${id}_0000.nii.gz`), writeNifti(ct));
    await writeFile(inFolder(`imagesTs/${id}_0001.nii.gz`), writeNifti(pet));
    await writeFile(
      inFolder(`labelsTs/${id}.nii.gz`),
      writeNifti({ ...truth, data: Uint8Array.from(truth.data) }),
    );
  }
  await writeFile(inFolder("dataset.json"), JSON.stringify({ labels: { background: 0, GTVp: 3, GTVn: 7 } }));
  await writeFile(inFolder("alone/a_0000.nii.gz"), writeNifti(ct));
  await writeFile(inFolder("pet.nii.gz"), writeNifti(pet));
  const series = { ...ct, hu: ct.data, patientId: "P1", seriesUid: "1.2.3", frameOfReferenceUid: "1.2.9" };
  for (const { name, bytes } of ctFiles(series)) await writeFile(inFolder("series", name), bytes);
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

const predict = (...tokens: string[]) =>
  lnsnet("predict", ...tokens, "--model", "two.safetensors", "--search", "everything", "--overlap", "0");
const jsonAt = async (path: string) => JSON.parse(await readFile(inFolder(path), "utf8"));

describe("lnsnet predict with two channels and two classes", () => {
  test("gathers the channels of each case, and writes the value of each class, which evaluate knows", async () => {
    const { code, stdout, stderr } = await predict("imagesTs", "--output", "masks", "--json");
    expect(code, stderr).toBe(0);
    const results: { id: string; nodes: { class: string; centroid_lps_mm: Vector3 }[] }[] =
      JSON.parse(stdout);
    expect(results.map(({ id }) => id)).toEqual(["a", "b"]);
    expect(results[0].nodes.map((node) => node.class)).toEqual(["GTVp", "GTVn"]);
    for (const { class: name, centroid_lps_mm } of results[0].nodes) {
      const { centre } = balls[name as keyof typeof balls];
      expect(Math.hypot(...centroid_lps_mm.map((at, axis) => at - centre[axis]))).toBeLessThan(1);
    }
    const mask = readNifti(await readFile(inFolder("masks/a.nii.gz")), "a");
    expect([...new Set(mask.data)].sort()).toEqual([0, 3, 7]);
    const [header, first] = (await readFile(inFolder("masks/a.csv"), "utf8")).split("\n");
    expect(header).toMatch(/^id,name,class,volume_ml/);
    expect(first).toMatch(/^1,,GTVp,/);
    expect(await jsonAt("masks/a.json")).toMatchObject({
      classes: [
        { name: "GTVp", value: 3 },
        { name: "GTVn", value: 7 },
      ],
    });
    expect(await readdir(inFolder("masks"))).toContain("a.png");

    const judged = await lnsnet("evaluate", "labelsTs", "masks", "--nodes", "--json");
    const { classes } = JSON.parse(judged.stdout);
    expect(classes).toMatchObject([
      { class: "GTVp", detection: { true_nodes: 2, hits: 2, false_positives_per_volume: 0 } },
      { class: "GTVn", detection: { true_nodes: 2, hits: 2, false_positives_per_volume: 0 } },
    ]);
    for (const { mean } of classes) expect(mean.dsc).toBeGreaterThan(0.85);
    const text = (await lnsnet("evaluate", "labelsTs", "masks")).stdout;
    expect(text).toMatch(/^GTVp\n[\s\S]*\n\nGTVn\n[\s\S]*mean/);
    expect(text).not.toContain("undefined");
  });

  test("says how many nodes of each class there are, and leaves a finished case as it is", async () => {
    const { stdout, stderr } = await predict("imagesTs/a_0000.nii.gz", "--output", "masks");
    expect(stderr).toMatch(/a is finished already/);
    expect(stdout).toMatch(/2 nodes \(GTVp: 1, GTVn: 1\)/);
    expect(stdout).toMatch(/node +class +volume/);
  });

  test("measure takes the nodes of each class, by the manifest or by dataset.json", async () => {
    const measured = async (path: string) => {
      const { code, stdout, stderr } = await lnsnet(
        "measure",
        path,
        "--image",
        "imagesTs/a_0000.nii.gz",
        "--json",
      );
      expect(code, stderr).toBe(0);
      const nodes: { id: number; class: string; volume_ml: number }[] = JSON.parse(stdout).nodes;
      return nodes.map(({ id, class: name, volume_ml }) => [id, name, volume_ml]);
    };
    const { nodes } = await jsonAt("masks/a.json");
    expect(await measured("masks/a.nii.gz")).toEqual([
      [1, "GTVp", nodes[0].volume_ml],
      [2, "GTVn", nodes[1].volume_ml],
    ]);
    // Two pieces of one class are two nodes of it.
    const [nx, ny] = grid.size;
    const pieces = new Uint8Array(voxelCount(grid));
    for (const [i, value] of [
      [2, 3],
      [8, 7],
      [20, 7],
    ])
      pieces.fill(value, i + nx * ny * 5, i + 2 + nx * ny * 5);
    await writeFile(inFolder("labelsTs/pieces.nii.gz"), writeNifti({ ...grid, data: pieces }));
    expect(await measured("labelsTs/pieces.nii.gz")).toEqual([
      [1, "GTVp", 0.016],
      [2, "GTVn", 0.016],
      [3, "GTVn", 0.016],
    ]);
    await rm(inFolder("labelsTs/pieces.nii.gz"));
  });

  test("a click takes the most probable class, or the one that is named", async () => {
    const at = balls.GTVn.centre.join();
    const clicked = ["imagesTs/b_0000.nii.gz", "--at", at, "--json"];
    const any = JSON.parse((await predict(...clicked, "--output", "clicks")).stdout);
    expect(any.nodes).toMatchObject([{ class: "GTVn" }]);
    const mask = readNifti(await readFile(inFolder("clicks/b.nii.gz")), "b");
    expect([...new Set(mask.data)].sort()).toEqual([0, 7]);
    const other = await predict(...clicked, "--output", "clicks-p", "--class", "GTVp");
    expect(other.code, other.stderr).toBe(2);
    expect(other.stderr).toMatch(/No node was found/);
    const added = await predict(
      "imagesTs/b_0000.nii.gz",
      "--at",
      balls.GTVp.centre.join(),
      "--class",
      "GTVp",
      "--output",
      "clicks",
      "--json",
    );
    expect(JSON.parse(added.stdout).nodes.map((node: { class: string }) => node.class)).toEqual([
      "GTVn",
      "GTVp",
    ]);
    const unknown = await predict(...clicked, "--output", "clicks-x", "--class", "bone");
    expect(unknown.stderr).toMatch(
      /The class "bone" was requested for a click, and the model knows GTVp, GTVn/,
    );
    const idle = await predict("imagesTs/b_0000.nii.gz", "--output", "clicks-y", "--class", "GTVp");
    expect(idle.stderr).toMatch(/--class is for clicked points/);
  });

  test("further channels of a series are named, and its DICOM objects name the classes", async () => {
    const tokens = [
      "series",
      "--channels",
      "pet.nii.gz",
      "--dicom",
      "seg,rtstruct,sr",
      "--output",
      "dicom",
      "--json",
    ];
    const { code, stdout, stderr } = await predict(...tokens);
    expect(code, stderr).toBe(0);
    const { id } = JSON.parse(stdout);
    const seg = await readSeg(await readFile(inFolder(`dicom/${id}.seg.dcm`)), "seg");
    expect(seg.segments.map(({ label, propertyType }) => [label, propertyType])).toEqual([
      ["GTVp 1", "Tissue"],
      ["GTVn 2", "Lymph node"],
    ]);
    const rois = await lnsnet("info", `dicom/${id}.rtstruct.dcm`, "--json");
    expect(rois.stdout).toMatch(/GTVp 1[\s\S]*GTVn 2/);
    const report = (await readFile(inFolder(`dicom/${id}.sr.dcm`))).toString("latin1");
    expect(report).toContain("GTVn 2");
    expect(report.match(/Tissue/g)).toHaveLength(1);

    const convert = ["convert", `dicom/${id}.nii.gz`, "--reference", "series", "--format", "seg"];
    const converted = await lnsnet(...convert, "--output", "classes.dcm");
    expect(converted.code, converted.stderr).toBe(0);
    const { segments } = await readSeg(await readFile(inFolder("classes.dcm")), "classes");
    expect(segments.map(({ label, propertyType }) => [label, propertyType])).toEqual([
      ["GTVp", "Tissue"],
      ["GTVn", "Lymph node"],
    ]);
  });
});

describe("lnsnet export of two channels and two classes", () => {
  test("its recipe and ONNX Runtime alone give the mask of predict", async () => {
    const made = await lnsnet("export", "--model", "two.safetensors", "--output", "two.onnx", "--json");
    expect(made.code, made.stderr).toBe(0);
    const { preparation, input, output, patches } = await jsonAt("two.json");
    expect(preparation.channels.map(({ name }: { name: string }) => name)).toEqual(["CT", "PET"]);
    expect(input.shape).toEqual([1, 2, 24, 32, 32]);
    expect(output).toMatchObject({
      shape: [1, 3, 24, 32, 32],
      activation: "softmax",
      labels: { background: 0, GTVp: 3, GTVn: 7 },
      classes: [
        { name: "GTVp", channel: 1, written_as: 3 },
        { name: "GTVn", channel: 2, written_as: 7 },
      ],
    });
    expect(JSON.parse(made.stdout).labels).toBe('{"background":0,"GTVp":3,"GTVn":7}');

    // The scan has the working spacing, and one patch holds all of it.
    const [low, high] = preparation.channels[0].window_hu;
    const nonzero = [...pet.data].filter((value) => value !== 0);
    const mean = nonzero.reduce((sum, value) => sum + value, 0) / nonzero.length;
    const deviation = Math.sqrt(
      nonzero.reduce((sum, value) => sum + (value - mean) ** 2, 0) / nonzero.length,
    );
    const rounded = (value: number) =>
      Math.round(value / preparation.channels[1].rounded_to) * preparation.channels[1].rounded_to;
    const scaled = [
      (at: number) => ((Math.min(Math.max(ct.data[at], low), high) - low) * 2) / (high - low) - 1,
      (at: number) => (pet.data[at] === 0 ? 0 : rounded((pet.data[at] - mean) / deviation)),
    ];
    const [depth, height, width] = patches.size_zyx;
    const [nx, ny, nz] = grid.size;
    const [i0, j0, k0] = [nx - width, ny - height, nz - depth].map((room) => Math.floor(room / 2));
    const voxels = depth * height * width;
    const placeInScan = (n: number) => {
      const [i, j, k] = [
        (n % width) + i0,
        (Math.floor(n / width) % height) + j0,
        Math.floor(n / (width * height)) + k0,
      ];
      return i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz ? null : i + nx * (j + ny * k);
    };
    const outside = [-1, preparation.channels[1].outside];
    const image = Float32Array.from({ length: 2 * voxels }, (_, n) => {
      const channel = Math.floor(n / voxels);
      const at = placeInScan(n % voxels);
      return at === null ? outside[channel] : scaled[channel](at);
    });
    const network = await ort.InferenceSession.create(inFolder("two.onnx"));
    const { logits } = await network.run({ image: new ort.Tensor("float32", image, input.shape) });
    await network.release();
    const found = new Uint8Array(nx * ny * nz);
    for (let n = 0; n < voxels; n++) {
      const at = placeInScan(n);
      const values = [0, 1, 2].map((channel) => Number(logits.data[channel * voxels + n]));
      const best = values.indexOf(Math.max(...values));
      if (at !== null && best > 0) found[at] = output.classes[best - 1].written_as;
    }
    const mask = readNifti(await readFile(inFolder("masks/a.nii.gz")), "a");
    expect(Buffer.compare(found, Uint8Array.from(mask.data))).toBe(0);
  });

  test("regions state their order, and are a sigmoid each", async () => {
    const made = await lnsnet("export", "--model", "regions.safetensors", "--output", "regions.onnx");
    expect(made.code, made.stderr).toBe(0);
    expect((await jsonAt("regions.json")).output).toMatchObject({
      activation: "sigmoid",
      threshold: 0.5,
      labels: { background: 0, whole: 1, core: 2 },
      regions_class_order: [1, 2],
      classes: [
        { name: "whole", channel: 0, values: [1, 2], written_as: 1 },
        { name: "core", channel: 1, values: [2], written_as: 2 },
      ],
    });
  });
});

describe("regions, one within the other", () => {
  const core = { centre: balls.GTVp.centre, radiusMm: 5 };

  test("are written in their order, and judged with the voxels of all their values", async () => {
    for (const part of ["imagesTs", "labelsTs"]) await mkdir(inFolder("regions", part), { recursive: true });
    const description = {
      labels: { background: 0, whole: [1, 2], core: 2, ignore: 4 },
      regions_class_order: [1, 2],
    };
    await writeFile(inFolder("regions/dataset.json"), JSON.stringify(description));
    const hot = filled(
      (point, at) => (isWithin(core, point) ? 900 : 100) + Math.round(20 * Math.sin(2.3 * at)),
    );
    const label = filled((point) => (isWithin(core, point) ? 2 : isWithin(balls.GTVp, point) ? 1 : 0));
    await writeFile(inFolder("regions/imagesTs/r_0000.nii.gz"), writeNifti(ct));
    await writeFile(inFolder("regions/imagesTs/r_0001.nii.gz"), writeNifti(hot));
    await writeFile(
      inFolder("regions/labelsTs/r.nii.gz"),
      writeNifti({ ...label, data: Uint8Array.from(label.data) }),
    );
    const tokens = ["regions/imagesTs", "--model", "regions.safetensors", "--output", "region-masks"];
    const made = await lnsnet("predict", ...tokens, "--search", "everything", "--overlap", "0", "--json");
    expect(made.code, made.stderr).toBe(0);
    const [{ nodes }] = JSON.parse(made.stdout);
    expect(nodes.map((node: { class: string }) => node.class).sort()).toEqual(["core", "whole"]);
    const mask = readNifti(await readFile(inFolder("region-masks/r.nii.gz")), "r");
    expect([...new Set(mask.data)].sort()).toEqual([0, 1, 2]);
    const judged = await lnsnet("evaluate", "regions/labelsTs", "region-masks", "--nodes", "--json");
    const { classes } = JSON.parse(judged.stdout);
    const voxels = (values: readonly number[]) =>
      [...mask.data].filter((value) => values.includes(value)).length;
    expect(classes.map((row: { class: string }) => row.class)).toEqual(["whole", "core"]);
    for (const [at, values] of [[1, 2], [2]].entries()) {
      expect(classes[at].mean.dsc).toBeGreaterThan(0.85);
      expect(classes[at].mean.volume_prediction_ml).toBeCloseTo(voxels(values) * 0.008, 9);
      expect(classes[at].detection).toMatchObject({ true_nodes: 1, predicted_nodes: 1, hits: 1 });
    }
  });
});

describe("two channels and two classes through all commands", () => {
  const few = ["--network", "lnsnet-small", "--patch", "16,24,24", "--spacing", "2,2,2", "--steps", "1"];
  const small = [...few, "--learning-rate", "0.000001", "--threads", "1", "--seed", "1", "--no-augment"];
  const begun = [...small, "--weights", "two.safetensors"];
  const whole = ["--search", "everything", "--overlap", "0"];

  /** Four patients to train on and one to test on; in the second, voxels beside GTVn are to be ignored. */
  beforeAll(async () => {
    for (const part of ["imagesTr", "labelsTr", "imagesTs", "labelsTs"])
      await mkdir(inFolder("cohort", part), { recursive: true });
    const description = {
      name: "two balls",
      channel_names: { 0: "CT", 1: "PET" },
      labels: { background: 0, GTVp: 3, GTVn: 7, ignore: 9 },
    };
    await writeFile(inFolder("cohort/dataset.json"), JSON.stringify(description));
    for (const [number, subset] of ["Tr", "Tr", "Tr", "Tr", "Ts"].entries()) {
      const at = (kind: string, ending: string) =>
        inFolder(`cohort/${kind}${subset}/p${number}${ending}.nii.gz`);
      const label = Uint8Array.from(truth.data);
      if (number === 1)
        for (let n = 0; n < label.length; n++) if (label[n] === 0 && n % grid.size[0] > 26) label[n] = 9;
      const noise = filled((_, n) => Math.round(5 * Math.sin(n * (0.7 + number))));
      const noisy = (volume: Volume<Int16Array>) => ({
        ...volume,
        data: volume.data.map((value, n) => value + noise.data[n]),
      });
      await writeFile(at("images", "_0000"), writeNifti(noisy(ct)));
      await writeFile(at("images", "_0001"), writeNifti(noisy(pet)));
      await writeFile(at("labels", ""), writeNifti({ ...truth, data: label }));
    }
  });

  test("a training, its model in use, and the judgement of its masks", async () => {
    const cached = await lnsnet("preprocess", "cohort", "--output", "cache", "--spacing", "2,2,2");
    expect(cached.code, cached.stderr).toBe(0);
    const trained = await lnsnet(
      ...["train", "cohort", "--output", "run", "--validate-every", "0", "--cache", "cache"],
      ...begun,
    );
    expect(trained.code, trained.stderr).toBe(0);
    expect(await jsonAt("run/training.json")).toMatchObject({
      channels: [{ name: "CT" }, { name: "PET", scaling: "z-score" }],
      labels: { kind: "exclusive", ignored: 9, classes: [{ name: "GTVp" }, { name: "GTVn" }] },
    });
    const predicted = await lnsnet(
      "predict",
      "cohort/imagesTs",
      "--model",
      "run/model.safetensors",
      "--output",
      "run-masks",
      ...whole,
    );
    expect(predicted.code, predicted.stderr).toBe(0);
    expect(predicted.stdout).toMatch(/p4\.nii\.gz: 2 nodes \(GTVp: 1, GTVn: 1\).*trained on two balls/);
    const { stdout } = await lnsnet("evaluate", "cohort/labelsTs", "run-masks", "--json");
    for (const { mean } of JSON.parse(stdout).classes) expect(mean.dsc).toBeGreaterThan(0.8);
  });

  test("a cross-validation judges each class, by the masks that predict writes", async () => {
    const tokens = [
      "crossvalidate",
      "cohort",
      "--output",
      "experiment",
      "--folds",
      "2",
      "--validate-every",
      "0",
    ];
    const made = await lnsnet(...tokens, ...begun, ...whole);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stdout).toMatch(/two balls: whole volume, GTVn, test set, ensemble/);

    const cases: Record<string, string | number | null>[] = await jsonAt("experiment/cases.json");
    expect(cases.map((row) => `${row.class} ${row.set} ${row.model} ${row.case}`).sort()).toEqual(
      ["GTVn", "GTVp"].flatMap((name) => [
        ...cases
          .filter((row) => row.class === name && row.set === "cross-validation")
          .map((row) => `${name} cross-validation ${row.model} ${row.case}`)
          .sort(),
        ...["ensemble", "fold_0", "fold_1"].map((model) => `${name} test ${model} p4`),
      ]),
    );
    expect(cases.filter((row) => row.set === "cross-validation")).toHaveLength(8);
    for (const row of cases) expect(row.whole_volume_dsc).toBeGreaterThan(0.8);
    const nodes: Record<string, string | number | null>[] = await jsonAt("experiment/nodes.json");
    for (const row of nodes) {
      expect(row.node_level_dsc).toBeGreaterThan(0.8);
      expect(row.whole_volume_hit).toBe(1);
    }
    const header = (await readFile(inFolder("experiment/summary.csv"), "utf8")).split("\n")[0];
    expect(header).toMatch(/^set,model,class,measure,/);
    const report = await readFile(inFolder("experiment/report.html"), "utf8");
    expect(report).toContain("GTVp (written as 3), GTVn (written as 7), exclusive, by a softmax");
    expect(report).toContain("CT by the window, PET by z-scores");
    expect(report.replace(/base64,[^"]*/g, "")).not.toMatch(/undefined|NaN/);

    const again = ["predict", "cohort/imagesTs", "--model", "experiment", "--output", "ensemble", ...whole];
    expect((await lnsnet(...again)).code).toBe(0);
    const [own, judged] = await Promise.all(
      ["ensemble/p4.nii.gz", "experiment/test/ensemble/p4.nii.gz"].map(async (path) =>
        readNifti(await readFile(inFolder(path)), path),
      ),
    );
    expect(own.data).toEqual(judged.data);
    const { stdout } = await lnsnet("evaluate", "cohort/labelsTs", "ensemble", "--json");
    const evaluated = JSON.parse(stdout).classes.map(({ mean }: { mean: { dsc: number } }) => mean.dsc);
    expect(evaluated).toEqual(
      ["GTVp", "GTVn"].map(
        (name) => cases.find((row) => row.class === name && row.model === "ensemble")?.whole_volume_dsc,
      ),
    );
  });
});

test("a model of one channel that is no CT searches everything, and makes no picture", async () => {
  const { plan, ...model } = densityModel([2, 2, 2]);
  const pets = { ...plan, channels: [{ name: "PET", scaling: "z-score" as const }] };
  await writeFile(inFolder("pet.safetensors"), writeModel({ ...model, plan: pets }, false));
  const tokens = ["pet.nii.gz", "--model", "pet.safetensors", "--output", "pets", "--overlap", "0", "--json"];
  const { code, stdout, stderr } = await lnsnet("predict", ...tokens);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(
    /No channel of the model is a CT, so no picture is made, and everything is searched/,
  );
  expect(JSON.parse(stdout).nodes).toMatchObject([{ id: 1, hu_mean: null }]);
  expect((await readdir(inFolder("pets"))).sort()).toEqual(["pet.csv", "pet.json", "pet.nii.gz"]);
});

describe("what does not fit a model is refused by name", () => {
  const refused = async (...tokens: string[]) => {
    const before = await readdir(folder);
    const { code, stdout, stderr } = await lnsnet(...tokens);
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: "" });
    expect(await readdir(folder)).toEqual(before);
    return stderr;
  };
  const two = ["--model", "two.safetensors", "--output", "refused"];

  test.each<[string, string[], RegExp]>([
    [
      "one channel file",
      ["pet.nii.gz"],
      /pet\.nii\.gz is one file, and the model takes 2 channels \(CT, PET\); call/,
    ],
    [
      "a missing channel",
      ["alone"],
      /a_0001\.nii\.gz \(PET\) does not exist, and the model takes 2 channels/,
    ],
    ["a second channel alone", ["imagesTs/a_0001.nii.gz"], /is not the first channel/],
    [
      "a series alone",
      ["series"],
      /series is a DICOM series or lies in an archive, and the model takes 2 channels/,
    ],
    [
      "too many channels",
      ["pet.nii.gz", "--channels", "a,b"],
      /--channels names 2 files \(a, b\), and the model takes 2/,
    ],
    [
      "channels of several scans",
      ["imagesTs", "--channels", "pet.nii.gz"],
      /holds 4 scans, and --channels names files of one/,
    ],
  ])("%s", async (_, tokens, message) => {
    expect(await refused("predict", ...tokens, ...two)).toMatch(message);
  });

  test("further channels for a model of one", async () => {
    const one = ["--model", "one.safetensors", "--output", "refused"];
    expect(await refused("predict", "pet.nii.gz", "--channels", "pet.nii.gz", ...one)).toMatch(
      /--channels names 1 file \(pet\.nii\.gz\), and the model takes 1 channel \(CT\)/,
    );
  });

  test("a model of two classes in an ensemble of one", async () => {
    const ensemble = ["--model", "one.safetensors,two.safetensors", "--output", "refused"];
    expect(await lnsnet("predict", "alone/a_0000.nii.gz", ...ensemble)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Models that are used together must use the same preprocessing/),
    });
    expect(await readdir(inFolder("."))).not.toContain("refused");
  });

  test("a model of two classes to begin a training of one from", async () => {
    const data = await mkdtemp(inFolder("data-"));
    await mkdir(join(data, "imagesTr"));
    await mkdir(join(data, "labelsTr"));
    await writeFile(
      join(data, "dataset.json"),
      JSON.stringify({ labels: { background: 0, GTVp: 3, GTVn: 7 } }),
    );
    await writeFile(join(data, "imagesTr/a_0000.nii.gz"), writeNifti(ct));
    await writeFile(join(data, "labelsTr/a.nii.gz"), await readFile(inFolder("labelsTs/a.nii.gz")));
    const few = ["--network", "lnsnet-small", "--patch", "24,32,32", "--spacing", "2,2,2", "--steps", "1"];
    const tokens = ["train", data, "--output", join(data, "run"), "--foreground", "GTVn", ...few];
    const { code, stderr } = await lnsnet(...tokens, "--weights", "two.safetensors");
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /two\.safetensors was trained to find the exclusive classes GTVp, GTVn in CT, PET, and this training is for the class GTVn in CT;/,
    );
  });

  test("a model of two classes whose plan states one", async () => {
    const { plan, ...model } = twoClassModel([2, 2, 2]);
    const { labels: _, ...unlabelled } = plan;
    await writeFile(inFolder("torn.safetensors"), writeModel({ ...model, plan: unlabelled }, false));
    expect(
      await refused("predict", "imagesTs", "--model", "torn.safetensors", "--output", "refused"),
    ).toMatch(
      /torn\.safetensors has a network of 3 output channels, and 1 are needed for what its plan names: the class GTVp, GTVn/,
    );
  });

  test("a mask of one class, or of node numbers, judged by two", async () => {
    const scan = ["alone/a_0000.nii.gz", "--search", "everything", "--overlap", "0", "--no-pictures"];
    expect((await lnsnet("predict", ...scan, "--model", "one.safetensors", "--output", "single")).code).toBe(
      0,
    );
    expect(await refused("evaluate", "labelsTs/a.nii.gz", "single/a.nii.gz")).toMatch(
      /single\/a\.nii\.gz holds one class, as the manifest beside it says, and .*dataset\.json names 3 \(GTVp\), 7 \(GTVn\);/,
    );
    const chosen = ["--truth-label", "3", "--prediction-label", "1"];
    expect((await lnsnet("evaluate", "labelsTs/a.nii.gz", "single/a.nii.gz", ...chosen)).code).toBe(0);
    await predict("imagesTs/a_0000.nii.gz", "--output", "numbers", "--numbered", "--no-pictures");
    expect(await refused("evaluate", "labelsTs/a.nii.gz", "numbers/a.nii.gz")).toMatch(
      /numbers\/a\.nii\.gz holds the numbers of nodes.*without --numbered/,
    );
  });

  test("nodes of two classes among those of one", async () => {
    const scan = ["imagesTs/a_0000.nii.gz", "--search", "everything", "--output", "kept", "--overlap", "0"];
    const made = await lnsnet("predict", ...scan, "--model", "one.safetensors");
    expect(made.code, made.stderr).toBe(0);
    const { code, stderr } = await predict(...scan, "--at", balls.GTVn.centre.join());
    expect(code).toBe(2);
    expect(stderr).toMatch(/kept\/a\.json holds nodes of one class, .* and the model finds GTVp, GTVn/);
  });
});
