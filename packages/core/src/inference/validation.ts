// Validation during training: the mean DSC on scans that the network is not trained on.
import { countOverlap, dice } from "../metrics/overlap.js";
import { classPairs, labelSchemeOf } from "../transforms/label-scheme.js";
import type { PatchSource } from "../transforms/patch.js";
import { FOREGROUND_THRESHOLD } from "./segmented-nodes.js";
import { type Member, predictProbability, type SlidingWindowOptions } from "./sliding-window.js";

/** A scan on the working grid with its target numbers; 0 is background. */
export interface LabelledScan extends PatchSource {
  readonly label: Uint8Array;
}

/**
 * The mean DSC over classes and whole scans on the working grid, without a search for the neck and without clean-up:
 * only the network itself is validated.
 *
 * @param scans at least one
 * @param options their `constants` are the weights, where the network takes them as inputs
 */
export async function meanDsc(
  scans: readonly LabelledScan[],
  network: Member,
  options: SlidingWindowOptions,
): Promise<number> {
  const scheme = labelSchemeOf(options);
  let sum = 0;
  for (const scan of scans) {
    const predictions = await predictProbability({ ...scan, ...anywhere }, [network], options);
    const probabilities = predictions.map(({ probability }) => probability.data);
    const pairs = classPairs(scan.label, probabilities, scheme, FOREGROUND_THRESHOLD);
    for (const { truth, prediction } of pairs) sum += dice(countOverlap(truth, prediction)) / pairs.length;
  }
  return sum / scans.length;
}

/** The position of the grid does not matter. */
const anywhere = { originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
