// A model's file: what was written before still loads.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readSafetensors } from "../formats/safetensors.js";
import { lnsnetDefaults } from "../networks/lnsnet.js";
import { readModel } from "./model-file.js";

describe("the shipped model, written before a stem could be of half size", () => {
  const path = new URL("../../../cli/models/phantom.safetensors", import.meta.url);
  const bytes = readFileSync(path);

  test("states no stem", () => {
    expect(readSafetensors(bytes, "phantom.safetensors").metadata.plan).not.toContain("stem");
  });

  test("loads, and what its plan leaves out takes its default", () => {
    const { plan, weights } = readModel(bytes, "phantom.safetensors");
    expect(plan.network).toEqual({ name: "lnsnet", configuration: lnsnetDefaults });
    expect(weights.get("stem.weight")).toHaveLength(32);
  });
});
