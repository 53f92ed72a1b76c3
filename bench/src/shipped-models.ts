// Where the models that ship with the package lie, and the one that knows phantoms alone.
import { fileURLToPath } from "node:url";

export const shippedModelPath = (name: "finder" | "clicker"): string =>
  fileURLToPath(new URL(`../../packages/models/${name}.safetensors`, import.meta.url));

export const phantomModelPath = fileURLToPath(new URL("../models/phantom.safetensors", import.meta.url));
