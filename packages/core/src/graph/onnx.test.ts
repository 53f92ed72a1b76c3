// What an emitted model holds, and what a wrong shape is told.
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { NetworkBuilder } from "../networks/builder.js";
import { lnsnet, lnsnetDefaults } from "../networks/lnsnet.js";
import { nodeRuntime } from "../runtime/node.js";
import { batchNormTraining, groupNorm, instanceNorm } from "./functions.js";
import { apply, type Value, within } from "./graph.js";
import { drawNumbers, relativeError, runOnEvaluator, runOnOnnxRuntime } from "./graph.test-helper.js";
import { emitOnnx } from "./onnx.js";
import { convolution, transposedConvolution } from "./operations/convolution.js";
import { add, multiply } from "./operations/elementwise.js";
import { concat, reshape, slice, split } from "./operations/layout.js";
import { constant, input, parameter } from "./operations/leaves.js";
import { linear, matmul } from "./operations/matmul.js";
import { maxPool } from "./operations/pooling.js";
import { ShapeError, sizeOf } from "./shape.js";

const parse = (model: Uint8Array) => fromBinary(ModelProtoSchema, model);

describe("a whole network", () => {
  const image = input("image", [1, 1, 8, 8, 8]);
  const builder = new NetworkBuilder(false);
  const { logits } = lnsnet(
    image,
    { ...lnsnetDefaults, stages: [4, 8, 16, 32], depths: [1, 1, 1, 1], decoderDepth: 1 },
    builder,
  );
  const weights = new Map(
    builder.parameters.map(({ name, shape }, index) => [
      name,
      Float32Array.from(drawNumbers(shape, "any", index), (x) => x / 2),
    ]),
  );
  const metadata = { patch: "8,8,8", labels: "background,lymph node" };
  const bytes = emitOnnx({ inputs: [image], outputs: { logits }, weights, metadata });
  const model = parse(bytes);

  test("states its operator set and its metadata", () => {
    expect(model.opsetImport.map(({ domain, version }) => ({ domain, version }))).toEqual([
      { domain: "", version: 20n },
    ]);
    expect(Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]))).toEqual(metadata);
    expect(model.producerName).toBe("lnsnet");
  });

  test("names nodes by the layer they belong to, each once", () => {
    const names = model.graph?.node.map(({ name }) => name) ?? [];
    expect(new Set(names).size).toBe(names.length);
    for (const name of [
      "stem/Conv",
      "encoder.0.block.0.vpconv/Conv",
      "encoder.1.down.convolution/Conv",
      "encoder.3.block.0.pointwise1/Conv",
      "decoder.0.up.convolution/Conv",
      "head.logits/Conv",
    ])
      expect(names).toContain(name);
  });

  test("holds each parameter under its own name, and only the image is given", () => {
    expect(model.graph?.input.map(({ name }) => name)).toEqual(["image"]);
    expect(model.graph?.output.map(({ name }) => name)).toEqual(["logits"]);
    const stored = model.graph?.initializer.map(({ name }) => name);
    expect(stored).toEqual(expect.arrayContaining(builder.parameters.map(({ name }) => name)));
  });

  test("runs on ONNX Runtime and gives what the evaluator gives", async () => {
    const data = drawNumbers(image.shape, "any", 77);
    const session = await nodeRuntime.createSession(bytes);
    const results = await session.run({ image: { shape: image.shape, data: Float32Array.from(data) } });
    await session.release();
    const given = new Map<Value, ArrayLike<number>>([[image, Float32Array.from(data)]]);
    for (const { name, value } of builder.parameters) given.set(value, weights.get(name) ?? []);
    expect(results.logits.shape).toEqual([1, 1, 8, 8, 8]);
    expect(relativeError(results.logits.data, runOnEvaluator({ logits }, given).logits)).toBeLessThan(1e-4);
  });
});

describe("small models", () => {
  const x = input("x", [2, 3]);
  const run = async (model: Uint8Array) => {
    const session = await nodeRuntime.createSession(model);
    const results = await session.run({ x: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } });
    await session.release();
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]));
  };

  test("one value may be given out twice, and an input or a constant be an output", async () => {
    const doubled = multiply(x, 2);
    const outputs = { first: doubled, second: doubled, same: x, fixed: constant([2], [7, 8]) };
    expect(await run(emitOnnx({ inputs: [x], outputs }))).toEqual({
      first: [2, 4, 6, 8, 10, 12],
      second: [2, 4, 6, 8, 10, 12],
      same: [1, 2, 3, 4, 5, 6],
      fixed: [7, 8],
    });
  });

  test("values take the place of parameters", async () => {
    const scale = parameter("scale", [3]);
    const bindings = new Map([[scale, reshape(slice(x, [1, 0], [1, 3]), [3])]]);
    const outputs = { y: slice(multiply(x, scale), [0, 0], [1, 3]) };
    expect(await run(emitOnnx({ inputs: [x], outputs, bindings }))).toEqual({ y: [4, 10, 18] });
  });

  test("equal constants are stored once", () => {
    const y = add(multiply(add(x, 0.5), 0.5), constant([2, 3], [1, 2, 3, 4, 5, 6]));
    expect(parse(emitOnnx({ inputs: [x], outputs: { y } })).graph?.initializer).toHaveLength(2);
  });

  test("a parameter without numbers is refused by name", () => {
    const y = multiply(
      x,
      within("head", () => parameter("scale", [3])),
    );
    expect(() => emitOnnx({ inputs: [x], outputs: { y } })).toThrow(/head\.scale/);
    const weights = new Map([["head.scale", new Float32Array(2)]]);
    expect(() => emitOnnx({ inputs: [x], outputs: { y }, weights })).toThrow(/2 .*head\.scale/);
  });
});

describe("names", () => {
  const x = input("x", [2]);
  test.each([
    ["an output and an input", () => emitOnnx({ inputs: [x], outputs: { x: multiply(x, 2) } })],
    ["two inputs", () => emitOnnx({ inputs: [x, input("x", [2])], outputs: { y: x } })],
  ])("%s of the same name are refused", (_, emit) => {
    expect(emit).toThrow("two values are named x");
  });
});

describe("a shape that does not fit", () => {
  const a = input("a", [1, 4, 5, 6, 7]);
  test.each<[string, () => unknown, string[]]>([
    [
      "convolution",
      () => convolution(a, parameter("w", [8, 3, 3, 3, 3])),
      ["convolution", "[1, 4, 5, 6, 7]", "[8, 3, 3, 3, 3]"],
    ],
    [
      "convolution",
      () => convolution(a, parameter("w", [8, 4, 9, 9, 9])),
      ["convolution", "[1, 4, 5, 6, 7]", "[8, 4, 9, 9, 9]"],
    ],
    ["pooling", () => maxPool(a, [8, 8, 8]), ["pooling", "[8, 8, 8]", "[1, 4, 5, 6, 7]"]],
    ["linear", () => linear(a, input("b", [3])), ["linear", "[3]", "[1, 4, 5, 6, 7]"]],
    ["group norm", () => groupNorm(a, 3, null), ["group norm", "3 groups", "[1, 4, 5, 6, 7]"]],
    [
      "batch norm of one value a channel",
      () => {
        const running = { mean: parameter("mean", [4]), variance: parameter("variance", [4]) };
        return batchNormTraining(input("b", [1, 4, 1, 1, 1]), null, running);
      },
      ["batch norm", "[1, 4, 1, 1, 1]"],
    ],
    [
      "convolution by half a voxel",
      () => convolution(a, parameter("w", [8, 4, 2, 2, 2]), undefined, { padding: [0.5, 0.5, 0.5] }),
      ["convolution", "padding [0.5, 0.5, 0.5]", "[1, 4, 5, 6, 7]", "[8, 4, 2, 2, 2]"],
    ],
    ["add", () => add(a, input("b", [2, 4, 5, 6, 8])), ["add", "[1, 4, 5, 6, 7]", "[2, 4, 5, 6, 8]"]],
    ["matmul", () => matmul(input("b", [2, 3]), input("c", [4, 5])), ["matmul", "[2, 3]", "[4, 5]"]],
    [
      "concat",
      () => concat([a, input("b", [1, 4, 5, 6, 8])], 1),
      ["concat", "[1, 4, 5, 6, 7]", "[1, 4, 5, 6, 8]"],
    ],
    ["reshape", () => reshape(a, [3, 7]), ["reshape", "[1, 4, 5, 6, 7]", "[3, 7]"]],
    ["split", () => split(a, 1, [1, 2]), ["split", "[1, 4, 5, 6, 7]", "1, 2"]],
    [
      "slice",
      () => slice(a, [0, 0, 0, 0, 0], [1, 4, 5, 6, 8]),
      ["slice", "[1, 4, 5, 6, 7]", "[1, 4, 5, 6, 8]"],
    ],
  ])("%s: the error names the operation, the layer and both shapes", (_, build, parts) => {
    const inLayer = () => within("encoder.1", () => within("block.0", build));
    expect(inLayer).toThrow(ShapeError);
    for (const part of [...parts, "encoder.1.block.0"]) expect(inLayer).toThrow(part);
  });

  test("the scope is left when building fails", () => {
    expect(() => within("broken", () => instanceNorm(reshape(a, [1]), null))).toThrow();
    expect(parameter("free", [1]).node.path).toBe("");
  });

  test("every operation that is applied states shapes for all its outputs", () => {
    const parts = split(a, 1, [1, 3]);
    expect(parts.map(({ shape }) => sizeOf(shape))).toEqual([210, 630]);
    expect(apply(parts[0].node.operation, [a], parts[0].node.attributes).map(({ index }) => index)).toEqual([
      0, 1,
    ]);
  });
});

describe("a transposed convolution whose stride is its kernel", () => {
  test.each([
    [[4], [3]],
    [
      [4, 3],
      [2, 3],
    ],
    [
      [4, 3, 2],
      [2, 2, 2],
    ],
    [
      [1, 3, 2],
      [3, 1, 2],
    ],
  ])("of %j by blocks of %j is written without ConvTranspose, and is the same", async (space, stride) => {
    const x = input("x", [2, 3, ...space]);
    const w = input("w", [3, 5, ...stride]);
    const b = input("b", [5]);
    const y = transposedConvolution(x, w, b, { stride });
    const bytes = emitOnnx({ inputs: [x, w, b], outputs: { y } });
    expect(parse(bytes).graph?.node.map(({ opType }) => opType)).not.toContain("ConvTranspose");
    const given = new Map([x, w, b].map((value, seed) => [value, drawNumbers(value.shape, "any", seed)]));
    const { y: expected } = runOnEvaluator({ y }, given);
    const { y: actual } = await runOnOnnxRuntime({ y }, given);
    expect(relativeError(actual, expected)).toBeLessThan(1e-6);
  });
});
