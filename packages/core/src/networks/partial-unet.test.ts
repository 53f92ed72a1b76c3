// The 3D Partial U-Net against its authors' own modules (fixtures/blocks): blocks, a whole network, five training steps.
import { describe, expect, test } from "vitest";
import { input } from "../graph/operations/leaves.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork } from "./catalogue.js";
import {
  partialUnet,
  partialUnetBlock,
  partialUnetDefaults,
  partialUnetDown,
  partialUnetHead,
  partialUnetUp,
} from "./partial-unet.js";
import { testBlocks, testCosts, testTrace } from "./reference.test-helper.js";

describe("blocks", () => {
  testBlocks(
    "partial_unet",
    {
      block: (builder, x) => partialUnetBlock(x, 0, builder),
      down: (builder, x) => partialUnetDown(x, 6, builder),
      up: (builder, x) => partialUnetUp(x, 4, builder),
      head: (builder, x) => partialUnetHead(x, 1, builder),
    },
    ["dwconv.bias"],
  );
});

describe("the trace of a small network", () => {
  testTrace("trace_partial_unet", {
    name: "partial-unet",
    configuration: { ...partialUnetDefaults, stages: [4, 8, 16, 32], dropPath: 0 },
  });
});

describe("the authors' configuration", () => {
  const specificationOf = (classes: number) =>
    ({ name: "partial-unet", configuration: { ...partialUnetDefaults, classes } }) as const;

  testCosts(specificationOf, [
    { size: [64, 48, 48], parameters: 1_834_742, multiplyAdds: 4_039_704_576, thop: 7_739_080_704 },
    { size: [64, 64, 64], parameters: 1_834_742, multiplyAdds: 7_181_697_024, thop: 13_758_365_696 },
    { size: [64, 48, 48], classes: 2, parameters: 1_837_004 },
  ]);

  test("drops every branch at the same rate while it trains", () => {
    const builder = new NetworkBuilder(true);
    partialUnet(input("image", [2, 1, 8, 8, 8]), partialUnetDefaults, builder);
    expect(builder.masks).toHaveLength(24);
    expect(new Set(builder.masks.map(({ keep }) => keep))).toEqual(new Set([0.8]));
    expect(builder.masks[0]).toMatchObject({ name: "encoder1.conv1.keep", shape: [2, 1, 1] });
  });

  test("refuses a size that does not divide by 8", () => {
    const image = input("image", [1, 1, 64, 48, 44]);
    expect(() => buildNetwork(specificationOf(1), image, new NetworkBuilder(false))).toThrow(
      "3D Partial U-Net needs multiples of 8 voxels, not 64,48,44",
    );
  });
});
