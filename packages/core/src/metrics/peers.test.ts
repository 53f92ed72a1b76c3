// The metrics against what MONAI and medpy return for 30 pairs of masks (fixtures/metrics).

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readSafetensors } from "../formats/safetensors.js";
import type { Vector3, Volume } from "../volume/volume.js";
import { evaluateCase } from "./case.js";

/** A finite value, or "inf", "nan" or an error where the peer has none. */
type PeerValue = number | string | { error: string };

interface Pair {
  file: string;
  /** D, H, W. */
  shape: [number, number, number];
  /** D, H, W. */
  spacing_mm: [number, number, number];
  values: Record<"monai" | "medpy" | "surface-distance", Record<string, PeerValue>>;
}

const folder = new URL("../../../../fixtures/metrics/", import.meta.url);
const { pairs } = JSON.parse(readFileSync(new URL("index.json", folder), "utf8")) as { pairs: Pair[] };

test("all pairs are there", () => {
  expect(pairs).toHaveLength(30);
});

describe.each(pairs)("$file", (pair) => {
  const [truth, prediction] = readPair(pair);
  const metrics = evaluateCase(truth, prediction);
  const { monai, medpy } = pair.values;

  test.each([
    { name: "DSC", ours: metrics.dsc, monaiValue: monai.dice, medpyValue: medpy.dice },
    { name: "HD95", ours: metrics.hd95Mm, monaiValue: monai.hausdorff_95, medpyValue: null },
    { name: "Hausdorff", ours: metrics.hdMm, monaiValue: monai.hausdorff, medpyValue: medpy.hausdorff },
    { name: "ASD", ours: metrics.asdMm, monaiValue: monai.assd_symmetric, medpyValue: medpy.assd },
  ])("$name", ({ ours, monaiValue, medpyValue }) => {
    expectEqual(ours, monaiValue, 1e-5);
    if (medpyValue !== null) expectEqual(ours, medpyValue, 1e-10);
  });
});

function expectEqual(ours: number | null, peer: PeerValue, tolerance: number): void {
  if (typeof peer !== "number") {
    expect(ours).toBeNull();
    return;
  }
  expect(ours).not.toBeNull();
  expect(Math.abs((ours ?? Number.NaN) - peer)).toBeLessThanOrEqual(tolerance);
}

function readPair({ file, shape, spacing_mm }: Pair): [Volume<Uint8Array>, Volume<Uint8Array>] {
  const { tensors } = readSafetensors(readFileSync(new URL(file, folder)), file);
  const volumeOf = (name: string): Volume<Uint8Array> => {
    const tensor = tensors.get(name);
    if (tensor?.dtype !== "U8") throw new Error(`${file} holds no mask "${name}".`);
    expect(tensor.shape).toEqual(shape);
    return {
      data: tensor.data,
      size: reversed(shape),
      spacingMm: reversed(spacing_mm),
      originMm: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    };
  };
  return [volumeOf("truth"), volumeOf("prediction")];
}

function reversed([a, b, c]: Vector3): Vector3 {
  return [c, b, a];
}
