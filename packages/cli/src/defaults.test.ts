// What a training is by default on the command line; the defaults of the library stand in core's table of them.
import { defaultOptimizer, usualSchedule } from "@lnsnet/core/training";
import { expect, test } from "vitest";
import { planArguments } from "./plan-arguments.js";
import { regimeArguments } from "./training-arguments.js";

test.each<[name: string, stated: string | boolean, expected: string | boolean, source: string]>([
  ["network", planArguments.network.default, "lnsnet", "ours"],
  ["patch", planArguments.patch.default, "64,48,48", "the 3D Partial U-Net's, by all signs the paper's"],
  ["steps", regimeArguments.steps.description, expect.stringContaining("by default 3000,"), "ours"],
  ["batch", regimeArguments.batch.default, "1", "ours: memory"],
  ["accumulation", regimeArguments.accumulate.default, "1", "ours"],
  ["decay", regimeArguments.decay.default, usualSchedule(1).decay, "the library's"],
  ["learning rate", regimeArguments["learning-rate"].default, String(usualSchedule(1).peak), "the library's"],
  [
    "weight decay",
    regimeArguments["weight-decay"].default,
    String(defaultOptimizer.weightDecay),
    "the library's",
  ],
  ["share of patches on foreground", regimeArguments["foreground-share"].default, "0.6", "ours"],
  ["augmentation", regimeArguments.augment.default, true, "ours"],
  ["validation cases", regimeArguments["validation-cases"].default, "4", "ours"],
  ["steps between validations", regimeArguments["validate-every"].default, "250", "ours"],
  ["patience", regimeArguments.patience.default, "0", "ours: all steps"],
  ["trained layers", regimeArguments.train.default, "all", "ours"],
])("%s is %s", (_, stated, expected) => expect(stated).toEqual(expected));

test("the window is nearly the soft-tissue window of radiologists", () => {
  expect(planArguments.window.description).toContain("-160,240");
});
