// `lnsnet predict` as a user runs it: whole scans and clicks, every file that it leaves, batches that fail and go on.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNifti, readVolume, writeNifti } from "@lnsnet/core/formats";
import { countOverlap, dice } from "@lnsnet/core/metrics";
import { writeModel } from "@lnsnet/core/models";
import {
  type Geometry,
  indexOfPoint,
  pointOfIndex,
  sameGeometry,
  type Vector3,
  type Volume,
  voxelCount,
} from "@lnsnet/core/volume";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { densityModel, promptableModel, twoClassModel } from "../../node/src/density-model.test-helper.js";
import { ctFiles } from "../../node/src/dicom.test-helper.js";
import { bin, type LnsnetSession, lnsnetSession } from "./command.test-helper.js";

/** Turned about z, and stacked downwards. */
const grid: Geometry = {
  size: [60, 50, 20],
  spacingMm: [1.2, 1.2, 2.5],
  originMm: [-30, 40, 100],
  direction: [0.8, 0.6, 0, 0.6, -0.8, 0, 0, 0, -1],
};
const balls = [
  { centre: pointOfIndex(grid, [18, 24, 10]), radiusMm: 8 },
  { centre: pointOfIndex(grid, [42, 26, 9]), radiusMm: 6 },
];

/** Soft tissue with two dense balls and a layer of air; with a layer of bone where asked. */
function scan(
  shift = 0,
  hasBone = false,
  drawn: readonly (typeof balls)[number][] = balls,
): Volume<Int16Array> {
  const data = new Int16Array(voxelCount(grid));
  const [nx, ny] = grid.size;
  for (let at = 0; at < data.length; at++) {
    const index: Vector3 = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
    const [x, y, z] = pointOfIndex(grid, index);
    const isNode = drawn.some(
      ({ centre: c, radiusMm }) => Math.hypot(x - c[0], y - c[1], z - c[2]) <= radiusMm,
    );
    data[at] = (isNode ? 140 : -20) + Math.round(20 * Math.sin(at * 1.7)) + shift;
    if (hasBone && index[1] < 4) data[at] = 1200;
    if (index[1] > 45) data[at] = -1000;
  }
  return { ...grid, data };
}

/** Of the models: a third of the patches that 1 mm takes, and fine enough for these balls. */
const spacing: Vector3 = [1.5, 1.5, 1.5];

let folder = "";
let session: LnsnetSession;
const inFolder = (...parts: string[]) => join(folder, ...parts);
const predictBy = (model: string, tokens: string[]) =>
  session.run("predict", ...tokens, "--model", model, "--search", "everything", "--overlap", "0");
const predict = (...tokens: string[]) => predictBy("model.safetensors", tokens);
/** A fifth of the patches, where it does not matter how well a node is drawn. */
const predictCoarsely = (...tokens: string[]) => predictBy("coarse.safetensors", tokens);
/** The name of a series' results: the first digits of a hash of its UID. */
const seriesId = (uid: string) =>
  `series-${createHash("sha256").update(`series ${uid}`).digest("hex").slice(0, 12)}`;
const mask = async (name: string) => readVolume(await readFile(inFolder(name)), name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-predict-"));
  session = lnsnetSession(folder);
  await writeFile(inFolder("model.safetensors"), writeModel(densityModel(spacing), false));
  await writeFile(inFolder("coarse.safetensors"), writeModel(densityModel([2, 2, 2]), false));
  await writeFile(inFolder("proposer.safetensors"), writeModel(densityModel([3, 3, 3]), false));
  await writeFile(inFolder("clicked.safetensors"), writeModel(promptableModel(spacing), false));
  await writeFile(inFolder("two.safetensors"), writeModel(twoClassModel(spacing), false));
  await writeFile(inFolder("neck.nii.gz"), writeNifti(scan()));
  await writeFile(inFolder("bony.nii.gz"), writeNifti(scan(0, true)));
  await mkdir(inFolder("series"));
  const series = {
    ...scan(),
    hu: scan().data,
    patientId: "P1",
    seriesUid: "1.2.3",
    frameOfReferenceUid: "1.2.9",
  };
  for (const { name, bytes } of ctFiles(series)) await writeFile(inFolder("series", name), bytes);
  await mkdir(inFolder("study"));
  for (const [n, shift] of [0, 3, 6].entries())
    await writeFile(inFolder("study", `scan_${n}.nii.gz`), writeNifti(scan(shift)));
  await writeFile(inFolder("study", "scan_1b.nii.gz"), "not a scan");
});
afterAll(async () => {
  session.end();
  await rm(folder, { recursive: true });
});

describe("a whole scan", () => {
  test("leaves a mask on its own grid, a table, a picture and a manifest that names all", async () => {
    const { code, stdout, stderr } = await predict("neck.nii.gz", "--output", "whole", "--json");
    expect(code, stderr).toBe(0);
    expect((await readdir(inFolder("whole"))).sort()).toEqual([
      ...["neck.csv", "neck.json", "neck.nii.gz", "neck.png"],
    ]);
    const found = await mask("whole/neck.nii.gz");
    expect(sameGeometry(found, grid)).toBe(true);
    expect([...new Set(found.data)].sort()).toEqual([0, 1]);
    const { nodes } = JSON.parse(stdout);
    expect(nodes).toHaveLength(2);
    for (const [n, { centre, radiusMm }] of balls.entries()) {
      const gap = nodes[n].centroid_lps_mm.map((at: number, axis: number) => at - centre[axis]);
      expect(Math.hypot(...gap)).toBeLessThan(1);
      expect(nodes[n].volume_ml / ((4 / 3) * Math.PI * (radiusMm / 10) ** 3)).toBeCloseTo(1, 0);
      expect(nodes[n].mean_probability).toBeGreaterThan(0.6);
    }
    const manifest = JSON.parse(await readFile(inFolder("whole/neck.json"), "utf8"));
    expect(manifest).toMatchObject({
      use: "research use only",
      scan: {
        path: await realpath(inFolder("neck.nii.gz")),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      finished: true,
      whole_scan: { models: [{ path: "model.safetensors", trained_on: "nothing (made by hand)" }] },
      clicks: [],
    });
    expect(Object.keys(manifest.files)).toEqual(["neck.nii.gz", "neck.csv", "neck.png"]);
    expect(manifest.nodes).toEqual(nodes);
  });

  test("a second call leaves a finished scan as it is; another setting does it again", async () => {
    const before = await readFile(inFolder("whole/neck.json"), "utf8");
    const [large, small] = JSON.parse(before).nodes;
    const between = String((large.volume_ml + small.volume_ml) / 2);
    const again = await predict("neck.nii.gz", "--output", "./whole");
    expect(again.stderr).toMatch(/neck is finished already/);
    expect(await readFile(inFolder("whole/neck.json"), "utf8")).toBe(before);
    const other = await predict("neck.nii.gz", "--output", "whole", "--minimum-volume", between);
    expect(other.stderr).not.toMatch(/finished already/);
    expect(JSON.parse(await readFile(inFolder("whole/neck.json"), "utf8")).nodes).toHaveLength(1);
  });

  test("bone is left out and counted, and with --keep-implausible it is kept and marked", async () => {
    const run = async (output: string, ...tokens: string[]) => {
      const words = ["bony.nii.gz", "--output", output, "--no-pictures", ...tokens];
      const { code, stdout, stderr } = await predictCoarsely(...words);
      expect(code, stderr).toBe(0);
      const manifest = JSON.parse(await readFile(inFolder(output, "bony.json"), "utf8"));
      return { stdout, manifest };
    };
    const { stdout, manifest } = await run("without-bone");
    const { components_with_hu_of_no_node: leftOut } = manifest.whole_scan;
    expect(leftOut).toBeGreaterThan(0);
    expect(stdout).toMatch(/component.* left out: (its|their) HU fit no node .*--keep-implausible keeps/);
    expect(stdout).not.toMatch(/HU of no node/);
    const kept = await run("with-bone", "--keep-implausible");
    expect(kept.manifest).toMatchObject({
      nodes_with_hu_of_no_node: leftOut,
      whole_scan: { components_with_hu_of_no_node: 0, settings: { cleanUp: { keepsImplausible: true } } },
    });
    expect(kept.manifest.nodes).toHaveLength(manifest.nodes.length + leftOut);
    expect(kept.stdout).toMatch(/HU of no node/);
  });

  test("a coarse network says where to look, the nodes are the same, and the result names it", async () => {
    const whole = await predict("neck.nii.gz", "--output", "everywhere", "--json");
    const tokens = ["neck.nii.gz", "--output", "proposed", "--proposer", "proposer.safetensors"];
    const { code, stdout, stderr } = await predict(...tokens, "--json");
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).nodes).toEqual(JSON.parse(whole.stdout).nodes);
    const manifest = JSON.parse(await readFile(inFolder("proposed/neck.json"), "utf8"));
    expect(manifest.whole_scan.settings.proposer).toMatchObject({ path: "proposer.safetensors" });
    expect((await predict(...tokens)).stderr).toMatch(/neck is finished already/);
    expect((await predict("neck.nii.gz", "--output", "proposed")).stderr).not.toMatch(/finished already/);
  });

  test("a coarse network of other channels is refused", async () => {
    const { code, stderr } = await predict(
      ...["neck.nii.gz", "--output", "refused", "--proposer", "two.safetensors"],
    );
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/two\.safetensors takes the channels CT, PET, and model\.safetensors takes CT;/),
    ]);
  });

  test("threads change nothing that counts, and a second run changes no bit", async () => {
    const run = async (name: string, ...tokens: string[]) => {
      const { code, stderr } = await predict("neck.nii.gz", "--output", name, "--no-pictures", ...tokens);
      expect(code, stderr).toBe(0);
      return Uint8Array.from((await mask(`${name}/neck.nii.gz`)).data);
    };
    const oneThread = await run("one", "--threads", "1");
    expect(await run("once-more", "--threads", "1")).toEqual(oneThread);
    const two = await run("two", "--threads", "2");
    expect(dice(countOverlap(oneThread, two))).toBeGreaterThanOrEqual(0.9999);
  });

  test("of a DICOM series, SEG, RTSTRUCT, SR and captures are written; nodes by number in NRRD", async () => {
    const tokens = ["--output", "dicom", "--dicom", "seg,rtstruct,sr,sc", "--format", "nrrd", "--numbered"];
    const { code, stderr } = await predict("series", ...tokens);
    expect(code, stderr).toBe(0);
    const id = seriesId("1.2.3");
    const endings = ["csv", "json", "nrrd", "png", "rtstruct.dcm"];
    for (const n of [0, 1, 2]) endings.push(`sc-${n}.dcm`);
    endings.push("seg.dcm", "sr.dcm");
    expect((await readdir(inFolder("dicom"))).sort()).toEqual(endings.map((ending) => `${id}.${ending}`));
    expect([...new Set((await mask(`dicom/${id}.nrrd`)).data)].sort()).toEqual([0, 1, 2]);
    const measured = await session.run(...["measure", `dicom/${id}.seg.dcm`, "--image", "series", "--json"]);
    const { nodes, scan } = JSON.parse(await readFile(inFolder(`dicom/${id}.json`), "utf8"));
    expect(scan).toMatchObject({
      path: await realpath(inFolder("series")),
      series: { instance_uid: "1.2.3", description: "neck" },
    });
    expect(
      JSON.parse(measured.stdout).nodes.map(({ volume_ml }: { volume_ml: number }) => volume_ml),
    ).toEqual(nodes.map(({ volume_ml }: { volume_ml: number }) => volume_ml));
  });

  test("nodes that touch are told apart, also where a click is added, and on request they stay one", async () => {
    const at = (i: number) => pointOfIndex(grid, [i, 24, 10]);
    const drawn = [
      { centre: at(18), radiusMm: 8 },
      { centre: at(29.5), radiusMm: 6 },
      { centre: at(48), radiusMm: 5 },
    ];
    await writeFile(inFolder("touching.nii.gz"), writeNifti(scan(0, false, drawn)));
    const nodesOf = async (...tokens: string[]): Promise<{ id: number; centroid_lps_mm: Vector3 }[]> => {
      const { code, stdout, stderr } = await predict("touching.nii.gz", "--json", "--no-pictures", ...tokens);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout).nodes;
    };
    const nodes = await nodesOf("--output", "touching");
    expect(nodes.map(({ id }) => id)).toEqual([1, 2, 3]);
    for (const [n, { centroid_lps_mm: centroid }] of nodes.entries())
      expect(Math.hypot(...centroid.map((mm, axis) => mm - drawn[n].centre[axis]))).toBeLessThan(1.5);
    const numbers = await mask("touching/touching.nodes.nii.gz");
    expect([...new Set(numbers.data)].sort()).toEqual([0, 1, 2, 3]);
    expect((await mask("touching/touching.nii.gz")).data).toEqual(
      Uint8Array.from(numbers.data, (number) => Math.min(number, 1)),
    );
    await mkdir(inFolder("truth", "instancesTs"), { recursive: true });
    const truth = scan(0, false, []).data.map((_, offset) => {
      const [nx, ny] = grid.size;
      const index: Vector3 = [offset % nx, Math.floor(offset / nx) % ny, Math.floor(offset / (nx * ny))];
      const place = pointOfIndex(grid, index);
      const isInside = ({ centre, radiusMm }: (typeof drawn)[number]) =>
        Math.hypot(...place.map((mm, axis) => mm - centre[axis])) <= radiusMm;
      return drawn.findIndex(isInside) + 1;
    });
    await writeFile(
      inFolder("truth", "instancesTs", "touching.nii.gz"),
      writeNifti({ ...grid, data: Uint8Array.from(truth) }),
    );
    const judged = await session.run("evaluate", "truth/instancesTs", "touching", "--nodes", "--json");
    expect(judged.code, judged.stderr).toBe(0);
    expect(JSON.parse(judged.stdout).detection).toMatchObject({
      true_nodes: 3,
      hits: 3,
      predicted_nodes: 3,
    });
    const clicked = await nodesOf("--output", "touching", "--at", drawn[2].centre.join(","));
    expect(clicked.map(({ centroid_lps_mm }) => centroid_lps_mm).slice(0, 2)).toEqual(
      nodes.map(({ centroid_lps_mm }) => centroid_lps_mm).slice(0, 2),
    );
    expect(clicked).toHaveLength(3);
    expect(await nodesOf("--output", "together", "--keep-touching")).toHaveLength(2);
    expect(await readdir(inFolder("together"))).not.toContain("touching.nodes.nii.gz");
  });

  test("an ensemble says how far its members are apart", async () => {
    await writeFile(inFolder("soft.safetensors"), writeModel(densityModel(spacing, 2), false));
    const tokens = ["predict", "neck.nii.gz", "--output", "ensemble", "--json", "--no-pictures"];
    const { code, stdout, stderr } = await session.run(
      ...[...tokens, ...["--search", "everything", "--overlap", "0"]],
      ...["--model", "model.safetensors,soft.safetensors"],
    );
    expect(code, stderr).toBe(0);
    for (const { ensemble_disagreement } of JSON.parse(stdout).nodes)
      expect(ensemble_disagreement).toBeGreaterThan(0.01);
  });
});

describe("clicked nodes", () => {
  const point = balls[1].centre.map((at) => at.toFixed(1)).join(",");
  test.each<[string, () => Promise<string[]>]>([
    ["by a point in mm", async () => ["--at", point]],
    ["by a voxel", async () => ["--at-voxel", indexOfPoint(grid, balls[1].centre).map(Math.round).join(",")]],
    [
      "by a markups file",
      async () => {
        const rows = `# CoordinateSystem = LPS\n# columns = id,x,y,z\n1,${point}\n`;
        await writeFile(inFolder("click.fcsv"), `# Markups fiducial file version = 4.11\n${rows}`);
        return ["--points", "click.fcsv"];
      },
    ],
  ])("%s: that node alone", async (name, tokensOf) => {
    const { code, stdout, stderr } = await predict(
      ...["neck.nii.gz", "--output", `clicked ${name}`, "--json", ...(await tokensOf())],
    );
    expect(code, stderr).toBe(0);
    const { nodes } = JSON.parse(stdout);
    expect(nodes).toHaveLength(1);
    nodes[0].centroid_lps_mm.forEach((at: number, axis: number) => {
      expect(Math.abs(at - balls[1].centre[axis])).toBeLessThan(1);
    });
  });

  const at = (index: Vector3) => pointOfIndex(grid, index).join(",");
  test.each<[string, string[], RegExp]>([
    [
      "outside",
      ["--at", "900,0,0"],
      /bony\.nii\.gz: The point \(900\.0, 0\.0, 0\.0\) mm lies outside the scan/,
    ],
    ["in air", ["--at", at([30, 48, 10])], /lies in air/],
    ["in bone", ["--at", at([30, 1, 10])], /bone or metal/],
    ["of two numbers", ["--at", "1,2"], /--at is "1,2"; give three numbers/],
    ["named twice", ["--at", "1,2,3", "--at-voxel", "1,2,3"], /--at and --at-voxel both name points/],
    ["in a file that is not there", ["--points", "none.json"], /none\.json does not exist/],
  ])("a point %s is answered in one sentence", async (_, tokens, sentence) => {
    const { code, stderr } = await predict("bony.nii.gz", "--output", "refused", ...tokens);
    expect(code).toBe(2);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test("points in a folder of several scans are refused", async () => {
    const { code, stderr } = await predict("study", "--output", "refused", "--at", "1,2,3");
    expect(code).toBe(2);
    expect(stderr).toMatch(/study holds 4 scans, and points belong to one scan/);
  });
});

describe("a model that is corrected by clicks", () => {
  const [large, small] = balls.map(({ centre }) => centre.map((at) => at.toFixed(1)).join(","));
  const [x, y, z] = balls[0].centre;
  const beside = [x + 4, y + 2, z].map((at) => at.toFixed(1)).join(",");
  const run = async (output: string, ...tokens: string[]) => {
    const { code, stdout, stderr } = await predictBy("clicked.safetensors", [
      ...["neck.nii.gz", "--output", output, "--no-pictures", "--json", "--numbered", ...tokens],
    ]);
    expect(code, stderr).toBe(0);
    const { data } = await mask(`${output}/neck.nii.gz`);
    const voxels = [1, 2].map((number) => data.filter((value) => value === number).length);
    return { ...JSON.parse(stdout), stderr, voxels };
  };

  test("a negative click takes away from its node and leaves the other as it is; twice is finished", async () => {
    await run("corrected", "--at", large);
    const before = await run("corrected", "--at", small);
    const after = await run("corrected", "--not-at", beside);
    expect(after.nodes).toHaveLength(2);
    expect(after.voxels[0]).toBeLessThan(before.voxels[0]);
    expect(after.voxels[0]).toBeGreaterThan(before.voxels[0] / 4);
    expect(after.voxels[1]).toBe(before.voxels[1]);
    expect(after.clicks).toMatchObject([
      { node: 1, is_positive: true },
      { node: 2, is_positive: true },
      { node: 1, is_positive: false },
    ]);
    expect((await run("corrected", "--not-at", beside)).stderr).toMatch(/finished already/);
    const together = await run("together", "--at", large, "--not-at", beside);
    expect(together.voxels[0]).toBe(after.voxels[0]);
  });

  test('points of a markups file are in one node by their names, and beside it by "not"', async () => {
    const points = [
      { name: "left", at: small },
      { name: "right", at: large },
      { name: "not right", at: beside },
    ].map(({ name, at }) => ({ label: name, position: at.split(",").map(Number) }));
    const markups = [{ type: "Fiducial", coordinateSystem: "LPS", controlPoints: points }];
    await writeFile(inFolder("named.mrk.json"), JSON.stringify({ markups }));
    const named = await run("named", "--points", "named.mrk.json");
    const typed = await run("typed", "--at", large, "--not-at", beside);
    expect(named.nodes).toHaveLength(2);
    expect(named.voxels[1]).toBe(typed.voxels[0]);
    const refused = await predict("neck.nii.gz", "--output", "refused", "--points", "named.mrk.json");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/was not trained to be told what does not belong to a node/);
  });

  test.each<[string, string[], RegExp]>([
    ["alone", ["--not-at", small], /none says where the node is; give a point in it \(--at\) too/],
    [
      "and no point at all",
      [],
      /outlines only what is clicked, and no point is given; give points in nodes \(--at\)/,
    ],
    [
      "typed twice",
      ["--not-at", small, "--not-at-voxel", "1,2,3"],
      /--not-at and --not-at-voxel both name points/,
    ],
  ])("a negative click %s is answered in one sentence", async (_, tokens, sentence) => {
    const answered = await predictBy("clicked.safetensors", [
      "neck.nii.gz",
      "--output",
      "refused",
      ...tokens,
    ]);
    expect(answered.code).toBe(2);
    expect(answered.stderr).toMatch(sentence);
  });
});

const json = async (...parts: string[]) => JSON.parse(await readFile(inFolder(...parts), "utf8"));
const namesIn = async (name: string) =>
  (await readdir(inFolder(name))).filter((entry) => !entry.startsWith(".")).sort();

describe("clicks and whole scans in one folder", () => {
  const [large, small] = balls.map(({ centre }) => centre.map((at) => at.toFixed(1)).join(","));
  const run = async (output: string, ...tokens: string[]) => {
    const { code, stdout, stderr } = await predictCoarsely(
      "neck.nii.gz",
      "--output",
      output,
      "--no-pictures",
      "--json",
      ...tokens,
    );
    expect(code, stderr).toBe(0);
    const { nodes, clicks } = JSON.parse(stdout);
    return {
      nodes,
      clicks,
      stderr,
      voxels: Float64Array.from((await mask(`${output}/neck.nii.gz`)).data).reduce(
        (sum, value) => sum + value,
        0,
      ),
    };
  };

  test("a click on a finished scan keeps its nodes and refines the one it hits; the same again is finished", async () => {
    const whole = await run("both");
    const clicked = await run("both", "--at", small);
    expect(clicked.nodes).toHaveLength(2);
    expect(clicked.nodes[0]).toEqual(whole.nodes[0]);
    expect(clicked.clicks).toMatchObject([{ node: 2, remark: null }]);
    const before = await readFile(inFolder("both/neck.json"), "utf8");
    expect((await run("both", "--at", small)).stderr).toMatch(/finished already/);
    expect((await run("both")).stderr).toMatch(/finished already/);
    expect(await readFile(inFolder("both/neck.json"), "utf8")).toBe(before);
    expect(await json("both/neck.json")).toMatchObject({ whole_scan: { region: [] }, clicks: [{ node: 2 }] });
  });

  test("a second click adds its node, and a whole scan afterwards keeps both", async () => {
    await run("added", "--at", small);
    const two = await run("added", "--at", large);
    expect(two.nodes.map(({ id, side }: { id: number; side: string }) => [id, side])).toEqual([
      [1, two.nodes[0].side],
      [2, two.nodes[1].side],
    ]);
    const whole = await run("added", "--minimum-volume", "900");
    expect(whole.stderr).toMatch(/2 clicked nodes kept/);
    expect(whole.voxels).toBe(two.voxels);
    expect(whole.clicks.map(({ node }: { node: number }) => node)).toEqual([1, 2]);
  });

  test("what a killed command left unfinished is computed again, whole scan and clicks", async () => {
    await run("both");
    const wanted = await run("both", "--at", small);
    const manifest = await json("both/neck.json");
    await writeFile(inFolder("both/neck.json"), JSON.stringify({ ...manifest, finished: false }));
    await rm(inFolder("both/neck.csv"));
    const again = await run("both");
    expect(again.nodes).toEqual(wanted.nodes);
    expect(again.clicks).toEqual(wanted.clicks);
    expect(await json("both/neck.json")).toMatchObject({ finished: true });
  });

  test("what another model left unfinished is not computed again by this one", async () => {
    await predictBy("coarse.safetensors", ["neck.nii.gz", "--output", "stopped", "--no-pictures"]);
    await rm(inFolder("stopped/neck.csv"));
    const before = await readFile(inFolder("stopped/neck.json"));
    const { code, stderr } = await predict("neck.nii.gz", "--output", "stopped", "--at", small);
    expect(code).toBe(2);
    expect(stderr).toMatch(/stopped\/neck\.json is the result of another model and is not whole/);
    expect((await readFile(inFolder("stopped/neck.json"))).equals(before)).toBe(true);
    // Of the whole scan nothing is kept, so any model may compute it.
    const whole = await predict("neck.nii.gz", "--output", "stopped", "--no-pictures");
    expect(whole.code, whole.stderr).toBe(0);
  });

  test("a mask that a person changed is not replaced", async () => {
    await run("edited", "--at", small);
    await writeFile(
      inFolder("edited/neck.nii.gz"),
      writeNifti({ ...scan(), data: new Uint8Array(voxelCount(grid)) }),
    );
    const { code, stderr } = await predictCoarsely("neck.nii.gz", "--output", "edited", "--at", large);
    expect(code).toBe(2);
    expect(stderr).toMatch(/edited\/neck\.nii\.gz was changed after lnsnet wrote it/);
  });

  test("a scan that changed since does not get the nodes of the old one", async () => {
    await copyFile(inFolder("neck.nii.gz"), inFolder("changing.nii.gz"));
    await predictCoarsely("changing.nii.gz", "--output", "changed", "--no-pictures", "--at", small);
    await writeFile(inFolder("changing.nii.gz"), writeNifti(scan(5)));
    const { code, stderr } = await predictCoarsely("changing.nii.gz", "--output", "changed", "--no-pictures");
    expect(code).toBe(2);
    expect(stderr).toMatch(/scan has changed since changed\/changing\.json was written/);
  });
});

describe("nothing of a person's is replaced", () => {
  test.each(["own.nii.gz", "own.json", "own.csv", "own.png"])("%s beside the scan", async (name) => {
    const place = `place of ${name}`;
    await mkdir(inFolder(place));
    await writeFile(inFolder(place, "own.nii.gz"), writeNifti(scan()));
    if (name !== "own.nii.gz") {
      await rename(inFolder(place, "own.nii.gz"), inFolder(place, "own_0000.nii.gz"));
      await writeFile(inFolder(place, name), "{}");
    }
    const input = name === "own.nii.gz" ? "own.nii.gz" : "own_0000.nii.gz";
    const before = await Promise.all((await namesIn(place)).map((entry) => readFile(inFolder(place, entry))));
    const { code, stderr } = await predictCoarsely(`${place}/${input}`, "--output", place);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`${name}.*(did not make|another folder)`));
    expect(
      await Promise.all((await namesIn(place)).map((entry) => readFile(inFolder(place, entry)))),
    ).toEqual(before);
  });

  test("another folder's scan of the same name does not take its place", async () => {
    for (const place of ["p1", "p2"]) await mkdir(inFolder(`names/${place}`), { recursive: true });
    await writeFile(inFolder("names/p1/ct.nii.gz"), writeNifti(scan()));
    await writeFile(inFolder("names/p2/ct.nii.gz"), writeNifti(scan(4)));
    expect((await predictCoarsely("names/p1/ct.nii.gz", "--output", "one-name", "--no-pictures")).code).toBe(
      0,
    );
    const { code, stderr } = await predictCoarsely(
      "names/p2/ct.nii.gz",
      "--output",
      "one-name",
      "--no-pictures",
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/one-name\/ct\.json is the result of another scan \(.*p1\/ct\.nii\.gz\)/);
  });
});

describe("results are never mixed up", () => {
  test("two scans of one name are named by their folders", async () => {
    const { code, stderr } = await predictCoarsely("names", "--output", "collision", "--no-pictures");
    expect(code, stderr).toBe(0);
    expect((await namesIn("collision")).filter((name) => name.endsWith(".nii.gz"))).toEqual([
      "p1_ct.nii.gz",
      "p2_ct.nii.gz",
    ]);
  });

  test("what lies in the folder from an earlier call is no scan", async () => {
    await mkdir(inFolder("beside"));
    await copyFile(inFolder("neck.nii.gz"), inFolder("beside/neck.nii.gz"));
    for (const again of [false, true]) {
      const { code, stderr } = await predictCoarsely("beside", "--output", "beside/results", "--no-pictures");
      expect(code, stderr).toBe(0);
      expect(/neck is finished already/.test(stderr)).toBe(again);
    }
  });

  test("where two results would still have one name, nothing is begun", async () => {
    await mkdir(inFolder("one-id"));
    for (const name of ["ct.nii.gz", "CT_0000.nii.gz"])
      await writeFile(inFolder("one-id", name), writeNifti(scan()));
    const { code, stderr } = await predictCoarsely("one-id", "--output", "none-begun");
    expect(code).toBe(2);
    expect(stderr).toMatch(/would both be called ct; rename one of the two/i);
    expect(await readdir(inFolder("none-begun")).catch(() => null)).toBeNull();
  });

  /** A patient's series in a folder of the inbox. */
  const arrive = async (name: string, seriesUid: string, shift: number) => {
    await mkdir(inFolder("inbox", name), { recursive: true });
    const series = {
      ...scan(),
      hu: scan(shift).data,
      patientId: name,
      seriesUid,
      frameOfReferenceUid: `${seriesUid}.9`,
    };
    for (const { name: file, bytes } of ctFiles(series))
      await writeFile(inFolder("inbox", name, file), bytes);
  };

  test("an inbox that grows never gives one patient's result to another", async () => {
    await arrive("Anna", "1.2.31", 0);
    await arrive("Berta", "1.2.32", 3);
    const tokens = ["inbox", "--output", "from-inbox", "--no-pictures"];
    const first = await predictCoarsely(...tokens);
    expect(first.code, first.stderr).toBe(0);
    const results = ["1.2.31", "1.2.32"].map((uid) => `from-inbox/${seriesId(uid)}.json`);
    const before = await Promise.all(results.map((name) => readFile(inFolder(name), "utf8")));
    await arrive("Aaron", "1.2.30", 6);
    const second = await predictCoarsely(...tokens);
    expect(second.stderr.match(/finished already/g)).toHaveLength(2);
    expect(await Promise.all(results.map((name) => readFile(inFolder(name), "utf8")))).toEqual(before);
    const { scan: whose } = await json(`from-inbox/${seriesId("1.2.30")}.json`);
    expect(whose.path).toBe(await realpath(inFolder("inbox/Aaron")));
    expect(second.stdout).toContain(whose.path);
  });

  test("anonymous results name nobody, and are found again by the same command", async () => {
    await arrive("Anna", "1.2.31", 0);
    const tokens = [
      "inbox",
      "--series",
      "1.2.31",
      "--output",
      "anonymous",
      "--anonymize",
      "--dicom",
      "seg,sr",
    ];
    const { code, stderr } = await predictCoarsely(...tokens);
    expect(code, stderr).toBe(0);
    const names = await namesIn("anonymous");
    expect(names).toHaveLength(6);
    for (const name of names) {
      const text = name + (await readFile(inFolder("anonymous", name), "latin1"));
      for (const secret of ["Anna", "1.2.31", folder])
        expect(text.includes(secret), `${secret} in ${name}`).toBe(false);
    }
    expect((await predictCoarsely(...tokens)).stderr).toMatch(/finished already/);
  });
});

test("DICOM objects of a volume file are refused before work begins; of both kinds, each is told", async () => {
  const alone = await predictCoarsely("neck.nii.gz", "--output", "no-dicom", "--dicom", "seg");
  expect(alone.code).toBe(2);
  expect(alone.stderr).toMatch(/neck\.nii\.gz is a volume file, and --dicom seg needs a DICOM series/);
  expect(await readdir(inFolder("no-dicom")).catch(() => null)).toBeNull();
});

test("a model whose answer is NaN is an error", async () => {
  const model = densityModel();
  model.weights.get("head.logits.weight")?.fill(Number.NaN);
  await writeFile(inFolder("nan.safetensors"), writeModel(model, false));
  const tokens = ["neck.nii.gz", "--output", "nan", "--search", "everything", "--model", "nan.safetensors"];
  const { code, stderr } = await session.run("predict", ...tokens);
  expect(code).toBe(2);
  expect(stderr).toMatch(/NaN/);
  expect(await namesIn("nan").catch(() => [])).toEqual([]);
});

describe("a batch", () => {
  test("does what it can, names at the end what failed, and says so by its exit code", async () => {
    const { code, stderr } = await predictCoarsely("study", "--output", "batch", "--no-pictures");
    expect(code).toBe(2);
    expect((await readdir(inFolder("batch"))).filter((name) => name.endsWith(".nii.gz")).sort()).toEqual([
      ...["scan_0.nii.gz", "scan_1.nii.gz", "scan_2.nii.gz"],
    ]);
    expect(stderr).toMatch(/scan_1b failed: .*scan_1b\.nii\.gz is not a NIfTI file/);
    expect(stderr.match(/is not a NIfTI file/g)).toHaveLength(1);
    expect(stderr).toMatch(/1 scan of 4 could not be segmented \(scan_1b\); the others are done/);
  });

  test("killed in the middle, the same command goes on with the rest", async () => {
    const tokens = ["predict", "study", "--output", "killed", "--no-pictures", "--search", "everything"];
    tokens.push("--overlap", "0");
    const child = spawn(process.execPath, [bin, ...tokens, "--model", "coarse.safetensors"], { cwd: folder });
    const isThere = () =>
      readFile(inFolder("killed/scan_0.json"), "utf8").then(
        (text) => JSON.parse(text).finished === true,
        () => false,
      );
    while (!(await isThere())) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("close", resolve));
    const first = await readFile(inFolder("killed/scan_0.json"), "utf8");
    const { stderr } = await predictCoarsely("study", "--output", "killed", "--no-pictures");
    expect(stderr).toMatch(/scan_0 is finished already/);
    expect(await readFile(inFolder("killed/scan_0.json"), "utf8")).toBe(first);
    for (const name of ["scan_0", "scan_1", "scan_2"]) {
      const found = await readFile(inFolder(`killed/${name}.nii.gz`));
      expect(readNifti(found, name).data).toEqual(
        readNifti(await readFile(inFolder(`batch/${name}.nii.gz`)), name).data,
      );
    }
    expect((await readdir(inFolder("killed"))).filter((name) => name.includes("partial"))).toEqual([]);
  });
});

/** A box of soft tissue in air, so thin or coarse that little is left of it. */
const boxScan = (size: Vector3, spacingMm: Vector3, hu: (at: number) => number): Volume<Int16Array> => ({
  size,
  spacingMm,
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  data: Int16Array.from({ length: size[0] * size[1] * size[2] }, (_, at) => hu(at)),
});
const tissue = (at: number) => Math.round(60 * Math.sin(at * 0.37)) - 20;

describe("scans at the edge of what can be used", () => {
  test.each<[string, Volume]>([
    ["of four slices", boxScan([40, 40, 4], [1, 1, 3], tissue)],
    ["of 1×1×5 mm", boxScan([40, 40, 12], [1, 1, 5], tissue)],
  ])("%s are segmented on their own grid", async (_, volume) => {
    await writeFile(inFolder("edge.nii.gz"), writeNifti(volume));
    const { code, stderr } = await predict("edge.nii.gz", "--output", "edge", "--no-pictures");
    expect(code, stderr).toBe(0);
    expect(sameGeometry(await mask("edge/edge.nii.gz"), volume)).toBe(true);
  });

  test("what is no CT is refused", async () => {
    const magnetic = boxScan([40, 40, 20], [1, 1, 3], (at) => Math.abs(tissue(at)) * 12 + 300);
    await writeFile(inFolder("mr.nii.gz"), writeNifti(magnetic));
    const { code, stderr } = await predict("mr.nii.gz", "--output", "refused");
    expect(code).toBe(2);
    expect(stderr).toMatch(/mr\.nii\.gz/);
    expect(await readdir(inFolder("refused")).catch(() => null)).toBeNull();
  });

  test.each<[string, string, RegExp]>([
    ["an ONNX file in the place of a model", "some.onnx", /some\.onnx.*(safetensors|model)/],
    [
      "models for different spacings together",
      "model.safetensors,coarse.safetensors",
      /spacing of 1\.5×1\.5×1\.5 mm.*2×2×2/,
    ],
    ["a folder without a model", "study", /study holds no model\.safetensors and no fold_0/],
  ])("%s", async (_, model, sentence) => {
    await writeFile(inFolder("some.onnx"), Uint8Array.of(8, 9, 18, 6, 108, 110, 115, 110, 101, 116));
    const { code, stderr } = await session.run(
      "predict",
      "neck.nii.gz",
      "--model",
      model,
      "--output",
      "refused",
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
