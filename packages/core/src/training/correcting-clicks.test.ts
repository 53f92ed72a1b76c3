// Clicks in training: true, where the answer is wrong, and the same for the same weights.
import { describe, expect, test } from "vitest";
import { indexedStream } from "../random.js";
import type { Clicks } from "../transforms/click-maps.js";
import { type ClickedPatch, type ClickingPlan, clickBatch, drawClicks } from "./correcting-clicks.js";

const edge = 20;
const voxels = edge ** 3;
const size = [edge, edge, edge] as const;
const spacingMm = [1.5, 1.5, 1.5] as const;
const at = ([i, j, k]: readonly number[]) => Math.round(i) + edge * (Math.round(j) + edge * Math.round(k));

/** 1 in a ball. */
function ball(centre: readonly number[], radius: number): Uint8Array {
  const place = (n: number) => [n % edge, Math.floor(n / edge) % edge, Math.floor(n / edge ** 2)];
  return Uint8Array.from({ length: voxels }, (_, n) =>
    Math.hypot(...place(n).map((x, axis) => x - centre[axis])) <= radius ? 1 : 0,
  );
}

const truth = ball([8, 10, 10], 5);
const excess = ball([16, 10, 10], 2);
const withExcess = (mask: Uint8Array) => mask.map((value, n) => Math.max(value, excess[n]));
const patch: ClickedPatch = { truth, size, spacingMm };
const isInside = (place: readonly number[]) => place.every((x) => Math.round(x) >= 0 && Math.round(x) < edge);

describe("drawClicks", () => {
  test("first into the structure, then where each answer is wrong, up to six times", async () => {
    const counts = new Map<number, number>();
    // What lies to the left is missed, and a ball to the right is too much.
    const answer = withExcess(truth.map((value, n) => (n % edge < 8 ? 0 : value)));
    for (let n = 0; n < 200; n++) {
      const asked: Clicks[] = [];
      const clicks = await drawClicks(indexedStream(3, n), patch, async ({ positive, negative }) => {
        asked.push({ positive: [...positive], negative: [...negative] });
        return answer;
      });
      const [first, ...further] = clicks.positive;
      expect(truth[at(first)]).toBe(1);
      for (const click of further) expect([truth[at(click)], answer[at(click)]]).toEqual([1, 0]);
      for (const click of clicks.negative) expect(truth[at(click)]).toBe(0);
      const given = clicks.positive.length + clicks.negative.length;
      expect(asked.map(({ positive, negative }) => positive.length + negative.length)).toEqual(
        Array.from({ length: given - 1 }, (_, count) => count + 1),
      );
      counts.set(given, (counts.get(given) ?? 0) + 1);
    }
    expect(Math.abs((counts.get(1) ?? 0) / 200 - 0.36)).toBeLessThan(0.1);
    expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("negatively where an answer has too much", async () => {
    const answer = withExcess(truth);
    for (let n = 0; n < 40; n++) {
      const { positive, negative } = await drawClicks(indexedStream(4, n), patch, async () => answer);
      expect(positive).toHaveLength(1);
      for (const click of negative) {
        if (!isInside(click)) continue;
        expect([truth[at(click)], answer[at(click)]]).toEqual([0, 1]);
      }
    }
  });

  test("no more where the answer is right", async () => {
    for (let n = 0; n < 20; n++) {
      const { positive, negative } = await drawClicks(indexedStream(5, n), patch, async () => truth);
      expect([positive.length, negative.length]).toEqual([1, 0]);
    }
  });
});

describe("clickBatch", () => {
  const plan: ClickingPlan = {
    ...{ patchSize: [edge, edge, edge], spacingMm, seed: 7 },
    ...{ window: { lowHu: -160, highHu: 240 }, clickMaps: { radiusMm: 6 } },
  };
  const batchOf = (label: Uint8Array) => ({
    image: new Float32Array(3 * voxels).fill(0.25, 0, voxels),
    label: Float32Array.from(label),
  });
  /** Finds nothing. */
  const blind = {
    asked: 0,
    async run() {
      blind.asked++;
      return { logits: { shape: [1, 1, ...size], data: new Float32Array(voxels).fill(-9) } };
    },
  };

  test("writes the clicks beside the image, which stays, by seed and number alone", async () => {
    const clicked = async (first: number) => {
      const batch = batchOf(truth);
      await clickBatch(batch, first, plan, blind, {});
      return batch;
    };
    const batches = [];
    for (let n = 0; n < 12; n++) batches.push(await clicked(n));
    for (const { image, label } of batches) {
      expect(image.subarray(0, voxels).every((value) => value === 0.25)).toBe(true);
      expect(label).toEqual(Float32Array.from(truth));
      const positive = image.subarray(voxels, 2 * voxels);
      const peaks = positive.reduce((sum, value) => sum + (value > 0.78 ? 1 : 0), 0);
      expect(peaks).toBeGreaterThan(0);
      for (const [n, value] of positive.entries()) if (value > 0.79) expect(truth[n]).toBe(1);
      // A blind network has nothing too much.
      expect(image.subarray(2 * voxels).every((value) => value === 0)).toBe(true);
    }
    expect(blind.asked).toBeGreaterThan(5);
    expect(await clicked(3)).toEqual(batches[3]);
    expect(batches[4]).not.toEqual(batches[3]);
  });

  test("each sample of a batch as if it were alone", async () => {
    const other = ball([12, 9, 11], 4);
    const [one, two] = [batchOf(truth), batchOf(other)];
    const both = {
      image: Float32Array.from([...one.image, ...two.image]),
      label: Float32Array.from([...one.label, ...two.label]),
    };
    await clickBatch(both, 10, plan, blind, {});
    await clickBatch(one, 10, plan, blind, {});
    await clickBatch(two, 11, plan, blind, {});
    expect(both.image).toEqual(Float32Array.from([...one.image, ...two.image]));
  });
});
