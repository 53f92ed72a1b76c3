// Random streams of the phantom: one independent stream for each purpose, made from (seed, patient, purpose).

import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Draws from one stream; the same stream made again gives the same draws. */
export interface RandomStream {
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Normal with the given mean and standard deviation. */
  normal(mean: number, deviation: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Position drawn with probability proportional to the weights. */
  weighted(weights: readonly number[]): number;
  /** 32 random bits as a signed integer. */
  bits(): number;
}

/** What a stream is for; patients and purposes never share draws, so one can change without the others. */
export type StreamPurpose = "anatomy" | "nodes" | "scanner" | "noise" | "implants" | "variety";

const purposeNumber: Readonly<Record<StreamPurpose, number>> = {
  anatomy: 1,
  nodes: 2,
  scanner: 3,
  noise: 4,
  implants: 5,
  variety: 6,
};

/** The stream of one purpose of one patient. */
export function randomStream(seed: number, patientIndex: number, purpose: StreamPurpose): RandomStream {
  const generator = xoroshiro128plus(mix(mix(mix(seed) ^ patientIndex) ^ purposeNumber[purpose]));
  const unit = (): number => (generator.next() >>> 0) / 4294967296;
  return {
    uniform: (low, high) => low + (high - low) * unit(),
    normal: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    chance: (probability) => unit() < probability,
    weighted: (weights) => {
      let rest = unit() * weights.reduce((sum, weight) => sum + weight, 0);
      for (let position = 0; position < weights.length; position++) {
        rest -= weights[position];
        if (rest < 0) return position;
      }
      return weights.length - 1;
    },
    bits: () => generator.next(),
  };
}

// The finaliser of MurmurHash3: neighbouring seeds and indices give unrelated generators.
function mix(value: number): number {
  let h = (value ^ 0x9e3779b9) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
