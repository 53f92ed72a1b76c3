// Where the weights lie that ship with lnsnet.
import { createRequire } from "node:module";

/** The models of the package `@lnsnet/models`: "finder" finds nodes in whole scans, "clicker" outlines what is clicked. */
export type ShippedModelName = "finder" | "clicker";

export function shippedModelPath(name: ShippedModelName): string {
  return createRequire(import.meta.url).resolve(`@lnsnet/models/${name}.safetensors`);
}
