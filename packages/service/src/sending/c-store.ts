// Stores instances at a DICOM node (C-STORE as SCU, PS3.4 B).
import { InputError } from "@lnsnet/core/errors";
import dimse from "dcmjs-dimse";
import { associate, type DicomNode } from "../dimse/association.js";

const { requests, constants } = dimse;

/** @throws InputError where the node does not answer or refuses an instance; the signal's reason */
export async function storeAt(
  name: string,
  node: DicomNode,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const refused: string[] = [];
  let stored = 0;
  const stores = paths.map((path) => {
    const request = new requests.CStoreRequest(path);
    request.on("response", (response) => {
      const status = response.getStatus();
      // Warnings (Bxxx) say that it was stored, with something changed.
      if (status === constants.Status.Success || (status & 0xf000) === 0xb000) stored++;
      else refused.push(`0x${status.toString(16).padStart(4, "0")}`);
    });
    return request;
  });
  await associate(`The target ${name}`, node, stores, signal);
  const at = `The target ${name} (${node.title} at ${node.host}:${node.port})`;
  if (refused.length > 0)
    throw new InputError(
      `${at} refused ${refused.length} of ${paths.length} instances with status ${refused[0]}.`,
    );
  if (stored < paths.length)
    throw new InputError(`${at} took ${stored} of ${paths.length} instances and said nothing of the others.`);
}
