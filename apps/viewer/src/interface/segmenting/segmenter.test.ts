// Which model is used where a person opens one while another is still on its way.
/// <reference types="vite/client" />
import { expect, test } from "vitest";
import type { OpenedModel } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import { modelFor, models, segmentWith, useModel } from "./segmenter.js";

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
