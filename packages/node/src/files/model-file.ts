// Models as files on disk.
import { InputError, type Model, type Plan, readModel, writeModel } from "@lnsnet/core";
import { readBytes, writeAtomically } from "./disk.js";

/** A model and where it was read. */
export interface StoredModel extends Model {
  readonly path: string;
}

/** @throws InputError where the file cannot be read or is no model */
export async function loadModel(path: string): Promise<StoredModel> {
  const model = readModel(await readBytes(path), path);
  requireOneClass(model.plan, path);
  return { ...model, path };
}

/** Results of several classes or channels have no files yet. @throws InputError where a plan has them */
function requireOneClass({ labels, channels }: Plan, path: string): void {
  if ((labels?.classes.length ?? 1) > 1 || (channels?.length ?? 1) > 1)
    throw new InputError(
      `${path} has several classes or channels, which can be trained and not yet used; choose one class with --foreground, and keep the CT alone.`,
    );
}

/** Writes a model, whole or not at all; `half` as float16. */
export function saveModel(path: string, model: Model, half: boolean): Promise<void> {
  return writeAtomically(path, writeModel(model, half));
}
