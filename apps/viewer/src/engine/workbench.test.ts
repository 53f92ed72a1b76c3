// What the worker answers is what the command line writes: the same functions, on the same scan and clicks.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import {
  InputError,
  openPredictor,
  type Predictor,
  readModel,
  segment,
  type Vector3,
  type Volume,
  writeModel,
  writeNifti,
  writeVolume,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { crop, movedGeometry, paste, type RigidTransform } from "@lnsnet/core/volume";
import { measureNodes, numberedComponents } from "@lnsnet/core/voxels";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examplePatient } from "../../../../examples/patient.test-helper.js";
import type { ChosenFile, OpenedModel, OpenedScan } from "./answers.js";
import { Workbench } from "./workbench.js";

const shippedPath = createRequire(import.meta.url).resolve("@lnsnet/models/finder.safetensors");
const { image, label } = examplePatient();

const chosen = (path: string, bytes: Uint8Array): ChosenFile => ({
  path,
  file: new Blob([Uint8Array.from(bytes)]),
});

let workbench: Workbench;
let model: OpenedModel;
let scan: OpenedScan;
let predictor: Predictor;

beforeAll(async () => {
  const bytes = await readFile(shippedPath);
  workbench = new Workbench({
    runtime: nodeRuntime,
    threads: 0,
    version: "0.1.0",
    shippedModel: async () => bytes,
  });
  predictor = await openPredictor([readModel(bytes, "finder")], nodeRuntime);
  model = await workbench.openModel({ from: "finder", device: "cpu" }, {});
  const { scans } = await workbench.list({ files: [chosen("neck/scan.nii.gz", writeNifti(image))] }, {});
  scan = await workbench.read({ id: scans[0].id }, {});
});
afterAll(async () => {
  await workbench.closeModel({ model: model.model });
  await predictor.release();
});

const pairing = () => ({ scan: scan.scan, model: model.model });

/** Masks of nodes as one mask on the grid of the scan. */
function together(nodes: readonly { readonly mask: Volume<Uint8Array>; readonly start: Vector3 }[]) {
  const whole = { ...image, data: new Uint8Array(image.data.length) };
  for (const { mask, start } of nodes) {
    const held = crop(whole, start, mask.size);
    paste({ ...held, data: held.data.map((value, at) => value | mask.data[at]) }, start, whole);
  }
  return whole;
}

/** Numbers to a nanometre: a centroid is summed in another order in a box than in the scan. */
const rounded = (value: object): unknown =>
  JSON.parse(JSON.stringify(value), (_, part) => (typeof part === "number" ? Math.round(part * 1e6) : part));

const isNode = (instances: Volume): Volume<Uint8Array> => ({
  ...instances,
  data: Uint8Array.from(instances.data, (number) => (number > 0 ? 1 : 0)),
});

test("a scan is read as it was written, and the model says what it is", () => {
  expect(scan.name).toBe("scan.nii.gz");
  expect(scan.volume.data).toEqual(image.data);
  expect(model.plan.dataLabel).not.toBe("");
  expect(model.members[0].sha256).toMatch(/^[0-9a-f]{64}$/);
});

describe("nodes", () => {
  test("all of them are those of the command line, and smaller at a higher threshold", async () => {
    const found = await workbench.findAll(pairing(), {});
    const expected = await segment(scan.volume, predictor);
    expect(expected.nodes.length).toBeGreaterThan(2);
    expect(found.nodes.map(({ node }) => node)).toEqual(expected.nodes);
    expect(together(found.nodes).data).toEqual(isNode(expected.instances).data);
    expect(found.reasons).toEqual(expected.reasons);
    const sure = await workbench.searchAtThreshold({ search: found.search, threshold: 0.9 });
    const voxels = (nodes: typeof sure.nodes) => nodes.reduce((sum, { node }) => sum + node.voxels, 0);
    expect(voxels(sure.nodes)).toBeLessThan(voxels(found.nodes));
  });

  test("a clicked one is that of the command line, and smaller at a higher threshold", async () => {
    const expected = await segment(scan.volume, predictor);
    const point = expected.nodes[0].centroidLpsMm;
    const answer = await workbench.segmentAt({ ...pairing(), at: [point], not: [] }, {});
    if (answer.found === "none") throw new Error(answer.reason);
    const clicked = await segment(scan.volume, predictor, { at: [point] });
    expect(together([answer]).data).toEqual(isNode(clicked.instances).data);
    expect(rounded(answer.node)).toEqual(rounded({ ...clicked.nodes[0], id: answer.node.id }));
    const sure = await workbench.atThreshold({ answer: answer.answer, threshold: 0.9 });
    expect(sure?.node.voxels).toBeLessThan(answer.node.voxels);
    expect(sure?.node.voxels).toBeGreaterThan(0);
    expect(await workbench.atThreshold({ answer: answer.answer, threshold: 1.1 })).toBeNull();
  });

  test("a click into air says why there is none", async () => {
    const answer = await workbench.segmentAt({ ...pairing(), at: [image.originMm], not: [] }, {});
    expect(answer).toMatchObject({ found: "none", reason: expect.stringMatching(/air/) });
  });

  test("the finder takes no point beside a node, and says so", async () => {
    const clicks = { at: [image.originMm], not: [image.originMm] };
    await expect(workbench.segmentAt({ ...pairing(), ...clicks }, {})).rejects.toThrow(/trained with clicks/);
  });

  test("a search is stopped between two patches", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const search = workbench.findAll(pairing(), {
      signal: stop.signal,
      onProgress: ({ done }) => done === 2 && stop.abort(reason),
    });
    await expect(search).rejects.toBe(reason);
  });
});

test("each node of an aligned date is found again although the patient moved", async () => {
  const motion = turnAboutZ(0.1);
  const labels = numberedComponents(label) as Volume<Uint8Array>;
  const dated = (labels: Volume<Uint8Array>) => ({ labels, nodes: measureNodes(labels, null, "labels") });
  const { nodes } = await workbench.compare({
    first: dated(labels),
    second: dated(movedGeometry(labels, motion)),
    toSecond: motion,
  });
  expect(nodes.length).toBeGreaterThan(2);
  for (const { first, second } of nodes) expect(second?.id).toBe(first?.id);
});

/** A turn about the body's axis through the middle of the scan. */
function turnAboutZ(angle: number): RigidTransform {
  const [x, y] = [image.originMm[0] + 48, image.originMm[1] + 48];
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return {
    rotation: [cosine, -sine, 0, sine, cosine, 0, 0, 0, 1],
    offsetMm: [x - cosine * x + sine * y, y - sine * x - cosine * y, 12],
  };
}

describe("files", () => {
  test.each([
    ["notes.nii.gz", Buffer.from("no scan"), /^notes\.nii\.gz .+\.$/],
    ["label.nrrd", writeVolume(label, "label.nrrd"), /^label\.nrrd is not a CT in HU: .+\.$/],
  ])("%s is refused by a sentence when it is opened", async (name, bytes, sentence) => {
    const { scans } = await workbench.list({ files: [chosen(name, bytes)] }, {});
    const reading = workbench.read({ id: scans[0].id }, {});
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(sentence);
  });

  test("what is no image is named with its reason, and a hidden file is not", async () => {
    const files = [chosen("a/notes.txt", Buffer.from("text")), chosen("a/.DS_Store", Buffer.from("x"))];
    const { scans, others } = await workbench.list({ files }, {});
    expect(scans).toEqual([]);
    expect(others.map(({ name }) => name)).toEqual(["a/notes.txt"]);
  });

  test("several models are an ensemble: nodes and disagreement are those of the library", async () => {
    const bytes = await readFile(shippedPath);
    const own = readModel(bytes, "finder");
    const other = {
      ...own,
      weights: new Map([...own.weights].map(([name, data]) => [name, data.map((value) => value * 1.02)])),
    };
    const files = [chosen("a.safetensors", bytes), chosen("b.safetensors", writeModel(other, false))];
    const { model, name, members } = await workbench.openModel({ from: files, device: "cpu" }, {});
    expect(name).toBe("a.safetensors and 1 more");
    expect(members.map((member) => member.name)).toEqual(["a.safetensors", "b.safetensors"]);
    await expect(workbench.modelFile({ model })).rejects.toThrow(/are an ensemble/);
    // Closed while it computes, as where a person opens another one, it computes to its end.
    const finding = workbench.findAll({ scan: scan.scan, model }, {});
    const closing = workbench.closeModel({ model });
    const found = await finding;
    await closing;
    const ensemble = await openPredictor([own, other], nodeRuntime);
    const expected = await segment(scan.volume, ensemble);
    await ensemble.release();
    expect(found.nodes.map(({ node }) => node)).toEqual(expected.nodes);
    expect(found.nodes[0].node.ensembleDisagreement).toBeGreaterThan(0);
  });

  test("an nnU-Net's folder is its numbered folds; with those of another training it is refused", async () => {
    const at = (path: string) =>
      readFile(new URL(`../../../../fixtures/nnunet/plain/${path}`, import.meta.url));
    const json = await Promise.all(
      ["plans.json", "dataset.json"].map(async (name) => chosen(`net/${name}`, await at(name))),
    );
    const fold = async (folder: string, of: string, name = "checkpoint_final.pth") =>
      chosen(`net/${folder}/${name}`, await at(`fold_${of}/checkpoint_final.pth`));
    const folds = [await fold("fold_0", "0"), await fold("fold_1", "1")];
    const beside = [await fold("fold_0", "0", "checkpoint_best.pth"), await fold("fold_all", "0")];
    const { model, members, plan } = await workbench.openModel(
      { from: [...json, ...folds, ...beside], device: "cpu" },
      {},
    );
    expect(new Set(members.map(({ sha256 }) => sha256)).size).toBe(2);
    expect(members).toHaveLength(2);
    expect(plan.nnunet).toBeDefined();
    await workbench.closeModel({ model });
  });

  test("models that need more memory than a page has are refused by a sentence before they are loaded", async () => {
    const own = readModel(await readFile(shippedPath), "finder");
    const large = { ...own, plan: { ...own.plan, patchSize: [256, 256, 256] as const } };
    const opening = workbench.openModel(
      { from: [chosen("large.safetensors", writeModel(large, false))], device: "cpu" },
      {},
    );
    await expect(opening).rejects.toThrow(InputError);
    await expect(opening).rejects.toThrow(
      /^large\.safetensors would need about [\d.]+ GB of memory, and a page has at most 4\.3 GB; .+\.$/,
    );
  });

  test("models of other kinds are refused by a sentence", async () => {
    const opening = workbench.openModel({ from: [chosen("net.onnx", Buffer.from("x"))] }, {});
    await expect(opening).rejects.toThrow(/^net\.onnx .+ONNX file was made\.$/);
  });
});
