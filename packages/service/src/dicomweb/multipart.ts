// Bodies of several DICOM files, as DICOMweb sends and receives them (multipart/related, DICOM PS3.18, 8.6.1.2).
import { InputError } from "@lnsnet/core/errors";

/**
 * The instances of a multipart/related body, one after the other; at most one is whole in memory.
 *
 * @param contentType with its boundary
 * @param mostBytes of the whole body
 * @throws InputError where the body is no multipart/related of DICOM files, is cut short, or is too long
 */
export async function* relatedParts(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<Uint8Array> {
  const delimiter = Buffer.from(`\r\n--${boundaryOf(contentType)}`);
  /** The part that is being read, without its end. */
  let pieces: Buffer[] = [];
  // A delimiter begins with a line break, which the first one of a body may lack.
  let window: Buffer = Buffer.from("\r\n");
  let read = 0;
  let isFirst = true;
  for await (const chunk of body) {
    read += chunk.length;
    if (read > mostBytes) throw new InputError(`It has more than ${mostBytes / 1e6} MB; send it in parts.`);
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
  throw new InputError("It ends before its last boundary; send it again.");
}

function boundaryOf(contentType: string): string {
  const boundary = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  if (boundary === null)
    throw new InputError("It states no boundary, and multipart/related with DICOM files was expected.");
  return boundary[1] ?? boundary[2];
}

/** What follows the headers of a part. */
function contentOf(part: Buffer): Uint8Array {
  const end = part.indexOf("\r\n\r\n");
  if (end < 0)
    throw new InputError("A part of it has no headers, and a DICOM file with its headers was expected.");
  const headers = part.subarray(0, end).toString("latin1");
  const type = /^content-type:\s*([^;\r\n]+)/im.exec(headers)?.[1].trim().toLowerCase();
  if (type !== undefined && type !== "application/dicom")
    throw new InputError(`A part of it is ${type}, and application/dicom was expected.`);
  return part.subarray(end + 4);
}
