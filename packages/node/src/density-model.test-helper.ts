// A trained model whose behaviour is known: an LNSNet whose weights mark what is far denser than the rest of its patch.
import { type Model, networkPresets } from "@lnsnet/core";
import { sizeOf } from "@lnsnet/core/graph";
import { partsOf } from "@lnsnet/core/networks";

/** Standard deviations above the patch's mean from which a voxel is foreground. */
const threshold = 1.5;

/**
 * The stem copies the image to the first channel, blocks and lower stages add nothing, the head's norm centres and
 * scales it, and its last convolution takes the threshold off.
 */
export function densityModel(spacingMm: Model["plan"]["spacingMm"] = [1, 1, 1], steepness = 8): Model {
  const network = networkPresets["lnsnet-small"];
  const patchSize = [24, 32, 32] as const;
  const weights = new Map(
    partsOf(network, patchSize).parameters.map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]),
  );
  const set = (name: string, at: number, value: number) => {
    const weight = weights.get(name);
    if (weight === undefined || at >= weight.length) throw new Error(`${name} has no element ${at}`);
    weight[at] = value;
  };
  const middleTap = 13;
  set("stem.weight", 0, 1);
  set("head.depthwise.weight", middleTap, 1);
  set("head.pointwise.weight", 0, 1);
  set("head.norm.weight", 0, 1);
  set("head.logits.weight", middleTap, steepness);
  set("head.logits.bias", 0, -steepness * threshold);
  return {
    plan: {
      network,
      patchSize,
      spacingMm,
      window: { lowHu: -160, highHu: 240 },
      foreground: "lymph node",
      dataLabel: "nothing (made by hand)",
    },
    steps: 0,
    weights,
  };
}
