// SegResNet against MONAI's modules (fixtures/blocks): its block, a small network over five training steps, counts at full size.
import { describe, expect, test } from "vitest";
import { testBlocks, testCosts, testTrace } from "./reference.test-helper.js";
import { segresnetBlock, segresnetDefaults, segresnetNetwork } from "./segresnet.js";

describe("the block", () => {
  testBlocks("segresnet", { block: (builder, x) => segresnetBlock(x, 4, builder) });
});

describe("the trace of a small network", () => {
  testTrace("trace_segresnet", {
    name: "segresnet",
    configuration: { ...segresnetDefaults, down: [1, 1, 1], up: [1, 1] },
  });
});

// The reference leaves interpolation out of its multiply-adds, as thop does; here it is a matrix product and counts.
describe.each([
  { features: 8, parameters: [1_176_177, 1_176_186], thop: [2_569_273_344, 4_567_597_056] },
  { features: 16, parameters: [4_700_897, 4_700_914], thop: [10_211_033_088, 18_152_947_712] },
])("with $features channels", ({ features, parameters: [ofOne, ofTwo], thop: [atSmall, atLarge] }) => {
  testCosts(
    (classes) => ({ name: "segresnet", configuration: { ...segresnetDefaults, features, classes } }),
    [
      { size: [64, 48, 48], parameters: ofOne, thop: atSmall },
      { size: [64, 64, 64], parameters: ofOne, thop: atLarge },
      { size: [64, 48, 48], classes: 2, parameters: ofTwo },
    ],
  );
});

test.each([
  { configuration: { features: 12 }, path: "features" },
  { configuration: { up: [1, 1] }, path: "up" },
])("refuses $configuration", ({ configuration, path }) => {
  expect(segresnetNetwork.schema.safeParse(configuration).error?.issues[0].path).toEqual([path]);
});
