// Weights of the same network from elsewhere as a model of ours.
import { basename } from "node:path";
import { type Model, withOtherWeights } from "@lnsnet/core/models";
import { z } from "zod";
import { readBytes, readJson } from "../files/disk.js";
import { loadModel, saveModel } from "../files/model-file.js";
import { requireFreeFiles } from "../files/outputs.js";

export interface WeightsImport {
  /** A model of the same network: the result has its plan. */
  readonly modelPath: string;
  /** A JSON file with the name of ours for each name that differs, or null to leave a tensor out. */
  readonly namesPath?: string | undefined;
  /** The data that the weights were trained on; by default "unknown data", with the name of the file. */
  readonly dataLabel?: string | undefined;
  /** The model to write. */
  readonly output: string;
  /** Whether a file that stands there is replaced. */
  readonly force?: boolean;
}

const namesSchema = z.record(z.string(), z.string().nullable());

/**
 * Writes a model with the weights of a safetensors file, or of a state dictionary of PyTorch.
 *
 * @throws InputError where a file cannot be read, the tensors are not those of the network, or a file stands there already
 */
export async function importWeights(
  path: string,
  {
    modelPath,
    namesPath,
    dataLabel = `unknown data (${basename(path)})`,
    output,
    force = false,
  }: WeightsImport,
): Promise<Model> {
  const inputs = [path, modelPath, ...(namesPath === undefined ? [] : [namesPath])];
  await requireFreeFiles([output], { inputs, force });
  const model = withOtherWeights(await loadModel(modelPath), {
    path,
    bytes: await readBytes(path),
    dataLabel,
    ...(namesPath === undefined ? {} : { names: await readJson(namesPath, namesSchema) }),
  });
  await saveModel(output, model, false);
  return model;
}
