// Learning from nodes, on onnxruntime-node: the held-out node is outlined better; what is asked for in vain is refused.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { generatePatient, InputError, type Model, readModel, type Vector3, writeModel } from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { crop } from "@lnsnet/core/volume";
import { dilate, measureNodes, numberedComponents } from "@lnsnet/core/voxels";
import { beforeAll, expect, test, vi } from "vitest";
import type { LearningPoint } from "./answers.js";
import { type LearningNode, learn } from "./learning.js";

const path = createRequire(import.meta.url).resolve("@lnsnet/models/finder.safetensors");
const { image, label } = generatePatient(2026, 60, {
  ...{ fieldMm: [144, 144, 120], inPlaneSpacingMm: [1.5, 1.5], sliceSpacingMm: [3, 3] },
  ...{ obliqueShare: 0, reversedShare: 0 },
});
const instances = numberedComponents(label);

/** The largest nodes as a person would draw them who counts the capsule too: each with the voxels around it. */
const nodes = measureNodes(instances, image, "labels")
  .slice(0, 4)
  .map(({ id, boundingBoxIndex: box }, at): LearningNode => {
    const start = box.start.map((first) => Math.max(0, first - 2)) as unknown as Vector3;
    const end = box.size.map((length, axis) => Math.min(image.size[axis], box.start[axis] + length + 2));
    const cut = crop(instances, start, [end[0] - start[0], end[1] - start[1], end[2] - start[2]]);
    const own = Uint8Array.from(cut.data, (number) => (number === id ? 1 : 0));
    return { number: id, isHeldOut: at === 1, start, mask: { ...cut, data: dilate(own, cut.size) } };
  });
const request = { nodes, steps: 16, source: "phantom" };

// Some seconds at rest.
vi.setConfig({ testTimeout: 300_000 });

let finder: Model;
beforeAll(async () => {
  finder = readModel(await readFile(path), "finder");
});

test("three corrected nodes teach the finder where a person draws the border of a fourth", async () => {
  const curve: LearningPoint[] = [];
  const learned = await learn(image, finder, request, nodeRuntime, {
    onLearning: (point) => curve.push(point),
  });
  const [{ number, before, after }] = learned.heldOut;
  expect(number).toBe(nodes[1].number);
  expect(before).toBeLessThan(0.8);
  expect(after).toBeGreaterThan(before + 0.08);
  expect(curve[0]).toEqual({ step: 0, heldOutDsc: before });
  expect(Math.max(...curve.map(({ heldOutDsc = 0 }) => heldOutDsc))).toBe(after);
  const { plan, steps } = readModel(writeModel(learned.model, false), "tuned");
  expect(plan.dataLabel).toMatch(/implanted nodes, then 3 nodes of phantom, corrected or drawn by a person$/);
  expect(plan.calibration).toBeUndefined();
  expect(steps).toBe(finder.steps + learned.bestStep);
});

test("a new model learns from nothing: its loss falls, and it is a model like others", async () => {
  const losses: number[] = [];
  const learned = await learn(image, null, { ...request, steps: 20 }, nodeRuntime, {
    onLearning: ({ loss }) => loss !== undefined && losses.push(loss),
  });
  expect(losses).toHaveLength(2);
  expect(losses[1]).toBeLessThan(losses[0]);
  const { plan } = readModel(writeModel(learned.model, false), "taught");
  expect(plan.dataLabel).toBe("3 nodes of phantom, corrected or drawn by a person");
});

test("it is stopped between two steps, with the signal's reason", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  const learning = learn(image, finder, request, nodeRuntime, {
    signal: stop.signal,
    onProgress: ({ done }) => done === 1 && stop.abort(reason),
  });
  await expect(learning).rejects.toBe(reason);
});

test.each<[string, LearningNode[], RegExp]>([
  ["no node is held out", nodes.map((node) => ({ ...node, isHeldOut: false })), /^No node is held out/],
  [
    "none is left to learn from",
    nodes.filter(({ isHeldOut }) => isHeldOut),
    /^There are 0 nodes to learn from/,
  ],
])("where %s, a sentence says so", async (_, given, sentence) => {
  const learning = learn(image, finder, { ...request, nodes: given }, nodeRuntime, {});
  await expect(learning).rejects.toThrow(InputError);
  await expect(learning).rejects.toThrow(sentence);
});
