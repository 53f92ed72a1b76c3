// A promptable predictor whose network is known: dense tissue, and what is near a positive click, without what is near a
// negative one. It runs as any other does.
import { emitOnnx } from "../graph/onnx.js";
import { convolution } from "../graph/operations/convolution.js";
import { constant, input } from "../graph/operations/leaves.js";
import { networkPresets } from "../networks/catalogue.js";
import { nodeRuntime } from "../runtime/node.js";
import type { PatchSize } from "../transforms/patch.js";
import type { Prepared } from "../transforms/preprocess.js";
import type { Predictor } from "./predictor.js";
import { predictProbability } from "./sliding-window.js";

/**
 * Foreground is what is denser than 50 HU; fat of −100 HU within 3.75 mm of a positive click too; nothing of up to 100 HU
 * within 5 mm of a negative one. Patches of 1 mm voxels.
 */
export async function promptedPredictor(
  patchSize: PatchSize,
): Promise<Predictor & { readonly runs: () => number }> {
  const image = input("image", [1, 3, ...patchSize]);
  const logits = convolution(image, constant([1, 3, 1, 1, 1], [40, 80, -60]));
  const session = await nodeRuntime.createSession(emitOnnx({ inputs: [image], outputs: { logits } }), {
    threads: 1,
  });
  const window = { lowHu: -150, highHu: 250 };
  const clickMaps = { radiusMm: 6 };
  let runs = 0;
  const member: Pick<typeof session, "run"> = {
    run: (inputs) => {
      runs++;
      return session.run(inputs);
    },
  };
  const plan = {
    network: networkPresets["lnsnet-small"],
    patchSize,
    spacingMm: [1, 1, 1],
    window,
    clickMaps,
  } as const;
  return {
    plan,
    members: 1,
    device: "cpu",
    deviceNote: session.deviceNote,
    runs: () => runs,
    probability: (prepared: Prepared, look) => predictProbability(prepared, [member], { ...look, ...plan }),
    warmUp: async () => undefined,
    release: () => session.release(),
  };
}
