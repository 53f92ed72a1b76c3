// Random streams of the phantom: one independent stream for each purpose, made from (seed, patient, purpose).

import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { mix, normal, uniform } from "../random.js";

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
export type StreamPurpose =
  | "anatomy"
  | "nodes"
  | "scanner"
  | "noise"
  | "implants"
  | "variety"
  | "plain"
  | "plain noise";

const purposeNumber: Readonly<Record<StreamPurpose, number>> = {
  anatomy: 1,
  nodes: 2,
  scanner: 3,
  noise: 4,
  implants: 5,
  variety: 6,
  plain: 7,
  "plain noise": 8,
};

/** The stream of one purpose of one patient. */
export function randomStream(seed: number, patientIndex: number, purpose: StreamPurpose): RandomStream {
  const words = [seed, patientIndex, purposeNumber[purpose]];
  const generator = xoroshiro128plus(words.reduce((hash, word) => mix(hash ^ word ^ 0x9e3779b9), 0));
  return {
    uniform: (low, high) => uniform(generator, low, high),
    normal: (mean, deviation) => normal(generator, mean, deviation),
    chance: (probability) => uniform(generator) < probability,
    weighted: (weights) => {
      let rest = uniform(generator) * weights.reduce((sum, weight) => sum + weight, 0);
      for (let position = 0; position < weights.length; position++) {
        rest -= weights[position];
        if (rest < 0) return position;
      }
      return weights.length - 1;
    },
    bits: () => generator.next(),
  };
}
