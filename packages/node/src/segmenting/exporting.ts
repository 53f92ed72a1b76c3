// A trained model as a file for other programs: ONNX with a recipe beside it, or weights of half the size.
import { basename } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { averaged, withThreshold } from "@lnsnet/core/models";
import { fitsSize, inferenceModel, networkTitle } from "@lnsnet/core/networks";
import type { PatchSize } from "@lnsnet/core/transforms";
import { writeAtomically, writeJson } from "../files/disk.js";
import { loadModel, saveModel } from "../files/model-file.js";
import { requireFreeFiles } from "../files/outputs.js";
import { exportRecipe, writtenLabels } from "./export-recipe.js";

export interface ExportOptions {
  /** A file that ends in .safetensors holds float16 weights; every other an ONNX model. */
  readonly output: string;
  /** Depth, height, width of the ONNX model's input; that of the training patches by default. */
  readonly patchSize?: PatchSize | undefined;
  /** What will run the ONNX model: for WebGPU it has none but operations that WebGPU supports. */
  readonly target?: "cpu" | "webgpu";
  /** Another training of the same network, whose weights are averaged with the model's. */
  readonly averageWith?: string | undefined;
  /** From which probability on a voxel is foreground; it becomes 0.5. Absent where the model stays as it is. */
  readonly threshold?: number | undefined;
  /** Whether files that stand there are replaced. */
  readonly force?: boolean;
}

export interface ExportedModel {
  readonly path: string;
  /** What the model was trained on. */
  readonly dataLabel: string;
  /** Null where weights alone were written. */
  readonly onnx: {
    /** A JSON file that says how to use the model. */
    readonly recipePath: string;
    readonly bytes: number;
    /** [batch, channels, depth, height, width]. */
    readonly inputShape: readonly number[];
    /** What the ONNX file says of itself. */
    readonly metadata: Readonly<Record<string, string>>;
  } | null;
}

/**
 * Writes a model in another form.
 *
 * @throws InputError where the model cannot be read, its weights do not fit the patch, its threshold cannot be
 *   moved, both models differ in more than weights, or a file stands there already
 */
export async function exportModel(
  modelPath: string,
  { output, patchSize, target = "cpu", averageWith, threshold, force = false }: ExportOptions,
): Promise<ExportedModel> {
  const isOnnx = !output.endsWith(".safetensors");
  const recipePath = `${output.replace(/\.onnx$/, "")}.json`;
  const inputs = averageWith === undefined ? [modelPath] : [modelPath, averageWith];
  await requireFreeFiles(isOnnx ? [output, recipePath] : [output], { inputs, force });
  const [first, second] = await Promise.all(inputs.map(loadModel));
  const loaded = averageWith === undefined ? first : averaged(first, second);
  const { plan, weights, steps } = threshold === undefined ? loaded : withThreshold(loaded, threshold);
  if (!isOnnx) {
    await saveModel(output, { plan, steps, weights }, true);
    return { path: output, dataLabel: plan.dataLabel, onnx: null };
  }
  const patch = patchSize ?? plan.patchSize;
  if (!fitsSize(plan.network, weights, patch))
    throw new InputError(
      `The option patch is ${patch.join(",")}, and the weights of this ${networkTitle(plan.network)} belong to patches of ${plan.patchSize.join(",")}; leave the option patch out.`,
    );
  const metadata = {
    target,
    patch_size: patch.join(","),
    spacing_mm: plan.spacingMm.join(","),
    window_hu: `${plan.window.lowHu},${plan.window.highHu}`,
    ...(plan.channels === undefined ? {} : { channels: JSON.stringify(plan.channels) }),
    ...(plan.clickMaps === undefined ? {} : { click_maps: JSON.stringify(plan.clickMaps) }),
    ...(plan.nnunet === undefined ? {} : { nnunet: JSON.stringify(plan.nnunet) }),
    labels: JSON.stringify(writtenLabels(plan)),
    trained_on: plan.dataLabel,
    network: JSON.stringify(plan.network),
    steps: String(steps),
    use: "research use only",
  };
  const inputShape = [1, plan.network.configuration.inputs, ...patch];
  const bytes = inferenceModel(plan.network, inputShape, weights, { target, metadata });
  await writeAtomically(output, bytes);
  await writeJson(recipePath, exportRecipe(basename(output), plan, patch, steps));
  return {
    path: output,
    dataLabel: plan.dataLabel,
    onnx: { recipePath, bytes: bytes.length, inputShape, metadata },
  };
}
