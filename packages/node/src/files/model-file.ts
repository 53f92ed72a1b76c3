// Models as files on disk.
import { type Model, readModel, writeModel } from "@lnsnet/core/models";
import { readBytes, writeAtomically } from "./disk.js";

/** A model and where it was read. */
export interface StoredModel extends Model {
  readonly path: string;
}

/** @throws InputError where the file cannot be read or is no model */
export async function loadModel(path: string): Promise<StoredModel> {
  return { ...readModel(await readBytes(path), path), path };
}

/** Writes a model, whole or not at all; `half` as float16. */
export function saveModel(path: string, model: Model, half: boolean): Promise<void> {
  return writeAtomically(path, writeModel(model, half));
}
