// A predictor whose network is known: the denser a voxel, the likelier foreground. It runs as any other does.
import { emitOnnx } from "../graph/onnx.js";
import { multiply } from "../graph/operations/elementwise.js";
import { input } from "../graph/operations/leaves.js";
import { networkPresets } from "../networks/catalogue.js";
import { nodeRuntime } from "../runtime/node.js";
import type { PatchSize } from "../transforms/patch.js";
import type { Prepared } from "../transforms/preprocess.js";
import type { Vector3 } from "../volume/volume.js";
import type { Predictor } from "./predictor.js";
import { predictProbability } from "./sliding-window.js";

/** Foreground is what is denser than 50 HU, unless another value is given; the probability is a sigmoid that falls from 1 to 0 within some 20 HU. */
export async function densityPredictor(
  patchSize: PatchSize,
  spacingMm: Vector3 = [1, 1, 1],
  fromHu = 50,
): Promise<Predictor & { readonly runs: () => number }> {
  const image = input("image", [1, 1, ...patchSize]);
  const model = emitOnnx({ inputs: [image], outputs: { logits: multiply(image, 40) } });
  const session = await nodeRuntime.createSession(model, { threads: 1 });
  const window = { lowHu: fromHu - 200, highHu: fromHu + 200 };
  let runs = 0;
  const member: Pick<typeof session, "run"> = {
    run: (inputs) => {
      runs++;
      return session.run(inputs);
    },
  };
  return {
    plan: { network: networkPresets["lnsnet-small"], patchSize, spacingMm, window },
    members: 1,
    device: "cpu",
    deviceNote: session.deviceNote,
    runs: () => runs,
    probability: (prepared: Prepared, look) =>
      predictProbability(prepared, [member], { ...look, patchSize, window }),
    warmUp: async () => undefined,
    release: () => session.release(),
  };
}
