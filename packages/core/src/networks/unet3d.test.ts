// The 3D U-Net against the same network written in PyTorch's modules (fixtures/blocks), and the paper's parameters.
import { describe, expect, test } from "vitest";
import { testCosts, testTrace } from "./reference.test-helper.js";
import { unet3dDefaults, unet3dNetwork } from "./unet3d.js";

describe("the trace of a small network", () => {
  testTrace("trace_unet3d", { name: "unet3d", configuration: { ...unet3dDefaults, stages: [4, 8, 16] } });
});

describe("the whole network", () => {
  testCosts(
    (classes) => ({ name: "unet3d", configuration: { ...unet3dDefaults, classes } }),
    [
      { size: [64, 48, 48], parameters: 19_068_097, multiplyAdds: 137_372_368_896, thop: 166_967_377_920 },
      {
        size: [64, 48, 48],
        classes: 2,
        parameters: 19_068_162,
        multiplyAdds: 137_381_806_080,
        thop: 166_976_815_104,
      },
    ],
  );
});

test("refuses channels that do not halve", () => {
  expect(unet3dNetwork.schema.safeParse({ stages: [4, 7] }).error?.issues[0].path).toEqual(["stages", 1]);
});
