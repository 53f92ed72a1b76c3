// UNETR against MONAI's modules (fixtures/blocks): blocks, a whole network over five training steps, counts at full size.
import { describe, expect, test } from "vitest";
import { within } from "../graph/graph.js";
import { selfAttention, transformerBlock } from "./blocks/attention.js";
import { residualBlock, upBlock } from "./blocks/unetr.js";
import { partsOf } from "./catalogue.js";
import { testBlocks, testCosts, testTrace } from "./reference.test-helper.js";
import { unetrDefaults, unetrNetwork } from "./unetr.js";

describe("blocks", () => {
  testBlocks("unetr", {
    attention: (builder, x) => selfAttention(x, builder, { heads: 3 }),
    transformer_block: (builder, x) => transformerBlock(x, 3, 24, builder),
    residual_block: (builder, x) => within("layer", () => residualBlock(x, 5, builder)),
    up_block: (builder, x, skip) => upBlock(x, skip, 4, builder),
  });
});

describe("the trace of a small network", () => {
  // Logits after five steps are sensitive here: PyTorch's own float32 run is 0.02 off.
  testTrace(
    "trace_unetr",
    { name: "unetr", configuration: { ...unetrDefaults, features: 2, hidden: 12, mlp: 24, heads: 3 } },
    { evaluated: 0.02, zeroGradient: ["encoder1.layer.conv3.conv.weight"] },
  );
});

describe("the paper's configuration", () => {
  const specificationOf = (classes: number) =>
    ({ name: "unetr", configuration: { ...unetrDefaults, classes } }) as const;

  testCosts(specificationOf, [
    { size: [96, 96, 96], parameters: 92_783_825, multiplyAdds: 73_040_265_216, thop: 82_287_525_888 },
    { size: [96, 96, 96], classes: 2, parameters: 92_783_842 },
    { size: [64, 48, 48], parameters: 92_645_585, multiplyAdds: 12_053_938_176, thop: 13_714_587_648 },
    { size: [64, 64, 64], parameters: 92_667_089, multiplyAdds: 21_462_253_568, thop: 24_381_489_152 },
  ]);

  test("has an embedding for each token of the patch", () => {
    const { parameters } = partsOf(specificationOf(1), [64, 48, 32]);
    const places = parameters.find(({ name }) => name.endsWith("position_embeddings"));
    expect(places).toMatchObject({ shape: [1, 4 * 3 * 2, 768], decays: false });
  });

  test("refuses heads that do not divide a token", () => {
    expect(unetrNetwork.schema.safeParse({ heads: 5 }).error?.issues[0].path).toEqual(["heads"]);
  });
});
