// The variants of LNSNet that an ablation compares: each changes one field of the configuration, or one target of training.
import type { LnsnetConfiguration } from "./lnsnet.js";

export interface LnsnetVariant {
  /** Of its folder, and on the command line. */
  readonly name: string;
  /** What tables call it. */
  readonly label: string;
  /** A value of one field; of none where training is what changes. */
  readonly change: Partial<LnsnetConfiguration>;
  /** What telling apart the stations of nodes counts in the loss, as a second target of training. */
  readonly stationWeight?: number;
}

/** What some variants need of the data. */
export interface VariedData {
  /** Channels of the images. */
  readonly channels: number;
  /** Whether each case says in which station its nodes lie. */
  readonly hasStations: boolean;
}

/** Every value that is tried of every field, a row each, also those of the default. A new choice is a new row. */
// biome-ignore format: a table reads best with a line for each row
const variants: readonly LnsnetVariant[] = [
  { name: "partial-convolution", label: "partial convolution", change: { convolution: "partial" } },
  { name: "full-convolution", label: "full convolution", change: { convolution: "full" } },
  { name: "ratio-1-8", label: "partial ratio 1/8", change: { partialRatio: 1 / 8 } },
  { name: "ratio-1-4", label: "partial ratio 1/4", change: { partialRatio: 1 / 4 } },
  { name: "ratio-1-2", label: "partial ratio 1/2", change: { partialRatio: 1 / 2 } },
  { name: "expansion-1", label: "expansion 1", change: { expansion: 1 } },
  { name: "expansion-2", label: "expansion 2", change: { expansion: 2 } },
  { name: "expansion-4", label: "expansion 4", change: { expansion: 4 } },
  { name: "pointwise-dense", label: "dense point-wise", change: { pointwiseGroups: "dense" } },
  { name: "pointwise-depthwise", label: "depthwise point-wise", change: { pointwiseGroups: "depthwise" } },
  { name: "boundary-on", label: "with LBEM", change: { boundaryModule: true } },
  { name: "boundary-off", label: "no LBEM", change: { boundaryModule: false } },
  { name: "separable-head", label: "separable conv at head", change: { depthwiseSeparable: "head" } },
  { name: "separable-bottleneck", label: "separable conv at bottleneck", change: { depthwiseSeparable: "bottleneck" } },
  { name: "separable-none", label: "no separable conv", change: { depthwiseSeparable: "none" } },
  { name: "drop-path-0", label: "no stochastic depth", change: { dropPath: 0 } },
  { name: "drop-path-0-2", label: "stochastic depth 0.2", change: { dropPath: 0.2 } },
  { name: "stem-full", label: "stem at full size", change: { stem: "full" } },
  { name: "stem-half", label: "stem at half size", change: { stem: "half" } },
  { name: "streams-2", label: "two streams", change: { streams: 2 } },
  { name: "stations", label: "with stations, weight 0.2", change: {}, stationWeight: 0.2 },
];

/** The names of all variants. */
export const lnsnetVariantNames: readonly string[] = variants.map(({ name }) => name);

/** A variant of a base, whose configuration differs from it in one field. */
export interface VariedLnsnet extends LnsnetVariant {
  readonly configuration: LnsnetConfiguration;
}

/** The variants of a base; those that the base already is, or for which the data have too little, are left out. */
export function lnsnetVariants(
  base: LnsnetConfiguration,
  { channels, hasStations }: VariedData,
): VariedLnsnet[] {
  return variants
    .filter(
      ({ change, stationWeight }) =>
        stationWeight !== undefined || fieldsOf(change).some((field) => base[field] !== change[field]),
    )
    .filter(({ change: { streams = 1 } }) => streams === 1 || streams === channels)
    .filter(({ stationWeight }) => stationWeight === undefined || hasStations)
    .map((variant) => ({ ...variant, configuration: { ...base, ...variant.change } }));
}

const fieldsOf = (change: Partial<LnsnetConfiguration>) =>
  Object.keys(change) as (keyof LnsnetConfiguration)[];
