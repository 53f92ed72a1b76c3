// MONAI's UNet with residual units against MONAI's (fixtures/blocks): five training steps of a small one, counts.
import { describe } from "vitest";
import { testCosts, testTrace } from "./reference.test-helper.js";
import { residualUnetDefaults } from "./residual-unet.js";

describe("the trace of a small network", () => {
  testTrace("trace_unet_residual", {
    name: "residual-unet",
    configuration: { ...residualUnetDefaults, stages: [4, 8, 8, 16] },
  });
});

describe("the whole network", () => {
  testCosts(
    (classes) => ({ name: "residual-unet", configuration: { ...residualUnetDefaults, classes } }),
    [
      { size: [64, 48, 48], parameters: 4_805_534, multiplyAdds: 825_311_232, thop: 1_772_863_488 },
      { size: [64, 64, 64], parameters: 4_805_534, multiplyAdds: 1_467_219_968, thop: 3_151_757_312 },
      { size: [64, 48, 48], classes: 2, parameters: 4_806_481 },
    ],
  );
});
