// Where the model that ships with the package lies.
import { fileURLToPath } from "node:url";

export const shippedModelPath = fileURLToPath(
  new URL("../../packages/models/phantom.safetensors", import.meta.url),
);
