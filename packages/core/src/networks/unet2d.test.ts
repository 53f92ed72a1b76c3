// The slice-wise U-Net against a network of two dimensions in PyTorch's modules (fixtures/blocks), which sees slice by slice.
import { describe, expect, test } from "vitest";
import { sizeRule } from "./catalogue.js";
import { testCosts, testTrace } from "./reference.test-helper.js";
import { unet2dDefaults } from "./unet2d.js";

describe("the trace of a small network", () => {
  testTrace("trace_unet2d", { name: "unet2d", configuration: { ...unet2dDefaults, stages: [4, 8, 16] } });
});

describe("the whole network", () => {
  testCosts(
    (classes) => ({ name: "unet2d", configuration: { ...unet2dDefaults, classes } }),
    [
      { size: [64, 48, 48], parameters: 31_030_593, multiplyAdds: 108_206_751_744, thop: 122_702_266_368 },
      {
        size: [64, 48, 48],
        classes: 2,
        parameters: 31_030_658,
        multiplyAdds: 108_216_188_928,
        thop: 122_711_703_552,
      },
    ],
  );
});

test("takes any number of slices", () => {
  expect(sizeRule({ name: "unet2d", configuration: unet2dDefaults })).toBe(
    "2D U-Net (slice-wise) needs multiples of 1, 16 and 16 voxels along depth, height and width",
  );
});
