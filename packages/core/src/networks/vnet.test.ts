// V-Net against MONAI's modules (fixtures/blocks), and its counts at full size.
import { describe, expect, test } from "vitest";
import { input } from "../graph/operations/leaves.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork } from "./catalogue.js";
import { testBlocks, testCosts } from "./reference.test-helper.js";
import { vnetDefaults, vnetDown, vnetNetwork, vnetUp } from "./vnet.js";

describe("blocks", () => {
  testBlocks(
    "vnet",
    {
      down: (builder, x) => vnetDown(x, 2, 0, builder),
      up: (builder, x, skip) =>
        vnetUp(x, skip, { channels: 8, convolutions: 1, dropout: 0, skipDropout: 0 }, builder),
    },
    ["up_conv.bias"],
  );
});

describe("the whole network", () => {
  const specificationOf = (classes: number) =>
    ({ name: "vnet", configuration: { ...vnetDefaults, classes } }) as const;

  testCosts(specificationOf, [
    { size: [64, 48, 48], parameters: 45_593_892, multiplyAdds: 50_845_335_552, thop: 52_761_083_904 },
    { size: [64, 64, 64], parameters: 45_593_892, multiplyAdds: 90_391_707_648, thop: 93_797_482_496 },
    { size: [64, 48, 48], classes: 2, parameters: 45_597_898 },
  ]);

  test("drops channels in two stages of each side and in four skips, while it trains", () => {
    const builder = new NetworkBuilder(true);
    buildNetwork(specificationOf(1), input("image", [2, 1, 16, 16, 32]), builder);
    expect(builder.masks.map(({ name, shape, keep }) => [name, shape[1], keep])).toEqual([
      ["down_tr128.dropout", 128, 0.5],
      ["down_tr256.dropout", 256, 0.5],
      ["up_tr256.dropout", 256, 0.5],
      ["up_tr256.dropout2", 128, 0.5],
      ["up_tr128.dropout", 256, 0.5],
      ["up_tr128.dropout2", 64, 0.5],
      ["up_tr64.dropout2", 32, 0.5],
      ["up_tr32.dropout2", 16, 0.5],
    ]);
  });

  test("takes inputs that divide 16", () => {
    expect(vnetNetwork.schema.safeParse({ inputs: 2 }).success).toBe(true);
    expect(vnetNetwork.schema.safeParse({ inputs: 3 }).error?.issues[0].path).toEqual(["inputs"]);
  });
});
