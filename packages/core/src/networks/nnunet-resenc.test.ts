// nnU-Net's residual-encoder U-Net against its authors' modules (fixtures/blocks): blocks, five training steps, counts.
import { describe, expect, test } from "vitest";
import { input } from "../graph/operations/leaves.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork, isOfHead, partsOf } from "./catalogue.js";
import { nnunetResencBlock, nnunetResencDefaults, nnunetResencNetwork } from "./nnunet-resenc.js";
import { testBlocks, testCosts, testTrace } from "./reference.test-helper.js";

const half = [2, 2, 2] as const;

describe("blocks", () => {
  testBlocks(
    "resenc",
    {
      same: (builder, x) => nnunetResencBlock(x, 5, [1, 1, 1], builder),
      widening: (builder, x) => nnunetResencBlock(x, 7, half, builder),
    },
    ["conv1.conv.bias", "conv2.conv.bias"],
  );
});

describe("the trace of a small network", () => {
  testTrace("trace_resenc", {
    name: "nnunet-resenc",
    configuration: {
      ...nnunetResencDefaults,
      stages: [4, 8, 8],
      blocks: [1, 2, 1],
      strides: [half, [2, 1, 2]],
      deepSupervision: false,
    },
  });
});

describe("five stages", () => {
  testCosts(
    (classes) => ({ name: "nnunet-resenc", configuration: { ...nnunetResencDefaults, classes } }),
    [
      { size: [64, 48, 48], parameters: 62_809_444, multiplyAdds: 50_085_642_240, thop: 53_950_169_088 },
      {
        size: [64, 48, 48],
        classes: 2,
        parameters: 62_809_928,
        multiplyAdds: 50_090_360_832,
        thop: 53_954_887_680,
      },
    ],
  );
});

describe("six stages, nnU-Net's plan of a patch of 128³ voxels", () => {
  const configuration = {
    ...nnunetResencDefaults,
    stages: [32, 64, 128, 256, 320, 320],
    blocks: [1, 3, 4, 6, 6, 6],
    strides: [half, half, half, half, half],
  };
  testCosts(
    (classes) => ({ name: "nnunet-resenc", configuration: { ...configuration, classes } }),
    [
      { size: [64, 64, 64], parameters: 102_348_965, multiplyAdds: 89_667_010_560, thop: 96_583_155_712 },
      { size: [64, 64, 64], classes: 2, parameters: 102_349_770, multiplyAdds: 89_675_399_168 },
    ],
  );
});

const network = { name: "nnunet-resenc", configuration: nnunetResencDefaults } as const;

test("has logits of every decoder stage but the deepest, each half as large", () => {
  const image = input("image", [1, 1, 32, 32, 16]);
  const { logits, coarserLogits } = buildNetwork(network, image, new NetworkBuilder(true));
  expect([logits, ...(coarserLogits ?? [])].map(({ shape }) => shape.slice(2))).toEqual([
    [32, 32, 16],
    [16, 16, 8],
    [8, 8, 4],
  ]);
});

test("calls the layers of logits its head", () => {
  const names = partsOf(network, [16, 16, 16]).parameters.map(({ name }) => name);
  expect(names.filter((name) => isOfHead(network, name))).toHaveLength(8);
});

test("begins each block as its shortcut", () => {
  const { parameters } = partsOf(network, [16, 16, 16]);
  const silent = parameters.filter(({ name }) => name.includes(".conv2.norm."));
  expect(silent).toHaveLength(40);
  expect(silent.every(({ initial }) => initial.kind === "constant" && initial.value === 0)).toBe(true);
});

test.each([
  { configuration: { blocks: [1, 1] }, path: "blocks" },
  { configuration: { strides: [] }, path: "strides" },
])("refuses $configuration", ({ configuration, path }) => {
  expect(nnunetResencNetwork.schema.safeParse(configuration).error?.issues[0].path).toEqual([path]);
});
