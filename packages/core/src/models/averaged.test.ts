// The mean of two models' weights, and the pairs of which there is none.
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { type NetworkSpecification, networkPresets, partsOf } from "../networks/catalogue.js";
import { lnsnetDefaults } from "../networks/lnsnet.js";
import { averaged } from "./averaged.js";
import type { Model } from "./model-file.js";

const patchSize = [16, 16, 16] as const;
const small: NetworkSpecification = {
  name: "lnsnet",
  configuration: { ...lnsnetDefaults, stages: [4, 8], depths: [1, 1], decoderDepth: 1 },
};

function modelOf(value: number, plan: Partial<Model["plan"]> = {}): Model {
  const network = plan.network ?? small;
  const { parameters, buffers } = partsOf(network, patchSize);
  const weights = new Map(
    [...parameters, ...buffers].map(({ name, shape }, at) => {
      const length = shape.reduce((product, edge) => product * edge, 1);
      return [name, new Float32Array(length).fill(value * (at + 1))];
    }),
  );
  const common = { spacingMm: [1, 1, 1] as const, window: { lowHu: -200, highHu: 300 }, foreground: "node" };
  return { plan: { network, patchSize, dataLabel: "phantom", ...common, ...plan }, steps: value, weights };
}

test("each weight is the mean of both, whichever comes first; the models that were given stay as they are", () => {
  const calibration = { slope: 1, intercept: 0, scans: 1, nodes: 1 };
  const [one, other] = [modelOf(1, { calibration }), modelOf(4, { dataLabel: "implanted" })];
  const mean = averaged(one, other);
  expect(mean.weights).toEqual(modelOf(2.5).weights);
  expect(averaged(other, one).weights).toEqual(mean.weights);
  expect(mean.plan).toEqual({ ...modelOf(1).plan, dataLabel: "phantom + implanted" });
  expect(mean.steps).toBe(1);
  expect(one).toEqual(modelOf(1, { calibration }));
});

describe("refuses", () => {
  test.each<[string, Partial<Model["plan"]>, RegExp]>([
    ["another spacing", { spacingMm: [2, 1, 1] }, /a spacing of 1×1×1 mm.*2×1×1 mm/],
    ["another network", { network: networkPresets["basic-unet"] }, /these are LNSNet.* and .*UNet/i],
    ["a model that takes clicks", { clickMaps: { radiusMm: 6 } }, /clicks of 6 mm/],
  ])("%s", (_, plan, message) => {
    expect(() => averaged(modelOf(1), modelOf(1, plan))).toThrow(InputError);
    expect(() => averaged(modelOf(1), modelOf(1, plan))).toThrow(message);
  });

  test("statistics of batch norm", () => {
    const preset = Object.values(networkPresets).find(
      (network) => partsOf(network, [64, 64, 64]).buffers.length > 0,
    );
    if (preset === undefined) throw new Error("no network has batch norm");
    const plan = { ...modelOf(1).plan, network: preset, patchSize: [64, 64, 64] as const };
    const model: Model = { plan, steps: 0, weights: new Map() };
    expect(() => averaged(model, model)).toThrow(/statistics of batch norm/);
  });
});
