// The answer to a STOW-RS request (DICOM PS3.18, 10.5).
import { InputError } from "@lnsnet/core/errors";
import { instanceHeader } from "@lnsnet/core/formats";
import type { Received } from "../receiving/reception.js";

/** An instance with what became of it. */
export interface StowOutcome {
  readonly bytes: Uint8Array;
  readonly received: Received;
}

/**
 * The status and body of the answer: 200 where all were stored, 202 where some, 409 where none.
 *
 * @param study the study that the address names; instances of another are told as failed
 */
export function stowResponse(
  outcomes: readonly StowOutcome[],
  study: string | null,
): { status: number; body: object } {
  const rows = outcomes.map(({ bytes, received }) => {
    try {
      const { sopClassUid, sopInstanceUid, studyInstanceUid } = instanceHeader(bytes, "it");
      const isStored = received.taken > 0 && (study === null || study === studyInstanceUid);
      return { isStored, item: { ...uid("00081150", sopClassUid), ...uid("00081155", sopInstanceUid) } };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { isStored: false, item: {} };
    }
  });
  const stored = rows.filter(({ isStored }) => isStored).map(({ item }) => item);
  // C000 (PS3.18, table 10.5.3): the instance cannot be understood.
  const failed = rows
    .filter(({ isStored }) => !isStored)
    .map(({ item }) => ({ ...item, "00081197": { vr: "US", Value: [0xc000] } }));
  const status = failed.length === 0 && stored.length > 0 ? 200 : stored.length > 0 ? 202 : 409;
  return {
    status,
    body: {
      ...(stored.length === 0 ? {} : { "00081199": { vr: "SQ", Value: stored } }),
      ...(failed.length === 0 ? {} : { "00081198": { vr: "SQ", Value: failed } }),
    },
  };
}

const uid = (tag: string, value: string) => ({ [tag]: { vr: "UI", Value: [value] } });
