// LHU-Net against its authors' modules (fixtures/blocks): blocks, a whole network over five training steps, counts at full size.
import { describe, expect, test } from "vitest";
import { deformableConvolutionLayer } from "./blocks/layers.js";
import { batchNormLayer } from "./blocks/normalization.js";
import { residualBlock } from "./blocks/unetr.js";
import { partsOf } from "./catalogue.js";
import { pytorchDefault } from "./initialization.js";
import { hybridAttention, lhuNetDefaults, lhuNetNetwork } from "./lhu-net.js";
import { testBlocks, testCosts, testTrace } from "./reference.test-helper.js";

const initializations = { offsets: pytorchDefault, convolution: pytorchDefault };

describe("blocks", () => {
  testBlocks(
    "lhunet",
    {
      residual: (builder, x) => residualBlock(x, 4, builder, { norm: batchNormLayer }),
      deformable: (builder, x) => deformableConvolutionLayer(x, 3, builder, initializations),
      spatial: (builder, x) => hybridAttention(x, { heads: 4, rows: 6 }, builder),
      channel: (builder, x) => hybridAttention(x, { heads: 4, rows: null }, builder),
    },
    ["cmixer.2.bias"],
    // PyTorch's own float32 is 9e-5 off in one of the norms before attention.
    3e-4,
  );
});

describe("the trace of a small network", () => {
  const configuration = lhuNetNetwork.schema.parse({
    convolutional: [4, 4],
    hybrid: [4, 8, 8],
    strides: [
      [1, 2, 2],
      [2, 2, 2],
      [1, 2, 2],
      [2, 1, 1],
      [1, 1, 1],
    ],
    heads: [2, 2, 4],
    rows: [6, 3],
  });
  testTrace("trace_lhunet", { name: "lhu-net", configuration }, { logits: 5 });
});

describe("the authors' configuration", () => {
  const specificationOf = (classes: number) =>
    ({ name: "lhu-net", configuration: { ...lhuNetDefaults, classes } }) as const;

  testCosts(specificationOf, [
    { size: [64, 64, 64], parameters: 7_528_016, multiplyAdds: 6_524_675_072, thop: 13_266_985_984 },
    { size: [64, 64, 64], classes: 2, parameters: 7_528_029 },
    { size: [96, 96, 96], parameters: 8_527_568, multiplyAdds: 22_020_778_368, thop: 44_776_077_696 },
    { size: [96, 96, 96], classes: 2, parameters: 8_527_581 },
  ]);

  test("has an embedding for each token of each hybrid stage", () => {
    const places = partsOf(specificationOf(1), [64, 32, 32]).parameters.filter(({ name }) =>
      name.endsWith("pos_embed"),
    );
    expect(places.map(({ shape }) => shape[1])).toEqual([128, 16, 2, 16, 128, 1024]);
    expect(places.every(({ decays }) => !decays)).toBe(true);
  });

  test("refuses heads that do not divide the channels", () => {
    expect(() => lhuNetNetwork.schema.parse({ heads: [4, 4, 3] })).toThrow("they do not divide the channels");
  });
});
