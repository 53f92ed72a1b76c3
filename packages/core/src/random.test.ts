// Random streams: functions of seed and index, and no two alike.
import { describe, expect, test } from "vitest";
import { indexedStream } from "./random.js";

describe("indexedStream", () => {
  test("is the same for the same seed and index, and differs in either", () => {
    const words = (seed: number, index: number) => {
      const random = indexedStream(seed, index);
      return Array.from({ length: 4 }, () => random.next());
    };
    expect(words(1, 2)).toEqual(words(1, 2));
    const seen = new Set<string>();
    for (let seed = 0; seed < 20; seed++)
      for (let index = 0; index < 20; index++) seen.add(words(seed, index).join());
    expect(seen.size).toBe(400);
    expect(words(1, 2 ** 40)).not.toEqual(words(1, 0));
  });
});
