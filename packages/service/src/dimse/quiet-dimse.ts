// dcmjs-dimse and the dcmjs below it print what they find odd; below the commands nothing prints.
import { createRequire } from "node:module";
import dimse from "dcmjs-dimse";

interface Logger {
  setLevel(level: "silent"): void;
}

// An import would give another copy of dcmjs than dcmjs-dimse has.
const require = createRequire(import.meta.url);
const dcmjs = require("dcmjs") as { readonly log: Logger & { getLogger(name: string): Logger } };

/** Silences both, once and for all of this process. */
export function quietDimse(): void {
  dimse.log.setLevel("silent");
  dcmjs.log.setLevel("silent");
  dcmjs.log.getLogger("validation.dcmjs").setLevel("silent");
}
