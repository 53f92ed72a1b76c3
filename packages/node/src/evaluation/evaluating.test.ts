// Classes of a data set are judged one by one, and voxels that nobody judged count nowhere: values computed by hand.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { writeNifti } from "@lnsnet/core/formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EvaluationOptions, evaluateFiles } from "./evaluating.js";

let folder = "";
const plain: EvaluationOptions = {
  truthLabel: null,
  predictionLabel: null,
  threshold: null,
  ignored: null,
  datasetJson: null,
  surface: "monai",
  split: "auto",
  nodes: false,
  pictures: null,
  csvPath: null,
  force: false,
};
const mask = (...values: number[]) =>
  writeNifti({
    size: [values.length, 1, 1],
    spacingMm: [1, 1, 1],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data: Uint8Array.from(values),
  });

/** A data set with one labelled scan, and a prediction of it. */
async function compare(
  description: unknown,
  truth: readonly number[],
  prediction: readonly number[],
  options: Partial<EvaluationOptions> = {},
  truthFolder = "labelsTs",
) {
  const data = await mkdtemp(join(folder, "data-"));
  await mkdir(join(data, truthFolder));
  await mkdir(join(data, "masks"));
  if (description !== null) await writeFile(join(data, "dataset.json"), JSON.stringify(description));
  await writeFile(join(data, truthFolder, "a.nii.gz"), mask(...truth));
  await writeFile(join(data, "masks/a.nii.gz"), mask(...prediction));
  const said: string[] = [];
  const evaluations = await evaluateFiles(
    join(data, truthFolder),
    join(data, "masks"),
    { ...plain, ...options },
    { log: (sentence) => said.push(sentence) },
  );
  const figures = evaluations.map(({ className, cases: [{ dsc }] }) => [className, dsc]);
  return { evaluations, figures, said, data };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-masks-"));
});
afterAll(() => rm(folder, { recursive: true }));

const twoClasses = { labels: { background: 0, GTVp: 1, GTVn: 2 } };
/** A written 1 is whole alone, 2 is whole and core, as nnU-Net writes regions. */
const regions = {
  labels: { background: 0, whole: [1, 2, 3], core: [2, 3], ignore: 4 },
  regions_class_order: [1, 2],
};

describe("classes", () => {
  test("exclusive ones, each by itself", async () => {
    const { figures, said } = await compare(twoClasses, [1, 1, 2, 2, 0, 0], [1, 0, 2, 2, 2, 0]);
    // 2·1/(2 + 1) and 2·2/(2 + 3).
    expect(figures).toEqual([
      ["GTVp", 2 / 3],
      ["GTVn", 0.8],
    ]);
    expect(said).toEqual([]);
  });

  test("regions hold the voxels of all their values, and ignored voxels count in no class", async () => {
    const { figures } = await compare(regions, [1, 2, 3, 0, 4, 1], [1, 1, 2, 1, 2, 0]);
    // Without the fifth voxel: whole 2·3/(4 + 4), core 2·1/(2 + 1).
    expect(figures).toEqual([
      ["whole", 0.75],
      ["core", 2 / 3],
    ]);
  });

  test("nodes are matched within each class", async () => {
    const { evaluations } = await compare(twoClasses, [1, 1, 0, 2, 2, 0], [2, 2, 0, 2, 2, 0], {
      nodes: true,
    });
    const counts = evaluations.map(({ scanNodes }) =>
      scanNodes?.map(({ detection: { truth, prediction } }) => [
        truth.map(({ hit }) => hit),
        prediction.length,
      ]),
    );
    expect(counts).toEqual([[[[false], 0]], [[[true], 2]]]);
  });

  test("are a column of the CSV file", async () => {
    const csvPath = join(folder, "classes.csv");
    await compare(twoClasses, [1, 2, 0], [1, 0, 0], { csvPath });
    const rows = (await readFile(csvPath, "utf8")).trim().split("\n");
    expect(rows.map((row) => row.split(",").slice(0, 3).join())).toEqual([
      "case,class,dsc",
      "a,GTVp,1",
      "a,GTVn,0",
    ]);
  });

  test("one of them by its values alone, or all together without their names", async () => {
    const chosen = { truthLabel: 2, predictionLabel: 1 };
    expect((await compare(twoClasses, [1, 2, 2], [0, 1, 0], chosen)).figures).toEqual([[undefined, 2 / 3]]);
    const { figures, said } = await compare(null, [1, 2, 2], [0, 1, 0]);
    expect(figures).toEqual([[undefined, 0.5]]);
    expect(said).toEqual([
      expect.stringMatching(/The truth holds the values 1, 2, which count as one foreground/),
    ]);
  });

  test("instances of a data set are no classes", async () => {
    expect((await compare(twoClasses, [1, 2, 3], [1, 1, 1], {}, "instancesTs")).figures).toEqual([
      [undefined, 1],
    ]);
  });

  test("by a dataset.json from elsewhere", async () => {
    const { data } = await compare(twoClasses, [1], [1]);
    const { figures } = await compare(null, [1, 2], [1, 0], { datasetJson: join(data, "dataset.json") });
    expect(figures).toEqual([
      ["GTVp", 1],
      ["GTVn", 0],
    ]);
  });

  test("a class that no file holds is told, and a value without a class refused", async () => {
    expect((await compare(twoClasses, [1, 2], [1, 0])).said).toEqual([
      "No prediction holds GTVn: every mask of it is empty.",
    ]);
    await expect(compare(twoClasses, [1, 2, 2], [1, 2, 3])).rejects.toThrow(InputError);
    await expect(compare(twoClasses, [1, 2, 2], [1, 2, 3])).rejects.toThrow(
      /The prediction holds the value 3, and .*dataset\.json names 1 \(GTVp\), 2 \(GTVn\)/,
    );
  });
});

describe("voxels that nobody judged", () => {
  test.each([
    ["nnU-Net v2", { labels: { background: 0, node: 1, ignore: 2 } }],
    ["nnU-Net v1", { labels: { "0": "background", "1": "node", "2": "ignore" } }],
  ])("count nowhere, by a dataset.json of %s", async (_, description) => {
    const { figures, said } = await compare(description, [1, 1, 2, 2, 0], [1, 0, 1, 0, 0]);
    expect(figures).toEqual([[undefined, 2 / 3]]);
    expect(said).toEqual([]);
  });

  test("by the value that is named", async () => {
    expect((await compare(null, [1, 1, 255], [1, 0, 1], { ignored: 255 })).figures).toEqual([
      [undefined, 2 / 3],
    ]);
  });

  test("are asked for where 255 stands beside other values", async () => {
    await expect(compare(null, [1, 1, 255], [1, 0, 1])).rejects.toThrow(
      /holds 255 beside 1.*give the option ignore 255/,
    );
    expect((await compare(null, [255, 0], [1, 0])).figures).toEqual([[undefined, 1]]);
  });

  test("are foreground where they are chosen as that", async () => {
    const description = { labels: { background: 0, node: 1, ignore: 2 } };
    const chosen = { truthLabel: 2, predictionLabel: 1 };
    expect((await compare(description, [1, 2], [0, 1], chosen)).figures).toEqual([[undefined, 1]]);
  });
});
