// Tells which kind of DICOM object a file holds, to choose its reader.
import { InputError } from "../../errors.js";
import { parseReadablePart, textOf } from "./dataset.js";

/** The modality of a DICOM file, such as CT, SEG or RTSTRUCT ("" where it states none); null where it is not a DICOM file. */
export function dicomModality(bytes: Uint8Array, name: string): string | null {
  try {
    return textOf(parseReadablePart(bytes, name).dataset, "Modality");
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
