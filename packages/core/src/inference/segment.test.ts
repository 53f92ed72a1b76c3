// Whole scans and clicks by one function: numbers, measures, confidence, cleaning, progress and stopping.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { sizeOf } from "../graph/shape.js";
import { networkPresets, partsOf } from "../networks/catalogue.js";
import { indexedStream, uniform } from "../random.js";
import { nodeRuntime } from "../runtime/node.js";
import type { SessionOptions } from "../runtime/types.js";
import { type Vector3, voxelCount } from "../volume/volume.js";
import { defaultCleanUp } from "./clean-up.js";
import { segmentClickedNode } from "./clicked-node.js";
import { densityPredictor } from "./density-predictor.test-helper.js";
import { type Ball, drawnScan, straightGrid } from "./drawn-scan.test-helper.js";
import { openPredictor, type TrainedModel } from "./predictor.js";
import { segment } from "./segment.js";

const grid = straightGrid([64, 64, 32], [1, 1, 2], [-32, -32, 0]);
const large: Ball = { centreMm: [-15, 0, 32], radiusMm: 8, hu: 90 };
const small: Ball = { centreMm: [15, 0, 32], radiusMm: 5, hu: 90 };
const speck: Ball = { centreMm: [0, 20, 32], radiusMm: 1, hu: 240 };
const scan = drawnScan(grid, [large, small, speck]);

let predictor: Awaited<ReturnType<typeof densityPredictor>>;
beforeAll(async () => {
  predictor = await densityPredictor([24, 24, 24]);
});
afterAll(() => predictor.release());

test("a whole scan's nodes are numbered by size, measured, and the network's confidence is told", async () => {
  const { instances, nodes, clicks } = await segment(scan, predictor);
  expect(nodes.map(({ id, side }) => ({ id, side }))).toEqual([
    { id: 1, side: "right" },
    { id: 2, side: "left" },
  ]);
  expect(nodes[0].volumeMl).toBeCloseTo(2.1, 0);
  expect(nodes[0].meanProbability).toBeGreaterThan(0.8);
  expect(nodes[0].ensembleDisagreement).toBeNull();
  expect(instances.data.length).toBe(voxelCount(scan));
  expect(clicks).toEqual([]);
});

test("specks go by default, and stay where none is too small", async () => {
  const cleanUp = { ...defaultCleanUp, minimumVolumeMl: 0 };
  expect((await segment(scan, predictor)).nodes).toHaveLength(2);
  expect((await segment(scan, predictor, { cleanUp })).nodes).toHaveLength(3);
});

test("a cavity is filled by default", async () => {
  const hollow = drawnScan(grid, [large, { ...large, radiusMm: 3, hu: -100 }]);
  const filled = await segment(hollow, predictor);
  const kept = await segment(hollow, predictor, { cleanUp: { ...defaultCleanUp, fillsCavities: false } });
  expect(filled.nodes[0].voxels - kept.nodes[0].voxels).toBeGreaterThan(30);
});

test("clicks number nodes in their order; a second click into a node, and one into nothing, add none", async () => {
  const { nodes, clicks } = await segment(scan, predictor, {
    at: [small.centreMm, large.centreMm, [16, 1, 31], [20, -25, 32]],
  });
  expect(clicks.map(({ node }) => node)).toEqual([1, 2, 1, null]);
  expect(clicks[3].remark).toMatch(/No node was found/);
  expect(nodes.map(({ id, side }) => ({ id, side }))).toEqual([
    { id: 1, side: "left" },
    { id: 2, side: "right" },
  ]);
});

test("a clicked node is the node of the whole scan", async () => {
  const whole = await segment(scan, predictor);
  const clicked = await segment(scan, predictor, { at: [large.centreMm] });
  expect(clicked.nodes[0].voxels).toBe(whole.nodes[0].voxels);
  expect(clicked.nodes[0].centroidLpsMm).toEqual(whole.nodes[0].centroidLpsMm);
});

test("a node that is clicked by itself is measured as in the scan, in memory of a patch's size", async () => {
  const {
    nodes: [expected],
    instances,
  } = await segment(scan, predictor, { at: [large.centreMm] });
  const found = await segmentClickedNode(scan, large.centreMm, predictor);
  if (found.found === "none") throw new Error(found.reason);
  expect(found.mask.data.length).toBeLessThan(instances.data.length / 2);
  const { node } = found;
  for (const key of ["id", "voxels", "side", "boundingBoxIndex", "ensembleDisagreement"] as const)
    expect(node[key]).toEqual(expected[key]);
  for (const key of [
    "volumeMl",
    "longAxisMm",
    "shortAxisMm",
    "feretMaxMm",
    "huMean",
    "meanProbability",
  ] as const)
    expect(node[key]).toBeCloseTo(Number(expected[key]), 9);
  for (const axis of [0, 1, 2]) expect(node.centroidLpsMm[axis]).toBeCloseTo(expected.centroidLpsMm[axis], 9);
});

describe("nodes that stand there", () => {
  const byNumber = (nodes: readonly { id: number; voxels: number }[]) =>
    nodes.map(({ id, voxels }) => [id, voxels]);

  test("a click adds its node to those of a whole scan, and leaves them as they are", async () => {
    const alone = await segment(scan, predictor, { at: [small.centreMm] });
    const { nodes, clicks } = await segment(scan, predictor, { at: [large.centreMm], standing: alone });
    expect(clicks[0].node).toBe(2);
    expect(nodes[0]).toEqual(alone.nodes[0]);
    expect(nodes[1].side).toBe("right");
  });

  test("a click into one of them refines it under its number, and a second time changes nothing", async () => {
    const whole = await segment(scan, predictor);
    const once = await segment(scan, predictor, { at: [small.centreMm], standing: whole });
    expect(once.clicks[0].node).toBe(2);
    expect(byNumber(once.nodes)).toEqual(byNumber(whole.nodes));
    const twice = await segment(scan, predictor, { at: [small.centreMm], standing: once });
    expect(twice.nodes).toEqual(once.nodes);
    expect(twice.instances.data).toEqual(once.instances.data);
  });

  test("a whole scan keeps clicked nodes in the place of those that they cover", async () => {
    const clicked = await segment(scan, predictor, { at: [small.centreMm] });
    const found = await segment(scan, predictor, { standing: clicked });
    expect([...found.numberOfStanding]).toEqual([[1, 2]]);
    expect(byNumber(found.nodes)).toEqual(byNumber((await segment(scan, predictor)).nodes));
    expect(found.nodes[1].meanProbability).toBe(clicked.nodes[0].meanProbability);
  });

  test("a whole scan keeps a clicked node that it does not find", async () => {
    const clicked = await segment(scan, predictor, { at: [small.centreMm] });
    const cleanUp = { ...defaultCleanUp, minimumVolumeMl: 1 };
    const found = await segment(scan, predictor, { standing: clicked, cleanUp });
    expect([...found.numberOfStanding]).toEqual([[1, 2]]);
    expect(found.nodes.map(({ side }) => side)).toEqual(["right", "left"]);
  });

  test("of another scan they are refused", async () => {
    const clicked = await segment(scan, predictor, { at: [small.centreMm] });
    const moved = { ...scan, originMm: [0, 0, 0] as const };
    await expect(segment(moved, predictor, { standing: clicked })).rejects.toThrow(
      /same geometry as the scan/,
    );
  });
});

test("what lies outside the body, as on a table, is no node", async () => {
  const table: Ball = { centreMm: [0, 28, 32], radiusMm: 4, hu: 90 };
  const onTable = drawnScan(grid, [large, table]);
  const [nx, ny] = grid.size;
  // Air behind the back, but for the ball.
  const data = onTable.data.map((hu, at) => {
    const isBehind = Math.floor(at / nx) % ny >= 50;
    return isBehind && hu !== table.hu ? -1000 : hu;
  });
  const { nodes, leftOut } = await segment({ ...onTable, data }, predictor, { searched: "everything" });
  expect(nodes.map(({ side }) => side)).toEqual(["right"]);
  expect(leftOut).toEqual({ outsideBody: 1, implausible: 0, doubtful: 0 });
});

describe("bone beside a node, by a model of lymph nodes", () => {
  const bone: Ball = { ...small, hu: 700 };
  const withBone = drawnScan(grid, [large, bone]);
  const named = (foreground: string) => ({ ...predictor, plan: { ...predictor.plan, foreground } });

  test("is left out and counted, or kept and marked on request", async () => {
    const ofNodes = named("lymph node");
    const found = await segment(withBone, ofNodes);
    expect(found.nodes.map(({ side, isImplausible }) => [side, isImplausible])).toEqual([["right", false]]);
    expect(found.leftOut).toEqual({ outsideBody: 0, implausible: 1, doubtful: 0 });
    expect(found.instances.data.includes(2)).toBe(false);
    const cleanUp = { ...defaultCleanUp, keepsImplausible: true };
    const kept = await segment(withBone, ofNodes, { cleanUp });
    expect(kept.nodes.map(({ side, isImplausible }) => [side, isImplausible])).toEqual([
      ["right", false],
      ["left", true],
    ]);
    expect(kept.leftOut.implausible).toBe(0);
  });

  test("is nothing to a model of something else", async () => {
    const found = await segment(withBone, named("mandible"));
    expect(found.nodes.map(({ isImplausible }) => isImplausible)).toEqual([false, false]);
    expect(found.leftOut.implausible).toBe(0);
  });

  test("is kept with a warning where a person clicked it, and a whole scan afterwards keeps it", async () => {
    const ofNodes = named("lymph node");
    // At the edge of the ball: a click into bone itself is refused.
    const edge: Vector3 = [bone.centreMm[0] - bone.radiusMm - 2, bone.centreMm[1], bone.centreMm[2]];
    const clicked = await segment(withBone, ofNodes, { at: [edge, large.centreMm] });
    expect(clicked.nodes.map(({ isImplausible }) => isImplausible)).toEqual([true, false]);
    expect(clicked.clicks[0].remark).toMatch(
      /^Node 1 has HU that fit no lymph node \(700 HU on average, 100 % bone or air\); it is kept/,
    );
    expect(clicked.clicks[1].remark).toBeNull();
    const whole = await segment(withBone, ofNodes, { standing: clicked });
    expect(whole.nodes).toHaveLength(2);
    expect(whole.nodes.find(({ side }) => side === "left")?.isImplausible).toBe(true);
    expect(whole.leftOut.implausible).toBe(1);
  });
});

describe("progress and stopping", () => {
  test("tells of each patch, the last one last", async () => {
    const told: number[] = [];
    await segment(scan, predictor, { onProgress: (done, total) => told.push(total - done) });
    expect(told.at(-1)).toBe(0);
    expect(told).toEqual([...told].sort((a, b) => b - a));
  });

  test("stops before the next patch with the signal's reason", async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("enough"));
    await expect(segment(scan, predictor, { onProgress, signal: controller.signal })).rejects.toThrow(
      "enough",
    );
  });
});

/** A small LNSNet with weights of its own. */
function untrained(seed: number, spacing = 1): TrainedModel {
  const network = networkPresets["lnsnet-small"];
  const random = indexedStream(seed, 0);
  const weights = new Map(
    partsOf(network, [16, 16, 16]).parameters.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: sizeOf(shape) }, () => uniform(random, -0.2, 0.2)),
    ]),
  );
  return {
    plan: {
      network,
      patchSize: [16, 16, 16],
      spacingMm: [spacing, spacing, spacing],
      window: { lowHu: -150, highHu: 250 },
    },
    weights,
  };
}

describe("ensembles", () => {
  test("models that see scans differently are refused with both named", async () => {
    await expect(openPredictor([untrained(1), untrained(2, 2)], nodeRuntime)).rejects.toThrow(
      /spacing of 1×1×1 mm.*another with a spacing of 2×2×2 mm/,
    );
  });

  test("of equal models, the mean is each one's answer and they do not disagree", async () => {
    const single = await openPredictor([untrained(1)], nodeRuntime, { threads: 1 });
    const two = await openPredictor([untrained(1), untrained(1)], nodeRuntime, { threads: 1 });
    const prepared = {
      ...straightGrid([20, 16, 16], [1, 1, 1]),
      hu: Int16Array.from({ length: 20 * 256 }, (_, at) => at % 200),
    };
    const [alone] = await single.probability(prepared, { overlap: 0 });
    const [together] = await two.probability(prepared, { overlap: 0 });
    await single.release();
    await two.release();
    together.probability.data.forEach((value, at) => {
      expect(value).toBeCloseTo(alone.probability.data[at], 6);
    });
    expect(Math.max(...(together.disagreement?.data ?? [1]))).toBeLessThan(1e-3);
  });
});

describe("a program's mistakes are answered in a sentence", () => {
  const open = (models: unknown, options: unknown = {}) =>
    openPredictor(models as TrainedModel[], nodeRuntime, options as SessionOptions);
  test.each<[string, unknown, unknown, RegExp]>([
    ["no list", undefined, {}, /without a model.*at least one/],
    ["an empty list", [], {}, /without a model/],
    ["a promise of a model", [Promise.resolve(untrained(1))], {}, /not a model.*awaited/],
    ["null among models", [untrained(1), null], {}, /not a model/],
    ["a device that there is not", [untrained(1)], { device: "gpu" }, /no device "gpu".*auto, cpu/],
    ["half a thread", [untrained(1)], { threads: 0.5 }, /threads is 0\.5/],
  ])("models: %s", async (_, models, options, sentence) => {
    const opened = open(models, options);
    await expect(opened).rejects.toThrow(InputError);
    await expect(opened).rejects.toThrow(sentence);
  });

  test.each<[string, unknown, RegExp]>([
    ["a point alone", [1, 2, 3], /Point 1 of 3 is not a triple/],
    [
      "two numbers",
      [
        [0, 0, 0],
        [1, 2],
      ],
      /Point 2 of 2 is not a triple/,
    ],
    ["NaN", [[0, Number.NaN, 0]], /Point 1 of 1 is not a triple of finite numbers/],
    ["text", "1,2,3", /not a list/],
  ])("points: %s", async (_, at, sentence) => {
    const segmented = segment(scan, predictor, { at: at as Vector3[] });
    await expect(segmented).rejects.toThrow(InputError);
    await expect(segmented).rejects.toThrow(sentence);
  });

  test("use after release, and release twice", async () => {
    const released = await open([untrained(1)]);
    await released.release();
    await released.release();
    await expect(segment(scan, released, { searched: "everything" })).rejects.toThrow(/was released/);
    await expect(released.warmUp()).rejects.toThrow(/was released/);
  });

  test("release in the middle of a scan", async () => {
    const released = await open([untrained(1)]);
    const onProgress = () => void released.release();
    await expect(segment(scan, released, { searched: "everything", onProgress })).rejects.toThrow(
      /was released/,
    );
  });
});

test("a warmed-up ensemble answers as a fresh one does", async () => {
  const models = [untrained(1), untrained(2)];
  const [fresh, warmed] = [
    await openPredictor(models, nodeRuntime),
    await openPredictor(models, nodeRuntime),
  ];
  await warmed.warmUp();
  const at = [large.centreMm];
  const [expected, got] = [await segment(scan, fresh, { at }), await segment(scan, warmed, { at })];
  expect(got.clicks).toEqual(expected.clicks);
  expect(got.instances.data).toEqual(expected.instances.data);
  await fresh.release();
  await warmed.release();
});

describe("a broken network's answer is an error, never no node", () => {
  const brokenBy = (name: string, value: number): TrainedModel => {
    const model = untrained(1);
    model.weights.get(name)?.fill(value, 0, 1);
    return model;
  };
  test.each<[string, number]>([
    ["NaN", Number.NaN],
    ["infinite", Number.POSITIVE_INFINITY],
  ])("%s", async (_, bias) => {
    const broken = await openPredictor([untrained(2), brokenBy("head.logits.bias", bias)], nodeRuntime);
    for (const options of [{ searched: "everything" as const }, { at: [large.centreMm] }])
      await expect(segment(scan, broken, options)).rejects.toThrow(
        /gave NaN or infinite numbers in 4096 of the 4096 voxels/,
      );
    await broken.release();
  });
});
