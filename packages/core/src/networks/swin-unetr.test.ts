// Swin UNETR against MONAI's modules (fixtures/blocks): blocks with and without a shift, both ways of merging, counts at full size.
import { describe, expect, test } from "vitest";
import type { Value } from "../graph/graph.js";
import { reshape, transpose } from "../graph/operations/layout.js";
import { input } from "../graph/operations/leaves.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { positions, relativePositions, windowsOf } from "./blocks/windows.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork } from "./catalogue.js";
import { testBlocks, testCosts } from "./reference.test-helper.js";
import { NEIGHBOURS, swinBlock, swinMerging, swinUnetrDefaults, swinUnetrNetwork } from "./swin-unetr.js";

/** A block of rows on a volume [N, D, H, W, C], as the stored cases have it. */
function onVolume(x: Value, space: Shape, build: (rows: Value) => Value): Value {
  const [batch, , , , channels] = x.shape;
  const rows = transpose(reshape(x, [batch, sizeOf(x.shape.slice(1, 4)), channels]), [1, 0, 2]);
  const y = transpose(build(rows), [1, 0, 2]);
  return reshape(y, [batch, ...space, y.shape[2]]);
}

describe("blocks", () => {
  const space = [4, 6, 4];
  const block = (shift: number) => (builder: NetworkBuilder, x: Value) =>
    onVolume(x, space, (rows) =>
      swinBlock(rows, space, { heads: 3, window: [2, 3, 2], shift: [shift, shift, shift] }, 0, builder),
    );
  const merging = (neighbours: readonly Shape[]) => (builder: NetworkBuilder, x: Value) =>
    onVolume(x, [2, 3, 2], (rows) => swinMerging(rows, space, neighbours, builder));

  testBlocks("swin", {
    block_shift0: block(0),
    block_shift1: block(1),
    merging: merging(NEIGHBOURS),
    merging_v2: merging(positions([2, 2, 2])),
  });
});

describe("windows", () => {
  test("of a volume that they do not divide are filled up at its end", () => {
    expect(windowsOf([1, 1, 3], [1, 1, 2], [0, 0, 0])).toEqual({
      count: 2,
      length: 2,
      tokens: [0, 1, 2, 3],
      places: [0, 1, 2],
      parts: null,
    });
  });

  test("that are shifted hold what went round the end as a part by itself", () => {
    expect(windowsOf([1, 1, 4], [1, 1, 2], [0, 0, 1])).toEqual({
      count: 2,
      length: 2,
      tokens: [1, 2, 3, 0],
      places: [3, 0, 1, 2],
      parts: [0, 0, 1, 2],
    });
  });

  test("are not shifted along an axis that one of them spans", () => {
    const spanned = windowsOf([1, 1, 2], [7, 7, 7], [3, 3, 3]);
    expect(spanned).toEqual({ count: 1, length: 2, tokens: [0, 1], places: [0, 1], parts: null });
  });

  test("have a row for each difference of positions", () => {
    expect(relativePositions([1, 1, 2], 2)).toEqual([1, 0, 2, 1]);
  });
});

describe("the whole network", () => {
  const specificationOf = (features: number, classes: number) =>
    ({ name: "swin-unetr", configuration: { ...swinUnetrDefaults, features, classes } }) as const;

  testCosts(
    (classes) => specificationOf(48, classes),
    [
      { size: [64, 64, 64], parameters: 62_186_659, multiplyAdds: 96_519_297_600, thop: 97_956_476_928 },
      { size: [64, 64, 64], classes: 2, parameters: 62_186_708 },
    ],
  );
  testCosts(
    (classes) => specificationOf(24, classes),
    [
      { size: [64, 64, 64], parameters: 15_702_979, multiplyAdds: 25_417_318_176, thop: 24_583_491_072 },
      { size: [64, 64, 64], classes: 2, parameters: 15_703_004 },
    ],
  );

  test("drops both branches of a block, each for itself", () => {
    const builder = new NetworkBuilder(true);
    const configuration = { ...swinUnetrDefaults, features: 12, dropPath: 0.7 };
    buildNetwork({ name: "swin-unetr", configuration }, input("image", [2, 1, 32, 32, 32]), builder);
    expect(builder.masks).toHaveLength(2 * 7);
    expect(builder.masks.at(-1)).toMatchObject({
      name: "swinViT.layers4.0.blocks.1.mlp.keep",
      shape: [2, 1, 1],
      keep: expect.closeTo(0.3, 10),
    });
  });

  test("refuses heads that do not divide the channels", () => {
    expect(swinUnetrNetwork.schema.safeParse({ features: 16 }).error?.issues[0].path).toEqual(["heads"]);
  });
});
