// A model's file: what was written before still loads.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.js";
import { sizeOf } from "../graph/shape.js";
import { type NetworkSpecification, networkPresets, partsOf } from "../networks/catalogue.js";
import { type LnsnetConfiguration, lnsnetDefaults } from "../networks/lnsnet.js";
import { partialUnetDefaults } from "../networks/partial-unet.js";
import { type Plan, parsePlan, readModel, withCalibration, writeModel } from "./model-file.js";

describe("the shipped model, written before a stem could be of half size", () => {
  const path = new URL("../../../../bench/models/phantom.safetensors", import.meta.url);
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

const plan: Plan = {
  network: {
    name: "lnsnet",
    configuration: { ...lnsnetDefaults, stages: [4, 8], depths: [1, 1], decoderDepth: 1 },
  },
  patchSize: [16, 16, 16],
  spacingMm: [1, 1, 1],
  window: { lowHu: -160, highHu: 240 },
  foreground: "lymph node",
  dataLabel: "phantom",
};
/** The same number for every weight and running statistic. */
function weights(network: NetworkSpecification = plan.network): Map<string, Float32Array> {
  const { parameters, buffers } = partsOf(network, [64, 64, 64]);
  return new Map(
    [...parameters, ...buffers].map(({ name, shape }) => [name, new Float32Array(sizeOf(shape)).fill(0.5)]),
  );
}

describe("refused, in one sentence that names the file and within a moment", () => {
  const planned = (changes: object) => writeSafetensors(new Map(), metadataOf({ ...plan, ...changes }));
  const configured = (changes: Partial<Record<keyof LnsnetConfiguration, unknown>>) =>
    planned({ network: { name: "lnsnet", configuration: { ...plan.network.configuration, ...changes } } });
  const metadataOf = (value: unknown, steps = "10") => ({
    kind: "lnsnet-model",
    plan: typeof value === "string" ? value : JSON.stringify(value),
    steps,
  });
  const withWeight = (tensor: string, value: number) => {
    const changed = weights();
    changed.get(tensor)?.fill(value, 3, 4);
    return writeModel({ plan, steps: 10, weights: changed }, false);
  };

  test.each<[string, Uint8Array, RegExp]>([
    [
      "a weight that is NaN",
      withWeight("stem.weight", Number.NaN),
      /a number in stem\.weight that is NaN or infinite/,
    ],
    [
      "a weight that is infinite",
      withWeight("encoder.1.down.convolution.bias", Number.NEGATIVE_INFINITY),
      /encoder\.1\.down\.convolution\.bias that is NaN or infinite/,
    ],
    ["a billion blocks", configured({ depths: [1, 1e9] }), /depths\.1/],
    ["a decoder of a billion blocks", configured({ decoderDepth: 1e9 }), /decoderDepth/],
    ["a thousand stages", configured({ stages: new Array(1000).fill(4) }), /stages/],
    ["a billion channels", configured({ stages: [1e9, 8] }), /stages\.0/],
    [
      "one depth for two stages",
      configured({ depths: [1] }),
      /depths: there must be as many depths as stages/,
    ],
    ["a kernel of an even edge", configured({ kernel: 4 }), /kernel: is even/],
    ["a share of the channels that is none", configured({ partialRatio: -1 }), /partialRatio/],
    ["a patch of 1e18 voxels", planned({ patchSize: [1e6, 1e6, 1e6] }), /patchSize/],
    ["a patch of a billion voxels", planned({ patchSize: [1024, 1024, 1024] }), /67 million voxels/],
    ["a patch that does not divide", planned({ patchSize: [16, 16, 15] }), /multiples of 2/],
    [
      "a calibration that turns the order around",
      planned({ calibration: { slope: -1, intercept: 0, scans: 1, nodes: 9 } }),
      /calibration\.slope/,
    ],
    ["no spacing", planned({ spacingMm: [1, 1, 0] }), /spacingMm\.2/],
    ["a spacing of 1e-300 mm", planned({ spacingMm: [1, 1, 1e-300] }), /spacingMm\.2/],
    ["a window upside down", planned({ window: { lowHu: 240, highHu: -160 } }), /window: the lower end/],
    ["a window of no width", planned({ window: { lowHu: 1, highHu: 1 } }), /window/],
    ["words for numbers", planned({ spacingMm: { toString: 1 } }), /spacingMm/],
    ["a deep plan", writeSafetensors(new Map(), metadataOf("[".repeat(4e4) + "]".repeat(4e4))), /plan/],
    ["a plan of ten megabytes", writeSafetensors(new Map(), metadataOf(" ".repeat(1e7))), /no readable plan/],
  ])("%s", (_, bytes, message) => {
    const read = () => readModel(bytes, "model.safetensors");
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^model\.safetensors [^\n]*\.$/);
  });

  test("a file of a later version, and of none that there is", () => {
    const { tensors, metadata } = readSafetensors(
      writeModel({ plan, steps: 10, weights: weights() }, false),
      "m",
    );
    expect(metadata.format_version).toBe("1");
    const read = (format_version: string) => () =>
      readModel(writeSafetensors(tensors, { ...metadata, format_version }), "m.safetensors");
    expect(read("4")).toThrow(
      "m.safetensors is of format version 4, and this lnsnet reads up to version 3; update lnsnet.",
    );
    for (const version of ["0", "1.5", "new"]) expect(read(version)).toThrow(InputError);
  });

  test("a field of the configuration that this program does not know", () => {
    const bytes = configured({ gates: 2 } as object);
    expect(() => readModel(bytes, "m.safetensors")).toThrow(/network\.configuration: .*gates/);
  });

  test("steps that are no number, with sound weights", () => {
    const { tensors, metadata } = readSafetensors(
      writeModel({ plan, steps: 10, weights: weights() }, false),
      "m",
    );
    for (const steps of ["many", "-1", "1e99"]) {
      const bytes = writeSafetensors(tensors, { ...metadata, steps });
      expect(() => readModel(bytes, "m")).toThrow(/for the steps that it was trained/);
    }
  });
});

test("a model gets a calibration, and its weights stay as they are stored", () => {
  const calibration = { slope: 1.5, intercept: -0.25, scans: 4, nodes: 60 };
  const bytes = writeModel({ plan, steps: 10, weights: weights() }, true);
  const calibrated = withCalibration(bytes, calibration, "m");
  expect(readModel(bytes, "m").plan.calibration).toBeUndefined();
  expect(readModel(calibrated, "m").plan).toEqual({ ...plan, calibration });
  expect(readSafetensors(calibrated, "m").tensors).toEqual(readSafetensors(bytes, "m").tensors);
});

test("running statistics are stored as float32 beside float16 weights, whose range a variance may leave", () => {
  const network = {
    name: "partial-unet",
    configuration: { ...partialUnetDefaults, stages: [4, 8, 16, 32] },
  } as const;
  const given = weights(network);
  const variance = [...given.keys()].filter((name) => name.endsWith("running_var"));
  expect(variance).toHaveLength(7);
  for (const name of variance) given.get(name)?.set([1e6, 1e-9]);
  const bytes = writeModel({ plan: { ...plan, network }, steps: 1, weights: given }, true);
  expect(readModel(bytes, "m").weights).toEqual(given);
});

test("every network that is offered lies within what a plan may ask for", () => {
  for (const network of Object.values(networkPresets)) {
    const channels = Array.from({ length: network.configuration.inputs }, () => ({
      name: "CT",
      scaling: plan.window,
    }));
    const own = {
      ...{ ...plan, network, patchSize: [64, 64, 64] as const },
      ...(channels.length > 1 ? { channels } : {}),
    };
    expect(parsePlan(JSON.stringify(own), "m")).toEqual(own);
  }
});
