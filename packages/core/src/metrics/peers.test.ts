// The metrics against what MONAI, medpy and surface-distance return for 30 pairs of masks (fixtures/metrics).

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readSafetensors } from "../formats/safetensors.js";
import type { Vector3, Volume } from "../volume/volume.js";
import { type CaseMetrics, evaluateCase } from "./case.js";
import type { SurfaceConvention } from "./surface.js";
import { elementAreaMm2 } from "./surface-points.js";

/** A finite value, or "inf", "nan" or an error where the peer has none. */
type PeerValue = number | string | { error: string };
type Peer = "monai" | "medpy" | "surface-distance";

interface Pair {
  file: string;
  /** D, H, W. */
  shape: [number, number, number];
  /** D, H, W. */
  spacing_mm: [number, number, number];
  values: Record<Peer, Record<string, PeerValue>>;
}

interface SurfelAreas {
  /** `weight[d][h][w]` of a foreground voxel in a neighbourhood's code. */
  weight: number[][][];
  areas_mm2: { spacing_mm: Vector3; by_code: number[] }[];
}

/** What each peer calls the metrics that it has. */
const namesOfPeer: Record<
  Peer,
  { convention: SurfaceConvention; names: Partial<Record<keyof CaseMetrics, string>> }
> = {
  monai: {
    convention: "monai",
    names: {
      dsc: "dice",
      asdMm: "assd_symmetric",
      asdTruthToPredictionMm: "asd_truth_to_prediction",
      asdPredictionToTruthMm: "asd_prediction_to_truth",
      hd95Mm: "hausdorff_95",
      hdMm: "hausdorff",
      nsd1mm: "surface_dice_1mm",
      nsd2mm: "surface_dice_2mm",
    },
  },
  medpy: {
    convention: "medpy",
    names: {
      dsc: "dice",
      asdMm: "assd",
      asdTruthToPredictionMm: "asd_truth_to_prediction",
      asdPredictionToTruthMm: "asd_prediction_to_truth",
      hd95Mm: "hausdorff_95",
      hdMm: "hausdorff",
    },
  },
  "surface-distance": {
    convention: "deepmind",
    names: {
      asdMm: "derived_assd_area_weighted",
      asdTruthToPredictionMm: "average_surface_distance_truth_to_prediction",
      asdPredictionToTruthMm: "average_surface_distance_prediction_to_truth",
      hd95Mm: "hausdorff_95",
      hdMm: "hausdorff_100",
      nsd1mm: "surface_dice_1mm",
      nsd2mm: "surface_dice_2mm",
    },
  },
};

const folder = new URL("../../../../fixtures/metrics/", import.meta.url);
const { pairs } = readJson<{ pairs: Pair[] }>("index.json");

test("all pairs are there", () => {
  expect(pairs).toHaveLength(30);
});

describe.each(pairs)("$file", (pair) => {
  const masks = readPair(pair);
  for (const peer of ["monai", "medpy", "surface-distance"] as const) {
    const { convention, names } = namesOfPeer[peer];
    const metrics = evaluateCase(...masks, convention);
    test.each(Object.entries(names))(`%s as ${peer}'s %s`, (metric, name) => {
      // MONAI works in float32.
      expectEqual(
        metrics[metric as keyof CaseMetrics],
        pair.values[peer][name],
        peer === "monai" ? 1e-5 : 1e-12,
      );
    });
  }
  test("NSD by area as MONAI's with subvoxels", () => {
    const metrics = evaluateCase(...masks, "deepmind");
    expectEqual(metrics.nsd1mm, pair.values.monai.surface_dice_subvoxel_1mm, 1e-5);
    expectEqual(metrics.nsd2mm, pair.values.monai.surface_dice_subvoxel_2mm, 1e-5);
  });
});

const { weight, areas_mm2: tables } = readJson<SurfelAreas>("surfel_areas.json");

test.each(tables)(
  "areas of all 256 neighbourhoods as surface-distance's at $spacing_mm",
  ({ spacing_mm, by_code }) => {
    expect(by_code).toHaveLength(256);
    for (let kind = 0; kind < 256; kind++) {
      let code = 0;
      for (let corner = 0; corner < 8; corner++) {
        if (kind & (1 << corner)) code += weight[corner >> 2][(corner >> 1) & 1][corner & 1];
      }
      expect(elementAreaMm2(kind, reversed(spacing_mm)), `code ${code}`).toBeCloseTo(by_code[code], 12);
    }
  },
);

/** Relative to the peer's value; what is not a finite number there is null here. */
function expectEqual(ours: number | null, peer: PeerValue, tolerance: number): void {
  if (typeof peer !== "number") expect(ours).toBeNull();
  else expect(Math.abs((ours ?? Number.NaN) - peer)).toBeLessThanOrEqual(tolerance * Math.abs(peer));
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

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, folder), "utf8")) as T;
}
