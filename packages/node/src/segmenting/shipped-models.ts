// Where the weights lie that ship with lnsnet.
import { createRequire } from "node:module";

/**
 * The models of the package `@lnsnet/models`: "finder" finds nodes in whole scans, "proposer" says where the finder
 * looks, and "phantom" is LNSNet trained on phantoms alone.
 */
export type ShippedModelName = "finder" | "proposer" | "phantom";

export function shippedModelPath(name: ShippedModelName): string {
  return createRequire(import.meta.url).resolve(`@lnsnet/models/${name}.safetensors`);
}
