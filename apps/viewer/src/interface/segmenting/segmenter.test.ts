// What a person asks for while something is still on its way.
/// <reference types="vite/client" />
import type { Vector3 } from "@lnsnet/core/volume";
import { expect, test } from "vitest";
import type { ClickAnswer, OpenedModel, SearchAnswer } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import { createStudy } from "../../study/study.js";
import { openScan } from "../session.js";
import type { PlanePointer } from "../tool.js";
import type { Workspace } from "../workspace.js";
import { findAll, modelFor, models, nodeTool, segmentWith, useModel } from "./segmenter.js";

test("a person's own model stays when the shipped one has come, which is closed", async () => {
  const shipped = { model: 1, name: "finder.safetensors", isPromptable: false } as OpenedModel;
  const own = { model: 2, name: "own.safetensors", isPromptable: false } as OpenedModel;
  let arrive = () => {};
  const arrived = new Promise<OpenedModel>((resolve) => {
    arrive = () => resolve(shipped);
  });
  const closed: number[] = [];
  const engine: Partial<Engine> = {
    openModel: () => arrived,
    closeModel: async ({ model }) => {
      closed.push(model);
    },
  };
  segmentWith(engine as Engine);
  const asked = modelFor("finder");
  useModel(own);
  arrive();
  expect(await asked).toBe(own);
  expect(models.value.finder).toBe(own);
  expect(closed).toEqual([1]);
});

/** A scan of eight voxels in a row, open, with the tool and an engine that does what a test says. */
function openRow(engine: Partial<Engine>) {
  const scan = { size: [8, 1, 1], spacingMm: [1, 1, 1], originMm: [0, 0, 0] } as const;
  const volume = { ...scan, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] as const, data: new Int16Array(8) };
  const study = createStudy(volume);
  const workspace = {
    view: {},
    study,
    opened: { scan: 1 },
    kept: { known: Promise.resolve() },
    selected: { value: null },
  } as unknown as Workspace;
  openScan.value = workspace;
  segmentWith({ closeModel: async () => {}, ...engine } as Engine);
  const node = (x: number, length = 1) => ({
    mask: { ...volume, size: [length, 1, 1] as Vector3, data: new Uint8Array(length).fill(1) },
    start: [x, 0, 0] as Vector3,
    centroidMm: [x, 0, 0] as Vector3,
    node: {},
  });
  const click = (x: number, ctrl = false) =>
    nodeTool({ phase: "press", view: workspace.view, pointMm: [x, 0, 0], ctrl } as unknown as PlanePointer);
  return { workspace, study, node, click, numbers: () => [...study.labels.data] };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

test("clicks that come faster than answers are all answered, and a correction means the node of the click before it", async () => {
  const asked: string[] = [];
  const { workspace, node, click, numbers } = openRow({
    // A node of one voxel at the last point that is in it.
    async segmentAt({ at, not }) {
      asked.push(`${at.map(([x]) => x)} not ${not.map(([x]) => x)}`);
      await pause();
      const found = { found: "node", answer: asked.length, ...node(at[at.length - 1][0]), computed: {} };
      return found as unknown as ClickAnswer;
    },
  });
  useModel({ model: 3, name: "clicker", isPromptable: true } as OpenedModel);
  click(1);
  click(4);
  click(6, true);
  click(1);
  await expect.poll(() => asked).toEqual(["1 not ", "4 not ", "4,6 not "]);
  await expect.poll(() => workspace.selected.value).toBe(1);
  expect(numbers()).toEqual([0, 1, 0, 0, 0, 0, 2, 0]);
});

test("what arrives while a stroke is drawn waits for its end, and is not taken back with it", async () => {
  const { study, node, click, numbers } = openRow({
    segmentAt: async () => ({ found: "node", answer: 1, ...node(5), computed: {} }) as unknown as ClickAnswer,
  });
  useModel({ model: 4, name: "clicker", isPromptable: true } as OpenedModel);
  const stroke = study.begin("brush");
  study.addNode({ start: [0, 0, 0], size: [1, 1, 1], data: Uint8Array.of(1) });
  click(5);
  await pause();
  expect(numbers()).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
  stroke.cancel();
  await expect.poll(numbers).toEqual([0, 0, 0, 0, 0, 1, 0, 0]);
});

test("a node of a search is replaced by the search's answer, unless a person changed it meanwhile", async () => {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const { workspace, study, node, numbers } = openRow({
    async findAll(_, job) {
      job?.onNodes?.([node(0), node(3), node(6)]);
      await ended;
      return { nodes: [node(0, 2), node(3), node(6)], leftOut: 0, computed: {} } as unknown as SearchAnswer;
    },
  });
  useModel({ model: 5, name: "finder", isPromptable: false } as OpenedModel);
  const search = findAll(workspace);
  await expect.poll(() => study.nodes.length).toBe(3);
  study.paint("brush", 2, { start: [2, 0, 0], size: [1, 1, 1], data: Uint8Array.of(1) });
  study.rename(3, "level II");
  // A stroke that is drawn when the answer comes.
  const stroke = study.begin("brush");
  end();
  await pause();
  expect(numbers()).toEqual([1, 0, 2, 2, 0, 0, 3, 0]);
  stroke.commit();
  await search;
  expect(study.nodes.map(({ name }) => name)).toContain("level II");
  const [a, b, c] = [0, 2, 6].map((at) => study.labels.data[at]);
  expect(numbers()).toEqual([a, a, b, b, 0, 0, c, 0]);
  expect([b, c]).toEqual([2, 3]);
});
