// What a person asks for while something is still on its way.
/// <reference types="vite/client" />
import type { Vector3 } from "@lnsnet/core/volume";
import { expect, test } from "vitest";
import type { ClickAnswer, OpenedModel } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import { createStudy } from "../../study/study.js";
import { openScan } from "../session.js";
import type { PlanePointer } from "../tool.js";
import type { Workspace } from "../workspace.js";
import { modelFor, models, nodeTool, segmentWith, useModel } from "./segmenter.js";

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

test("clicks that come faster than answers are all answered, and a correction means the node of the click before it", async () => {
  const scan = { size: [8, 1, 1], spacingMm: [1, 1, 1], originMm: [0, 0, 0] } as const;
  const volume = { ...scan, direction: identity, data: new Int16Array(8) };
  const study = createStudy(volume);
  const view = {};
  const workspace = {
    view,
    study,
    opened: { scan: 1 },
    kept: { known: Promise.resolve() },
    selected: { value: null },
  } as unknown as Workspace;
  openScan.value = workspace;
  const asked: string[] = [];
  let answers = 0;
  const engine: Partial<Engine> = {
    // A node of one voxel at the last point that is in it.
    async segmentAt({ at, not }) {
      asked.push(`${at.map(([x]) => x)} not ${not.map(([x]) => x)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      const [x] = at[at.length - 1];
      const mask = { ...volume, size: [1, 1, 1] as Vector3, data: Uint8Array.of(1) };
      const found = { found: "node", answer: ++answers, mask, start: [x, 0, 0], node: {}, computed: {} };
      return found as unknown as ClickAnswer;
    },
    closeModel: async () => {},
  };
  segmentWith(engine as Engine);
  useModel({ model: 3, name: "clicker", isPromptable: true } as OpenedModel);
  const click = (x: number, ctrl = false) =>
    nodeTool({ phase: "press", view, pointMm: [x, 0, 0], ctrl } as unknown as PlanePointer);
  click(1);
  click(4);
  click(6, true);
  click(1);
  await expect.poll(() => asked).toEqual(["1 not ", "4 not ", "4,6 not "]);
  await expect.poll(() => workspace.selected.value).toBe(1);
  expect([...study.labels.data]).toEqual([0, 1, 0, 0, 0, 0, 2, 0]);
});

const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1] as const;
