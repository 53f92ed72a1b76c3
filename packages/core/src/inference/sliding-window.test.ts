// A whole scan from patches, with networks that are known: what comes out must not depend on how the scan was cut.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emitOnnx } from "../graph/onnx.js";
import { convolution } from "../graph/operations/convolution.js";
import { multiply } from "../graph/operations/elementwise.js";
import { constant, input } from "../graph/operations/leaves.js";
import { indexedStream, uniform } from "../random.js";
import { nodeRuntime } from "../runtime/node.js";
import type { Session } from "../runtime/types.js";
import type { PatchSize } from "../transforms/patch.js";
import type { Prepared } from "../transforms/preprocess.js";
import type { Vector3, Volume } from "../volume/volume.js";
import { placesOf, predictProbability } from "./sliding-window.js";

const window = { lowHu: -100, highHu: 100 };
const patchSize: PatchSize = [6, 8, 8];

/** A grid of HU within the window, none of it air. */
function scan(size: Vector3): Prepared {
  const random = indexedStream(3, 0);
  const hu = Int16Array.from({ length: size[0] * size[1] * size[2] }, () => uniform(random, -90, 100));
  return {
    size,
    spacingMm: [1, 1.5, 2],
    originMm: [5, -6, 7],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    hu,
  };
}

const normalised = (hu: number) => hu / 100;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

let pointwise: Session;
let neighbours: Session;
beforeAll(async () => {
  const image = input("image", [1, 1, ...patchSize]);
  const kernel = constant(
    [1, 1, 3, 3, 3],
    Float32Array.from({ length: 27 }, (_, tap) => (tap - 13) / 13),
  );
  pointwise = await nodeRuntime.createSession(
    emitOnnx({ inputs: [image], outputs: { logits: multiply(image, 3) } }),
    { threads: 1 },
  );
  const logits = convolution(image, kernel, undefined, { padding: [1, 1, 1] });
  neighbours = await nodeRuntime.createSession(emitOnnx({ inputs: [image], outputs: { logits } }), {
    threads: 1,
  });
});
afterAll(async () => {
  await pointwise.release();
  await neighbours.release();
});

test("planes that no later patch reaches are told of as they are done, as the result has them", async () => {
  const prepared = scan([11, 9, 23]);
  const told: Volume<Float32Array>[] = [];
  const [{ probability }] = await predictProbability(prepared, [neighbours], {
    ...{ patchSize, window, overlap: 0.5 },
    onPlanes: ([finished]) => told.push(finished),
  });
  expect(told.map(({ size }) => size)).toEqual([3, 6, 9, 11, 14, 17].map((planes) => [11, 9, planes]));
  for (const { data } of told) expect(data).toEqual(probability.data.subarray(0, data.length));
});

describe("a network that looks at one voxel", () => {
  test.each<[string, Vector3, number]>([
    ["of whole patches", [16, 16, 12], 0],
    ["with an overlap of a half", [16, 16, 12], 0.5],
    ["that patches do not divide", [19, 11, 13], 0.5],
    ["with an overlap of three quarters", [11, 9, 7], 0.75],
    ["of just one patch", [8, 8, 6], 0.5],
    ["smaller than a patch", [5, 8, 3], 0.5],
    ["of a single voxel", [1, 1, 1], 0.5],
  ])("gives each voxel its own probability, in a scan %s", async (_, size, overlap) => {
    const prepared = scan(size);
    const [{ probability }] = await predictProbability(prepared, [pointwise], { patchSize, window, overlap });
    const { spacingMm, originMm, direction } = prepared;
    expect(probability).toMatchObject({ size, spacingMm, originMm, direction });
    prepared.hu.forEach((hu, voxel) => {
      expect(probability.data[voxel]).toBeCloseTo(sigmoid(3 * normalised(hu)), 5);
    });
  });
});

test("a network of 3×3×3 voxels gives, where a patch's middle decides, what it gives on the whole scan", async () => {
  const size: Vector3 = [14, 12, 10];
  const prepared = scan(size);
  const [{ probability }] = await predictProbability(prepared, [neighbours], {
    patchSize,
    window,
    overlap: 0.5,
  });
  const { data } = probability;
  const image = input("image", [1, 1, size[2], size[1], size[0]]);
  const kernel = constant(
    [1, 1, 3, 3, 3],
    Float32Array.from({ length: 27 }, (_, tap) => (tap - 13) / 13),
  );
  const logits = convolution(image, kernel, undefined, { padding: [1, 1, 1] });
  const whole = await nodeRuntime.createSession(emitOnnx({ inputs: [image], outputs: { logits } }));
  const given = { shape: image.shape, data: Float32Array.from(prepared.hu, normalised) };
  const expected = (await whole.run({ image: given })).logits.data;
  await whole.release();
  // The Gaussian gives a patch's rim, which sees padding in the place of neighbours, little say: not none.
  const gaps = data.map((value, voxel) => Math.abs(value - sigmoid(expected[voxel]))).sort();
  expect(gaps[Math.floor(gaps.length / 2)]).toBeLessThan(0.01);
  expect(gaps[gaps.length - 1]).toBeLessThan(0.5);
});

test("air is not computed: its probability is 0, and the network is not run", async () => {
  const air = scan([16, 8, 6]);
  air.hu.fill(-1000);
  const body = scan([16, 8, 6]);
  // The left patch is air, the right one is not.
  for (let n = 0; n < body.hu.length; n++) if (n % 16 < 8) body.hu[n] = -1000;
  let runs = 0;
  const counting: Pick<Session, "run"> = {
    run: (inputs) => {
      runs++;
      return pointwise.run(inputs);
    },
  };
  const options = { patchSize, window, overlap: 0 };
  expect(
    (await predictProbability(air, [counting], options))[0].probability.data.every((value) => value === 0),
  ).toBe(true);
  expect(runs).toBe(0);
  await predictProbability(body, [counting], options);
  expect(runs).toBe(1);
});

test("boxes that are not wanted are not computed, and the rest is as it is without that", async () => {
  const prepared = scan([16, 8, 6]);
  const options = { patchSize, window, overlap: 0 };
  const whole = (await predictProbability(prepared, [pointwise], options))[0].probability.data;
  const right = (
    await predictProbability(prepared, [pointwise], { ...options, isWanted: ({ start }) => start[0] >= 8 })
  )[0].probability.data;
  right.forEach((value, voxel) => {
    expect(value).toBe(voxel % 16 < 8 ? 0 : whole[voxel]);
  });
});

/** A network whose logit is the image times a factor, plus what the i-th voxel of a row adds. */
function slanted(factor: number, perVoxel: number): Pick<Session, "run"> {
  return {
    run: async ({ image: { shape, data } }) => ({
      logits: { shape, data: data.map((value, n) => factor * value + perVoxel * (n % patchSize[2])) },
    }),
  };
}

test("mirrored, what a network says by the side of the patch alone cancels", async () => {
  const prepared = scan([8, 8, 6]);
  prepared.hu.fill(0);
  const options = { patchSize, window, overlap: 0, mirrored: true };
  const { data } = (await predictProbability(prepared, [slanted(1, 0.5)], options))[0].probability;
  data.forEach((value, voxel) => {
    const i = voxel % 8;
    expect(value).toBeCloseTo((sigmoid(0.5 * i) + sigmoid(0.5 * (7 - i))) / 2, 6);
  });
});

test("several networks: their mean, and how far they are from it", async () => {
  const prepared = scan([16, 8, 6]);
  const options = { patchSize, window, overlap: 0.5 };
  const [single] = await predictProbability(prepared, [slanted(2, 0)], options);
  expect(single.disagreement).toBeNull();
  const [{ probability, disagreement }] = await predictProbability(
    prepared,
    [slanted(2, 0), slanted(-1, 0)],
    options,
  );
  prepared.hu.forEach((hu, voxel) => {
    const [a, b] = [sigmoid(2 * normalised(hu)), sigmoid(-normalised(hu))];
    expect(probability.data[voxel]).toBeCloseTo((a + b) / 2, 5);
    expect(disagreement?.data[voxel]).toBeCloseTo(Math.abs(a - b) / 2, 3);
  });
});

test("each member's own probabilities are what it gives alone, bit for bit", async () => {
  const prepared = scan([9, 11, 7]);
  const options = { patchSize, window, overlap: 0.5 };
  const members = [pointwise, neighbours];
  const [{ ofMembers }] = await predictProbability(prepared, members, { ...options, eachMember: true });
  for (const [index, member] of members.entries()) {
    const [alone] = await predictProbability(prepared, [member], options);
    expect(ofMembers[index].data).toEqual(alone.probability.data);
    expect(alone.ofMembers).toEqual([]);
  }
});

test("tells of each patch, and stops where it is told to", async () => {
  const seen: [number, number][] = [];
  const options = { patchSize, window, overlap: 0 };
  await predictProbability(scan([16, 16, 6]), [pointwise], {
    ...options,
    onPatch: (done, total) => seen.push([done, total]),
  });
  expect(seen).toEqual([1, 2, 3, 4].map((done) => [done, 4]));
  const stopped = AbortSignal.abort(new Error("enough"));
  await expect(
    predictProbability(scan([16, 16, 6]), [pointwise], { ...options, signal: stopped }),
  ).rejects.toThrow("enough");
});

describe("places", () => {
  test.each<[string, Vector3, number, number[]]>([
    ["touch without overlap", [12, 4, 4], 0, [0, 4, 8]],
    ["are evenly spread", [10, 4, 4], 0, [0, 3, 6]],
    ["are half a patch apart", [8, 4, 4], 0.5, [0, 2, 4]],
    ["are one where the scan is a patch", [4, 4, 4], 0.5, [0]],
    ["are centred where the scan is smaller", [1, 4, 4], 0.5, [-2]],
  ])("%s", (_, size, overlap, starts) => {
    expect(placesOf(size, [4, 4, 4], overlap)).toEqual(starts.map((i) => [i, 0, 0]));
  });
});
