// Where the weights lie that ship with lnsnet.
import { createRequire } from "node:module";

/** The model of the package `@lnsnet/models`, trained on the phantom. */
export const shippedModelPath = createRequire(import.meta.url).resolve("@lnsnet/models/phantom.safetensors");
