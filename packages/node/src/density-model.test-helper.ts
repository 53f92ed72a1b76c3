// Trained models whose behaviour is known: LNSNets whose weights mark what is far denser than the rest of its patch.

import { sizeOf } from "@lnsnet/core/graph";
import type { Model } from "@lnsnet/core/models";
import { networkPresets, partsOf } from "@lnsnet/core/networks";
import { type LabelScheme, logitChannels } from "@lnsnet/core/transforms";

/** Standard deviations above the patch's mean from which a voxel is foreground. */
const threshold = 1.5;

/** Marks what is dense in the CT. */
export function densityModel(spacingMm: Model["plan"]["spacingMm"] = [1, 1, 1], steepness = 8): Model {
  return markingModel(["lymph node"], { spacingMm, steepness });
}

/** Marks what is dense in the CT as GTVp, and what is bright in a second channel as GTVn, in a softmax. */
export function twoClassModel(spacingMm: Model["plan"]["spacingMm"] = [1, 1, 1]): Model {
  return twoChannelModel(spacingMm, {
    kind: "exclusive",
    classes: [
      { name: "GTVp", values: [3], writtenAs: 3 },
      { name: "GTVn", values: [7], writtenAs: 7 },
    ],
    ignored: null,
  });
}

/** Marks what is dense in the CT as the whole, and what is bright in a second channel as its core, a sigmoid each. */
export function regionsModel(spacingMm: Model["plan"]["spacingMm"] = [1, 1, 1]): Model {
  return twoChannelModel(spacingMm, {
    kind: "overlapping",
    classes: [
      { name: "whole", values: [1, 2], writtenAs: 1 },
      { name: "core", values: [2], writtenAs: 2 },
    ],
    ignored: null,
  });
}

/** Marks what is dense in the CT, but not around negative clicks: the hole of one has a radius of some 4 mm. */
export function promptableModel(spacingMm: Model["plan"]["spacingMm"] = [1, 1, 1]): Model {
  const model = markingModel(["lymph node"], { spacingMm, steepness: 8, inputs: 3 });
  const logits = model.weights.get("head.logits.weight");
  const [negative, middleTap] = [2 * 27, 13];
  if (logits !== undefined) logits[negative + middleTap] = -3;
  return { ...model, plan: { ...model.plan, clickMaps: { radiusMm: 6 } } };
}

function twoChannelModel(spacingMm: Model["plan"]["spacingMm"], labels: LabelScheme): Model {
  const names = labels.classes.map(({ name }) => name);
  const model = markingModel(names, { spacingMm, steepness: 8, outputs: logitChannels(labels) });
  const channels: Model["plan"]["channels"] = [
    { name: "CT", scaling: model.plan.window },
    { name: "PET", scaling: "z-score" },
  ];
  return { ...model, plan: { ...model.plan, channels, labels } };
}

/**
 * For each class, the stem copies a channel of the image, blocks and lower stages add nothing, the head's norm centres
 * and scales it, and its last convolution takes the threshold off. The logit of a background is 0.
 */
function markingModel(
  names: readonly string[],
  {
    spacingMm,
    steepness,
    outputs = 1,
    inputs = names.length,
  }: {
    readonly spacingMm: Model["plan"]["spacingMm"];
    readonly steepness: number;
    /** One more than names where the first is the background. */
    readonly outputs?: number;
    /** More than names where the others change no logit. */
    readonly inputs?: number;
  },
): Model {
  const preset = networkPresets["lnsnet-small"];
  const network = {
    ...preset,
    configuration: { ...preset.configuration, inputs, classes: outputs },
  } as Model["plan"]["network"];
  const patchSize = [24, 32, 32] as const;
  const { parameters } = partsOf(network, patchSize);
  const weights = new Map(parameters.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]));
  const set = (name: string, at: number, value: number) => {
    const weight = weights.get(name);
    if (weight === undefined || at >= weight.length) throw new Error(`${name} has no element ${at}`);
    weight[at] = value;
  };
  const features = weights.get("head.norm.weight")?.length ?? 0;
  const [taps, middleTap] = [27, 13];
  for (let channel = 0; channel < inputs; channel++) {
    const logit = channel + outputs - names.length;
    set("stem.weight", channel * inputs + channel, 1);
    set("head.depthwise.weight", channel * taps + middleTap, 1);
    set("head.pointwise.weight", channel * features + channel, 1);
    set("head.norm.weight", channel, 1);
    if (channel >= names.length) continue;
    set("head.logits.weight", (logit * features + channel) * taps + middleTap, steepness);
    set("head.logits.bias", logit, -steepness * threshold);
  }
  return {
    plan: {
      network,
      patchSize,
      spacingMm,
      window: { lowHu: -160, highHu: 240 },
      foreground: names.join(", "),
      dataLabel: "nothing (made by hand)",
    },
    steps: 0,
    weights,
  };
}
