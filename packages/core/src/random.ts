// Random streams that depend only on a seed and an index.
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

export type { RandomGenerator };

/**
 * The random stream number `index` of `seed`. Streams of different indices are independent, so that sample 1000 of a
 * run can be drawn without the 999 before it, and a resumed run continues exactly where it stopped.
 *
 * @param seed any integer within ±2^53
 * @param index any non-negative integer below 2^53
 */
export function indexedStream(seed: number, index: number): RandomGenerator {
  let hash = mix(0x9e3779b9);
  for (const word of [seed | 0, Math.floor(seed / 2 ** 32) | 0, index | 0, Math.floor(index / 2 ** 32) | 0]) {
    hash = mix(hash ^ word);
  }
  const state: number[] = [];
  for (let n = 0; n < 4; n++) {
    hash = (hash + 0x9e3779b9) | 0;
    state.push(mix(hash));
  }
  // xoroshiro cannot leave a state of four zeros.
  return xoroshiro128plusFromState(state.some((word) => word !== 0) ? state : [1, 0, 0, 0]);
}

/** A number in [low, high), uniform. */
export function uniform(random: RandomGenerator, low = 0, high = 1): number {
  return low + ((high - low) * (random.next() >>> 0)) / 2 ** 32;
}

/** A whole number in 0 … count − 1, uniform; `count` at most 2^32. */
export function uniformWhole(random: RandomGenerator, count: number): number {
  return Math.floor(uniform(random) * count);
}

/** A normal number by two uniform ones (Box and Muller 1958). */
export function normal(random: RandomGenerator, mean = 0, deviation = 1): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(random)));
  return mean + deviation * radius * Math.cos(2 * Math.PI * uniform(random));
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain): every bit of the input reaches every bit of the output. */
export function mix(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
