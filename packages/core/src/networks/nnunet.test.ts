// nnU-Net's plain U-Net against MONAI's DynUNet (fixtures/blocks): its block, a small network over five training steps, counts.
import { describe, expect, test } from "vitest";
import { input } from "../graph/operations/leaves.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork, partsOf, sizeRule } from "./catalogue.js";
import { type NnunetConfiguration, nnunetBlock, nnunetDefaults, nnunetNetwork } from "./nnunet.js";
import { testBlocks, testCosts, testTrace } from "./reference.test-helper.js";

const half = [2, 2, 2] as const;
const alone: NnunetConfiguration = { ...nnunetDefaults, deepSupervision: false };

describe("the block", () => {
  testBlocks("dynunet", { basic_block: (builder, x) => nnunetBlock(x, 5, half, builder) });
});

describe("the trace of a small network", () => {
  testTrace("trace_dynunet", {
    name: "nnunet",
    configuration: { ...alone, stages: [4, 8, 8, 16], strides: [half, half, half] },
  });
});

describe("five stages", () => {
  testCosts(
    (classes) => ({ name: "nnunet", configuration: { ...alone, classes } }),
    [
      { size: [64, 48, 48], parameters: 16_543_617, multiplyAdds: 33_223_458_816, thop: 37_087_985_664 },
      { size: [64, 64, 64], parameters: 16_543_617, multiplyAdds: 59_063_926_784, thop: 65_934_196_736 },
      { size: [64, 48, 48], classes: 2, parameters: 16_543_650 },
    ],
  );
});

describe("six stages, the last of which halves the depth alone", () => {
  const configuration = {
    ...alone,
    stages: [32, 64, 128, 256, 320, 320],
    strides: [half, half, half, half, [2, 1, 1] as const],
  };
  testCosts(
    (classes) => ({ name: "nnunet", configuration: { ...configuration, classes } }),
    [
      { size: [64, 48, 48], parameters: 30_574_977, multiplyAdds: 33_625_276_416, thop: 37_493_489_664 },
      { size: [64, 64, 64], classes: 2, parameters: 30_575_010 },
    ],
  );

  test("needs other multiples along the depth", () => {
    expect(sizeRule({ name: "nnunet", configuration })).toBe(
      "nnU-Net (plain) needs multiples of 32, 16 and 16 voxels along depth, height and width",
    );
  });
});

describe("deep supervision", () => {
  const network = { name: "nnunet", configuration: nnunetDefaults } as const;

  test("has logits of every decoder stage but the deepest, each half as large", () => {
    const image = input("image", [1, 1, 32, 32, 16]);
    const { logits, coarserLogits } = buildNetwork(network, image, new NetworkBuilder(true));
    expect([logits, ...(coarserLogits ?? [])].map(({ shape }) => shape)).toEqual([
      [1, 1, 32, 32, 16],
      [1, 1, 16, 16, 8],
      [1, 1, 8, 8, 4],
    ]);
  });

  test("adds the parameters of its two heads, in training and in use alike", () => {
    const { parameters } = partsOf(network, [16, 16, 16]);
    const heads = parameters.filter(({ name }) => name.startsWith("deep_supervision_heads."));
    expect(heads.map(({ shape }) => shape)).toEqual([[1, 64, 1, 1, 1], [1], [1, 128, 1, 1, 1], [1]]);
  });
});

test("refuses strides for another number of stages", () => {
  expect(nnunetNetwork.schema.safeParse({ stages: [8, 16] }).error?.issues[0].path).toEqual(["strides"]);
});
