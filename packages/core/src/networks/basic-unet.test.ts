// BasicUNet against MONAI's (fixtures/blocks): a small network over five training steps, counts at full size.
import { describe, expect, test } from "vitest";
import { basicUnetDefaults, basicUnetNetwork } from "./basic-unet.js";
import { testCosts, testTrace } from "./reference.test-helper.js";

describe("the trace of a small network", () => {
  testTrace("trace_basic_unet", {
    name: "basic-unet",
    configuration: { ...basicUnetDefaults, stages: [4, 4, 4, 8, 8], last: 4 },
  });
});

describe("the whole network", () => {
  testCosts(
    (classes) => ({ name: "basic-unet", configuration: { ...basicUnetDefaults, classes } }),
    [
      { size: [64, 48, 48], parameters: 5_749_377, multiplyAdds: 21_020_147_712, thop: 22_539_534_336 },
      { size: [64, 64, 64], parameters: 5_749_377, multiplyAdds: 37_369_151_488, thop: 40_070_283_264 },
      { size: [64, 48, 48], classes: 2, parameters: 5_749_410 },
    ],
  );
});

test("refuses channels that do not halve", () => {
  const stages = [8, 8, 8, 8, 15];
  expect(basicUnetNetwork.schema.safeParse({ stages }).error?.issues[0].path).toEqual(["stages", 4]);
});
