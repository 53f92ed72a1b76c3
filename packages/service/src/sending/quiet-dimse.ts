// dcmjs-dimse and dcmjs print what they do; below the commands nothing prints.
import dimse from "dcmjs-dimse";

/** Silences the library, once and for all of this process. */
export function quietDimse(): void {
  dimse.log.setLevel("silent");
}
