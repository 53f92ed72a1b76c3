// Reads the parts of a STOW-RS request and writes its answer (DICOM PS3.18, 10.5).
import { InputError } from "@lnsnet/core";
import { instanceHeader } from "@lnsnet/core/formats";
import type { FastifyRequest } from "fastify";
import type { Received } from "../receiving/reception.js";

/**
 * The instances of a request, one after the other; at most one is whole in memory.
 *
 * @param mostBytes of the whole body
 * @throws InputError where the body is no multipart/related of DICOM files, is cut short, or is too long
 */
export async function* stowParts(request: FastifyRequest, mostBytes: number): AsyncGenerator<Uint8Array> {
  const delimiter = Buffer.from(`\r\n--${boundaryOf(request.headers["content-type"] ?? "")}`);
  /** The part that is being read, without its end. */
  let pieces: Buffer[] = [];
  // A delimiter begins with a line break, which the first one of a body may lack.
  let window: Buffer = Buffer.from("\r\n");
  let read = 0;
  let isFirst = true;
  for await (const chunk of request.body as AsyncIterable<Buffer>) {
    read += chunk.length;
    if (read > mostBytes)
      throw new InputError(`The request has more than ${mostBytes / 1e6} MB; send it in parts.`);
    window = Buffer.concat([window, chunk]);
    let at = window.indexOf(delimiter);
    // Two letters behind a delimiter say whether it is the last.
    while (at >= 0 && window.length >= at + delimiter.length + 2) {
      pieces.push(window.subarray(0, at));
      window = window.subarray(at + delimiter.length);
      if (!isFirst) yield contentOf(Buffer.concat(pieces));
      isFirst = false;
      pieces = [];
      if (window.subarray(0, 2).toString("latin1") === "--") return;
      at = window.indexOf(delimiter);
    }
    // What cannot belong to a delimiter any more is set aside, so that nothing is searched twice.
    const settled = at >= 0 ? at : Math.max(0, window.length - delimiter.length);
    pieces.push(window.subarray(0, settled));
    window = window.subarray(settled);
  }
  throw new InputError("The request ends before its last boundary; send it again.");
}

function boundaryOf(contentType: string): string {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  if (boundary === null)
    throw new InputError(
      "The request states no boundary, and multipart/related with DICOM files was expected.",
    );
  return boundary[1] ?? boundary[2];
}

/** What follows the headers of a part. */
function contentOf(part: Buffer): Uint8Array {
  const end = part.indexOf("\r\n\r\n");
  if (end < 0)
    throw new InputError(
      "A part of the request has no headers, and a DICOM file with its headers was expected.",
    );
  const headers = part.subarray(0, end).toString("latin1");
  const type = /^content-type:\s*([^;\r\n]+)/im.exec(headers)?.[1].trim().toLowerCase();
  if (type !== undefined && type !== "application/dicom")
    throw new InputError(`A part of the request is ${type}, and application/dicom was expected.`);
  return part.subarray(end + 4);
}

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
