// Where the models that ship with the package lie.
import { fileURLToPath } from "node:url";

export const shippedModelPath = (name: "finder" | "phantom"): string =>
  fileURLToPath(new URL(`../../packages/models/${name}.safetensors`, import.meta.url));
