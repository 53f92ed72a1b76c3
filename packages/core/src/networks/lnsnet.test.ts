// LNSNet: what it is made of, each choice of its configuration, and its gradient.
import { describe, expect, test } from "vitest";
import { evaluate } from "../graph/evaluate.js";
import { instanceNorm } from "../graph/functions.js";
import type { Value } from "../graph/graph.js";
import { drawNumbers, gradientGapAt, type Point, relativeError } from "../graph/graph.test-helper.js";
import { convolution } from "../graph/operations/convolution.js";
import { add, leakyRelu } from "../graph/operations/elementwise.js";
import { input } from "../graph/operations/leaves.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { NetworkBuilder } from "./builder.js";
import { type LnsnetConfiguration, lnsnet, lnsnetDefaults, lnsnetNetwork } from "./lnsnet.js";

const tiny: LnsnetConfiguration = { ...lnsnetDefaults, stages: [4, 8], depths: [1, 1], decoderDepth: 1 };

function build(configuration: LnsnetConfiguration, shape: Shape, training = false) {
  const image = input("image", shape);
  const builder = new NetworkBuilder(training);
  const { logits } = lnsnet(image, configuration, builder);
  return { image, builder, logits };
}

const countOf = (builder: NetworkBuilder): number =>
  builder.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0);

/** Small numbers for every parameter, the same for the same name; norms near 1. */
function pointsOf({ parameters }: NetworkBuilder): Point[] {
  return parameters.map(({ name, value, shape, initial }) => {
    const seed = [...name].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 1_000_003, 7);
    const offset = initial.kind === "constant" ? initial.value : 0;
    return { leaf: value, data: drawNumbers(shape, "any", seed).map((x) => offset + 0.3 * x) };
  });
}

const imagePoint = (leaf: Value): Point => ({ leaf, data: drawNumbers(leaf.shape, "any", 99) });

function logitsOf(logits: Value, points: readonly Point[]): Float64Array {
  return evaluate([logits], new Map(points.map(({ leaf, data }) => [leaf, data])))[0].data;
}

describe("the defaults", () => {
  test("have 4,415,118 parameters", () => {
    const { builder, logits } = build(lnsnetDefaults, [1, 1, 64, 48, 48]);
    // A block of C channels: VPConv 27·(C/4)², norm 2·C, point-wise 2·C² + 2·C and 2·C² + C.
    const block = (channels: number) => 27 * (channels / 4) ** 2 + 4 * channels ** 2 + 5 * channels;
    const stem = 2 * 32;
    const encoder = 2 * block(32) + 4 * block(64) + 4 * block(128) + 8 * block(256);
    const decoder = 2 * (block(128) + block(64) + block(32));
    // Norm, kernel, bias.
    const down = [32, 64, 128].reduce((sum, c) => sum + 2 * c + 8 * c * 2 * c + 2 * c, 0);
    const up = [256, 128, 64].reduce((sum, c) => sum + 2 * c + (8 * c * c) / 2 + c / 2, 0);
    const head = 27 * 32 + 32 * 32 + 2 * 32 + (27 * 32 + 1);
    const boundary = 4 + 4 * 343 + 2 * 4 + (4 + 1);
    expect(stem + encoder + decoder + down + up + head + boundary).toBe(4_415_118);
    expect(countOf(builder)).toBe(4_415_118);
    expect(logits.shape).toEqual([1, 1, 64, 48, 48]);
  });

  test("name each parameter once, by its layer", () => {
    const names = build(lnsnetDefaults, [1, 1, 8, 8, 8]).builder.parameters.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of [
      "stem.weight",
      "encoder.0.block.0.vpconv.weight",
      "encoder.1.down.norm.weight",
      "encoder.3.block.7.pointwise2.bias",
      "decoder.2.up.convolution.weight",
      "head.depthwise.weight",
      "head.logits.bias",
      "boundary.depthwise.weight",
    ])
      expect(names).toContain(name);
  });

  test("decay weights, not norms and biases", () => {
    const { parameters } = build(lnsnetDefaults, [1, 1, 8, 8, 8]).builder;
    for (const { name, shape, decays } of parameters) expect(decays, name).toBe(shape.length === 5);
  });

  test("drop branches at rates that grow from 0 to 0.2, in training only", () => {
    const rates = build(lnsnetDefaults, [2, 1, 8, 8, 8], true).builder.masks.map(({ keep }) => 1 - keep);
    // 24 blocks; the first drops nothing and has no mask.
    expect(rates).toHaveLength(23);
    rates.forEach((rate, index) => {
      expect(rate).toBeCloseTo((0.2 * (index + 1)) / 23, 10);
    });
    expect(build(lnsnetDefaults, [2, 1, 8, 8, 8], false).builder.masks).toHaveLength(0);
  });

  test("are refused where stages lack depths", () => {
    const { error } = lnsnetNetwork.schema.safeParse({ depths: [1, 1] });
    expect(error?.issues[0]).toMatchObject({
      path: ["depths"],
      message: "there must be as many depths as stages",
    });
  });
});

describe("the half-size stem", () => {
  const half = lnsnetNetwork.presets["lnsnet-half"];

  test("has 4,365,310 parameters, and divides by what the default does", () => {
    const { builder, logits } = build(half, [1, 1, 64, 48, 48]);
    const block = (channels: number) => 27 * (channels / 4) ** 2 + 4 * channels ** 2 + 5 * channels;
    const stem = 8 * 64 + 64;
    const encoder = 4 * block(64) + 4 * block(128) + 8 * block(256);
    const decoder = 2 * (block(128) + block(64));
    const down = [64, 128].reduce((sum, c) => sum + 2 * c + 8 * c * 2 * c + 2 * c, 0);
    const up = [256, 128].reduce((sum, c) => sum + 2 * c + (8 * c * c) / 2 + c / 2, 0);
    const back = 2 * 64 + 8 * 64 * 16 + 16;
    const head = 27 * 16 + 16 * 16 + 2 * 16 + (27 * 16 + 1);
    const boundary = 4 + 4 * 343 + 2 * 4 + (4 + 1);
    const expected = stem + encoder + decoder + down + up + back + head + boundary;
    expect(countOf(builder)).toBe(expected);
    expect(expected).toBe(4_365_310);
    expect(logits.shape).toEqual([1, 1, 64, 48, 48]);
    expect(lnsnetNetwork.divisor(half)).toEqual([8, 8, 8]);
    expect(lnsnetNetwork.divisor(lnsnetDefaults)).toEqual([8, 8, 8]);
  });
});

/** Each choice, and the parameters it adds to the tiny network (4 and 8 channels; two blocks of 4 and one of 8). */
const choices: readonly [string, Partial<LnsnetConfiguration>, number][] = [
  ["the defaults", {}, 0],
  ["two classes", { classes: 2 }, 27 * 4 + 1 + (12 + 4 * 343 + 2 * 4 + 12 + 1)],
  ["two inputs", { inputs: 2 }, 4],
  [
    "depthwise point-wise convolutions",
    { pointwiseGroups: "depthwise" },
    2 * (2 * 8 - 4 * 16) + (2 * 16 - 4 * 64),
  ],
  ["full convolutions", { convolution: "full" }, 27 * (2 * (16 - 1) + (64 - 4))],
  ["half of the channels convolved", { partialRatio: 0.5 }, 27 * (2 * (4 - 1) + (16 - 4))],
  ["expansion 3", { expansion: 3 }, 2 * (2 * 16 + 4) + (2 * 64 + 8)],
  ["kernels of 5", { kernel: 5 }, (125 - 27) * (2 * 1 + 4)],
  ["no depthwise separable convolution", { depthwiseSeparable: "none" }, -(27 * 4 + 16 + 8)],
  ["one at the bottleneck", { depthwiseSeparable: "bottleneck" }, 27 * 8 + 64 + 16 - (27 * 4 + 16 + 8)],
  ["no boundary module", { boundaryModule: false }, -(4 + 4 * 343 + 2 * 4 + 4 + 1)],
  ["no stochastic depth", { dropPath: 0 }, 0],
  [
    "a half-size stem, and three channels at full resolution",
    { stem: "half", headChannels: 3 },
    4 * 7 + (2 * 4 + 4 * 3 * 8 + 3) - 27 - (16 - 9) - 2 - 27,
  ],
  [
    "a half-size stem, and logits alone at full resolution",
    { stem: "half", headChannels: 0 },
    4 * 7 + (2 * 4 + 4 * 8) - 27 * 4,
  ],
  [
    "a half-size stem without a depthwise separable convolution",
    { stem: "half", headChannels: 4, depthwiseSeparable: "none" },
    4 * 7 + (2 * 4 + 4 * 4 * 8 + 4) - (27 * 4 + 16 + 8),
  ],
  ["two blocks a decoder stage", { decoderDepth: 2 }, 27 + 4 * 16 + 5 * 4],
  [
    "two streams",
    { inputs: 2, streams: 2 },
    // A second encoder: stem, a block of 4 and one of 8 channels, down. Fusion: sharpness, kernel, bias.
    8 + (27 + 84) + (4 * 27 + 4 * 64 + 40) + (2 * 4 + 8 * 32 + 8) + (1 + 2 * 16 + 4) + (1 + 2 * 64 + 8),
  ],
  ["three stations", { stations: 3 }, 3 * 4 + 3],
  [
    "three stations behind a half-size stem",
    { stations: 3, stem: "half", headChannels: 0 },
    4 * 7 + (2 * 4 + 4 * 8) - 27 * 4 + (3 * 4 * 8 + 3),
  ],
];

describe.each(choices)("%s", (_, choice, added) => {
  const configuration = { ...tiny, ...choice };
  const space = configuration.stem === "half" ? [8, 4, 8] : [4, 4, 6];
  const shape = [2, configuration.inputs, ...space];

  test(`adds ${added} parameters`, () => {
    expect(countOf(build(configuration, shape).builder) - countOf(build(tiny, [2, 1, 4, 4, 6]).builder)).toBe(
      added,
    );
  });

  test("gives one logit a class and voxel, and the same in training where no branch is dropped", () => {
    const inference = build(configuration, shape);
    const training = build(configuration, shape, true);
    const kept = training.builder.masks.map(({ value }) => ({
      leaf: value,
      data: new Float64Array(sizeOf(value.shape)).fill(1),
    }));
    const expected = logitsOf(inference.logits, [
      imagePoint(inference.image),
      ...pointsOf(inference.builder),
    ]);
    const actual = logitsOf(training.logits, [
      imagePoint(training.image),
      ...pointsOf(training.builder),
      ...kept,
    ]);
    expect(inference.logits.shape).toEqual([2, configuration.classes, ...space]);
    expect(relativeError(actual, expected)).toBeLessThan(1e-12);
  });

  test("has the gradient of finite differences, with a branch of one sample dropped", () => {
    const { image, builder, logits } = build(
      { ...configuration, dropPath: configuration.dropPath && 0.5 },
      shape,
      true,
    );
    const masks = builder.masks.map(({ value, keep }) => ({
      leaf: value,
      data: Float64Array.of(0, 1 / keep),
    }));
    expect(gradientGapAt([logits], [imagePoint(image), ...pointsOf(builder)], masks, 11, 1e-7)).toBeLessThan(
      1e-5,
    );
  });
});

describe("the gradient of a tiny network", () => {
  const { image, builder, logits } = build(tiny, [1, 1, 4, 4, 4]);
  const points = [imagePoint(image), ...pointsOf(builder)];
  const rows = builder.parameters.map(({ name }, index) => ({ name, index: index + 1 }));

  test.each([{ name: "the image", index: 0 }, ...rows])("$name", ({ index }) => {
    const others = points.filter((_, position) => position !== index);
    expect(gradientGapAt([logits], [points[index]], others, 5, 1e-6)).toBeLessThan(1e-5);
  });
});

describe("two streams", () => {
  test("each see one channel: what changes in the other comes through the fusion alone", () => {
    const { builder } = build({ ...tiny, inputs: 2, streams: 2 }, [1, 2, 4, 4, 4]);
    const names = builder.parameters.map(({ name }) => name);
    for (const stream of [0, 1])
      expect(names).toContain(`stream.${stream}.encoder.1.down.convolution.weight`);
    expect(names).toContain("fusion.1.pointwise.weight");
    expect(builder.parameters.find(({ name }) => name === "stream.1.stem.weight")?.shape).toEqual([
      4, 1, 1, 1, 1,
    ]);
  });

  test("need two input channels", () => {
    const { error } = lnsnetNetwork.schema.safeParse({ streams: 2 });
    expect(error?.issues[0]).toMatchObject({
      path: ["streams"],
      message: "two streams need two input channels",
    });
  });
});

test("the head of the stations changes no logit, and is not read where the network is used", () => {
  const shape = [1, 1, 4, 4, 4];
  const [plain, further] = [tiny, { ...tiny, stations: 3 }].map((configuration) =>
    build(configuration, shape),
  );
  const [expected, actual] = [plain, further].map(({ logits, image, builder }) =>
    logitsOf(logits, [imagePoint(image), ...pointsOf(builder)]),
  );
  expect(actual).toEqual(expected);
  const image = input("image", shape);
  const { stationLogits } = lnsnet(image, { ...tiny, stations: 3 }, new NetworkBuilder(true));
  expect(stationLogits?.shape).toEqual([1, 3, 4, 4, 4]);
});

test("a dropped branch leaves its block the identity, for that sample only", () => {
  const shape = [2, 1, 4, 4, 4];
  const oneBlock: LnsnetConfiguration = { ...tiny, dropPath: 0.5, depths: [1, 1], decoderDepth: 0 };
  const training = build(oneBlock, shape, true);
  const [mask] = training.builder.masks;
  expect(mask).toMatchObject({ name: "encoder.1.block.0.keep", shape: [2, 1, 1], keep: 0.5 });
  const logits = logitsOf(training.logits, [
    imagePoint(training.image),
    ...pointsOf(training.builder),
    { leaf: mask.value, data: Float64Array.of(0, 1) },
  ]);
  const [without, whole] = [{ ...oneBlock, depths: [1, 0] }, oneBlock].map((configuration) => {
    const inference = build(configuration, shape);
    return logitsOf(inference.logits, [imagePoint(inference.image), ...pointsOf(inference.builder)]);
  });
  expect(relativeError(logits.subarray(0, 64), without.subarray(0, 64))).toBeLessThan(1e-12);
  expect(relativeError(logits.subarray(64), whole.subarray(64))).toBeLessThan(1e-12);
});

test("the boundary module's composed kernel equals its two convolutions", () => {
  const whole = build(tiny, [2, 1, 8, 6, 4]);
  const plain = build({ ...tiny, boundaryModule: false }, [2, 1, 8, 6, 4]);
  const points = new Map(
    pointsOf(whole.builder).map((point, index) => [whole.builder.parameters[index].name, point]),
  );
  const leafOf = (name: string): Value => (points.get(`boundary.${name}`) as Point).leaf;
  const widened = convolution(plain.logits, leafOf("pointwise1.weight"));
  const filtered = convolution(widened, leafOf("depthwise.weight"), undefined, {
    padding: [3, 3, 3],
    groups: 4,
  });
  const normalized = instanceNorm(filtered, { weight: leafOf("norm.weight"), bias: leafOf("norm.bias") });
  const correction = convolution(
    leakyRelu(normalized),
    leafOf("pointwise2.weight"),
    leafOf("pointwise2.bias"),
  );
  const expected = logitsOf(add(plain.logits, correction), [
    imagePoint(plain.image),
    ...pointsOf(plain.builder),
    ...points.values(),
  ]);
  const actual = logitsOf(whole.logits, [imagePoint(whole.image), ...points.values()]);
  expect(relativeError(actual, expected)).toBeLessThan(1e-12);
});
