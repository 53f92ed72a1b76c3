// MedNeXt against its authors' modules (fixtures/blocks): blocks, a small network over five training steps, counts of MedNeXt-S.
import { describe, expect, test } from "vitest";
import { input } from "../graph/operations/leaves.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork } from "./catalogue.js";
import { mednextBlock, mednextDefaults, mednextDown, mednextUp } from "./mednext.js";
import { testBlocks, testCosts, testTrace } from "./reference.test-helper.js";

const alone = { ...mednextDefaults, deepSupervision: false };

describe("blocks", () => {
  testBlocks(
    "mednext",
    {
      block: (builder, x) => mednextBlock(x, mednextDefaults, builder),
      down: (builder, x) => mednextDown(x, 8, mednextDefaults, builder),
      up: (builder, x) => mednextUp(x, 3, mednextDefaults, builder),
    },
    ["conv1.bias"],
  );
});

describe("the trace of a small network", () => {
  // Doubled features have odd edges before they are padded, so 1/n of their norm's mean is rounded.
  testTrace(
    "trace_mednext",
    { name: "mednext", configuration: { ...alone, features: 2, blocks: 1 } },
    { zero: 1e-8 },
  );
});

describe("MedNeXt-S", () => {
  testCosts(
    (classes) => ({ name: "mednext", configuration: { ...alone, classes } }),
    [
      { size: [64, 48, 48], parameters: 5_550_881, multiplyAdds: 8_720_544_768, thop: 9_421_350_592 },
      {
        size: [64, 48, 48],
        classes: 2,
        parameters: 5_550_914,
        multiplyAdds: 8_725_263_360,
        thop: 9_426_069_184,
      },
    ],
  );
});

describe("deep supervision", () => {
  const network = { name: "mednext", configuration: mednextDefaults } as const;

  testCosts(
    (classes) => ({ name: "mednext", configuration: { ...mednextDefaults, classes } }),
    [
      { size: [64, 48, 48], parameters: 5_551_845 },
      { size: [64, 48, 48], classes: 2, parameters: 5_552_842 },
    ],
  );

  test("has logits of every stage from the bottleneck up, each half as large", () => {
    const image = input("image", [1, 1, 64, 48, 48]);
    const { coarserLogits } = buildNetwork(network, image, new NetworkBuilder(true));
    expect(coarserLogits?.map(({ shape }) => shape.slice(2))).toEqual([
      [32, 24, 24],
      [16, 12, 12],
      [8, 6, 6],
      [4, 3, 3],
    ]);
  });
});
