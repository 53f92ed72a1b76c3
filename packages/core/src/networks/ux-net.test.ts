// 3D UX-Net against its authors' block (fixtures/blocks), and its counts at full size.
import { describe, expect, test } from "vitest";
import { input } from "../graph/operations/leaves.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork } from "./catalogue.js";
import { testBlocks, testCosts } from "./reference.test-helper.js";
import { uxNetBlock, uxNetDefaults } from "./ux-net.js";

describe("the block", () => {
  testBlocks("uxnet", { block: (builder, x) => uxNetBlock(x, 0, builder) });
});

describe("the whole network", () => {
  testCosts(
    (classes) => ({ name: "ux-net", configuration: { ...uxNetDefaults, classes } }),
    [
      { size: [64, 48, 48], parameters: 53_005_873, multiplyAdds: 96_205_612_032, thop: 105_123_750_912 },
      { size: [64, 64, 64], parameters: 53_005_873, multiplyAdds: 171_032_199_168, thop: 186_886_668_288 },
      { size: [64, 48, 48], classes: 2, parameters: 53_005_922 },
    ],
  );

  test("drops branches at rates that grow to the last block's", () => {
    const builder = new NetworkBuilder(true);
    const configuration = { ...uxNetDefaults, dropPath: 0.7 };
    buildNetwork({ name: "ux-net", configuration }, input("image", [1, 1, 32, 32, 32]), builder);
    const rates = builder.masks.map(({ name, keep }) => [name, 1 - keep]);
    expect(rates).toHaveLength(7);
    expect(rates[6]).toEqual(["uxnet_3d.stages.3.1.keep", expect.closeTo(0.7, 10)]);
  });
});
